"""Points: accounts, postings, entries, lots and holds.

An entry moves one lot, or debt where `lot` is empty, so that every figure is a sum of entries:

    account.balance  = Σ entries.points           = Σ settled lots' remaining − debt
    account.pending  = Σ entries.pending_points   = Σ pending lots' remaining
    lot.remaining    = Σ its entries' (points + pending_points)
    account.debt     = −Σ points of its entries without a lot

Written only by the functions in `sql/`, called by `apps.points.services`.

A key without a constraint says again what the account or the posting of a row says, whose own keys the database holds:
to hold it once more for each row cost a tenth of writing one. `checking` holds every copy against what it is a copy of.
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.activity.models import Event
from apps.approvals.models import ApprovalRequest
from apps.core.scope import AppendOnlyModel, Scope, ScopedModel
from apps.members.models import Member
from apps.members.personal import Personal
from apps.orgs.models import OrgUnit, Program


class PointType(ScopedModel):
    """A kind of points of a programme: how long they last, when they become spendable, what one costs."""

    class Kind(models.TextChoices):
        REWARD = "reward", _("Reward points (spendable)")
        STATUS = "status", _("Status points (count for tiers)")

    scope = Scope(units=("program__unit",), governs=True)

    program = models.ForeignKey(Program, models.PROTECT, related_name="point_types", verbose_name=_("programme"))
    code = models.SlugField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.REWARD)
    expiry = models.JSONField(_("expiry"), default=dict)
    pending_days = models.PositiveSmallIntegerField(
        _("pending days"),
        default=0,
        help_text=_("How long points wait, for returns, before they can be spent."),
    )
    unit_cost_micros = models.BigIntegerField(
        _("cost of a point, in millionths"),
        default=10_000,
        help_text=_("In millionths of the programme's currency: 10000 is ¥0.01."),
    )
    funder = models.ForeignKey(
        OrgUnit, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("funded by"),
        help_text=_("Who pays for the points; empty: the unit where they are earned."),
    )  # fmt: skip

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("point type")
        verbose_name_plural = _("point types")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "code"], name="pointtype_code_once"),
            models.CheckConstraint(name="pointtype_cost_not_negative", condition=Q(unit_cost_micros__gte=0)),
        ]

    def __str__(self) -> str:
        return self.name


class ReasonCode(ScopedModel):
    """Why points are adjusted by hand, of a programme's own list: what policies and reports can ask about."""

    class Direction(models.TextChoices):
        BOTH = "both", _("adding and taking points")
        ADD = "add", _("adding points")
        TAKE = "take", _("taking points")

    scope = Scope(units=("program__unit",), governs=True)

    program = models.ForeignKey(Program, models.PROTECT, related_name="reason_codes", verbose_name=_("programme"))
    code = models.SlugField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=80)
    direction = models.CharField(_("for"), max_length=4, choices=Direction.choices, default=Direction.BOTH)
    needs_evidence = models.BooleanField(
        _("needs evidence"), default=False, help_text=_("Whoever gives this reason must attach a file.")
    )
    is_active = models.BooleanField(_("active"), default=True)

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("reason code")
        verbose_name_plural = _("reason codes")
        constraints: ClassVar = [models.UniqueConstraint(fields=["program", "code"], name="reasoncode_code_once")]

    def __str__(self) -> str:
        return self.name

    def fits(self, points: int) -> bool:
        """Whether it is a reason to add (`points` above zero) or to take so many."""
        wanted = self.Direction.ADD if points > 0 else self.Direction.TAKE
        return self.direction in (self.Direction.BOTH, wanted)


class Account(ScopedModel):
    """One member's points of one point type. `balance` is negative when there is debt."""

    scope = Scope(units=("member__home_unit",))
    personal = Personal.NONE

    member = models.ForeignKey(
        Member, models.PROTECT, related_name="accounts", verbose_name=_("member"), db_index=False
    )
    point_type = models.ForeignKey(PointType, models.PROTECT, related_name="+", verbose_name=_("point type"))
    balance = models.BigIntegerField(_("balance"), default=0)
    pending = models.BigIntegerField(_("pending"), default=0)
    held = models.BigIntegerField(_("held"), default=0)
    debt = models.BigIntegerField(_("debt"), default=0)
    earned_total = models.BigIntegerField(_("earned so far"), default=0)
    lapses_at = models.DateTimeField(_("lapses at"), null=True)

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member", "point_type"], name="account_one_per_type"),
            models.CheckConstraint(name="account_pending_not_negative", condition=Q(pending__gte=0)),
            models.CheckConstraint(name="account_debt_not_negative", condition=Q(debt__gte=0)),
            # Lots cover what is held: Σ remaining = balance + debt ≥ held ≥ 0. Two tills cannot get past this.
            models.CheckConstraint(
                name="account_never_overspent",
                condition=Q(held__gte=0) & Q(balance__gte=F("held") - F("debt")),
            ),
        ]
        indexes: ClassVar = [
            # The nightly expiry by inactivity.
            models.Index(fields=["lapses_at"], name="account_lapses", condition=Q(lapses_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.member_id}/{self.point_type_id}"

    @property
    def available(self) -> int:
        """What can be spent now: never negative."""
        return max(0, self.balance - self.held)


class PostingKind(models.TextChoices):
    EARN = "earn", _("Earned")
    OPENING = "opening", _("Opening balance")
    RELEASE = "release", _("Released")
    REDEEM = "redeem", _("Redeemed")
    ADJUST = "adjust", _("Adjusted")
    EXPIRE = "expire", _("Expired")
    REVERSE = "reverse", _("Reversed")
    CLAWBACK = "clawback", _("Taken back after a refund")
    REPAY = "repay", _("Debt paid off")
    MERGE = "merge", _("Moved with a merge")


class Posting(AppendOnlyModel):
    """One act on one account: the entries that one verb wrote together, under one key, with its reason."""

    scope = Scope(units=("org_unit", "member__home_unit"))
    personal = Personal.WORDS

    key = models.CharField(_("key"), max_length=160)
    account = models.ForeignKey(Account, models.PROTECT, related_name="postings", verbose_name=_("account"))
    member = models.ForeignKey(
        Member, models.PROTECT, related_name="+", verbose_name=_("member"), db_index=False, db_constraint=False
    )
    org_unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("org unit"), db_index=False)
    kind = models.CharField(_("kind"), max_length=10, choices=PostingKind.choices)
    points = models.BigIntegerField(_("points"))
    pending_points = models.BigIntegerField(_("pending points"))
    event = models.ForeignKey(
        Event, models.PROTECT, null=True, related_name="postings", verbose_name=_("event"), db_index=False
    )
    reverses = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        related_name="reversals",
        verbose_name=_("reverses"),
        db_index=False,
    )
    actor = models.ForeignKey(
        "orgs.Staff", models.PROTECT, null=True, related_name="+", verbose_name=_("by"), db_index=False
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    content_hash = models.BinaryField(max_length=16, null=True, editable=False)
    day = models.DateField(_("local day"))
    posted_at = models.DateTimeField(_("posted at"))

    class Meta:
        verbose_name = _("posting")
        verbose_name_plural = _("postings")
        permissions: ClassVar = [
            ("adjust_points", "Can adjust points"),
            ("redeem_points", "Can hold and redeem points"),
        ]
        constraints: ClassVar = [
            # Nothing is posted twice. As a constraint: a unique field would be indexed twice.
            models.UniqueConstraint(fields=["key"], name="posting_once"),
            # Nothing is reversed twice.
            models.UniqueConstraint(
                fields=["reverses"],
                name="posting_reversed_once",
                condition=Q(reverses__isnull=False, kind="reverse"),
            ),
        ]
        indexes: ClassVar = [
            # What an event earned, and what refunds took back of it.
            models.Index(fields=["event"], name="posting_of_event", condition=Q(event__isnull=False)),
            # What was taken back of an award.
            models.Index(fields=["reverses"], name="posting_of_reversed", condition=Q(reverses__isnull=False)),
            # The timeline of a member: what an event moved stands under the event.
            models.Index(fields=["member", "-posted_at"], name="posting_timeline", condition=Q(event__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.key


class Lot(ScopedModel):
    """Points earned together. Spending takes the lot that expires first; `expires_at` is excluded."""

    scope = Scope(units=("org_unit", "member__home_unit"))
    personal = Personal.NONE

    account = models.ForeignKey(Account, models.PROTECT, related_name="lots", verbose_name=_("account"), db_index=False)
    member = models.ForeignKey(
        Member, models.PROTECT, related_name="+", verbose_name=_("member"), db_index=False, db_constraint=False
    )
    org_unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("earned at"), db_index=False)
    funder = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("funded by"), db_index=False)
    rule_id = models.BigIntegerField(_("rule"), null=True)
    rule_version_id = models.BigIntegerField(_("rule version"), null=True)
    event = models.ForeignKey(
        Event, models.PROTECT, null=True, related_name="lots", verbose_name=_("event"), db_index=False
    )
    unit_cost_micros = models.BigIntegerField(_("cost of a point, in millionths"))
    earned = models.BigIntegerField(_("earned"))
    remaining = models.BigIntegerField(_("remaining"))
    held = models.BigIntegerField(_("held"), default=0)
    is_pending = models.BooleanField(_("pending"), default=False)
    earned_at = models.DateTimeField(_("earned at"))
    releases_at = models.DateTimeField(_("releases at"), null=True)
    expires_at = models.DateTimeField(_("expires at"), null=True)
    moved_from = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="moved_to", verbose_name=_("moved from"), db_index=False
    )
    """The lot of a member who was merged that it goes on with: as good for as long, for the same event."""

    class Meta:
        verbose_name = _("lot")
        verbose_name_plural = _("lots")
        constraints: ClassVar = [
            models.CheckConstraint(name="lot_life", condition=Q(remaining__gte=0) & Q(remaining__lte=F("earned"))),
            models.CheckConstraint(
                name="lot_held_within_remaining", condition=Q(held__gte=0) & Q(held__lte=F("remaining"))
            ),
            models.CheckConstraint(name="lot_pending_not_held", condition=Q(is_pending=False) | Q(held=0)),
        ]
        indexes: ClassVar = [
            # Spending: an account's open lots, the first to expire first.
            models.Index(fields=["account", "expires_at"], name="lot_open", condition=Q(remaining__gt=0)),
            # The nightly expiry.
            models.Index(
                fields=["expires_at", "account"], name="lot_due",
                condition=Q(remaining__gt=0, expires_at__isnull=False),
            ),
            # The release of pending points.
            models.Index(fields=["releases_at"], name="lot_releases", condition=Q(is_pending=True, remaining__gt=0)),
            # What one event earned.
            models.Index(fields=["event"], name="lot_of_event", condition=Q(event__isnull=False)),
            # What became of the lots of a member who was merged.
            models.Index(fields=["moved_from"], name="lot_moved", condition=Q(moved_from__isnull=False)),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.remaining}/{self.earned}"


class Entry(AppendOnlyModel):
    """One signed movement of one lot, or of debt where `lot` is empty.

    `cost_micros` is (points + pending_points) × the lot's unit cost. `transaction` lets reports fold each entry
    into their facts exactly once.
    """

    scope = Scope(units=("org_unit", "member__home_unit"))
    personal = Personal.NONE

    posting = models.ForeignKey(Posting, models.PROTECT, related_name="entries", verbose_name=_("posting"))
    account = models.ForeignKey(
        Account, models.PROTECT, related_name="entries", verbose_name=_("account"), db_constraint=False
    )
    member = models.ForeignKey(
        Member, models.PROTECT, related_name="+", verbose_name=_("member"), db_index=False, db_constraint=False
    )
    lot = models.ForeignKey(Lot, models.PROTECT, null=True, related_name="entries", verbose_name=_("lot"))
    kind = models.CharField(_("kind"), max_length=10, choices=PostingKind.choices)
    points = models.BigIntegerField(_("points"))
    pending_points = models.BigIntegerField(_("pending points"), default=0)
    cost_micros = models.BigIntegerField(_("cost, in millionths"))
    program = models.ForeignKey(
        Program, models.PROTECT, related_name="+", verbose_name=_("programme"), db_index=False, db_constraint=False
    )
    org_unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("org unit"), db_index=False)
    rule_id = models.BigIntegerField(_("rule"), null=True)
    rule_version_id = models.BigIntegerField(_("rule version"), null=True)
    day = models.DateField(_("local day"))
    posted_at = models.DateTimeField(_("posted at"))

    class Meta:
        verbose_name = _("entry")
        verbose_name_plural = _("entries")

    def __str__(self) -> str:
        return f"{self.kind} {self.points:+d}"


class Hold(ScopedModel):
    """Points set aside for a redemption: taken (captured), given back (voided) or lapsed after a time."""

    class State(models.TextChoices):
        HELD = "held", _("Held")
        CAPTURED = "captured", _("Captured")
        VOIDED = "voided", _("Voided")

    scope = Scope(units=("org_unit", "member__home_unit"))
    personal = Personal.WORDS

    key = models.CharField(_("key"), max_length=160, unique=True)
    content_hash = models.BinaryField(max_length=16, editable=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="holds", verbose_name=_("account"))
    member = models.ForeignKey(Member, models.PROTECT, related_name="+", verbose_name=_("member"), db_index=False)
    org_unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("org unit"), db_index=False)
    points = models.BigIntegerField(_("points"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.HELD)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    held_at = models.DateTimeField(_("held at"))
    lapses_at = models.DateTimeField(_("lapses at"))
    ended_at = models.DateTimeField(_("ended at"), null=True)

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        constraints: ClassVar = [models.CheckConstraint(name="hold_positive", condition=Q(points__gt=0))]
        indexes: ClassVar = [
            # Holds nobody captured in time.
            models.Index(fields=["lapses_at"], name="hold_lapses", condition=Q(state="held")),
        ]

    def __str__(self) -> str:
        return f"{self.points} {self.state}"


class HoldLot(ScopedModel):
    """How much of which lot a hold set aside."""

    scope = Scope(units=("hold__org_unit", "hold__member__home_unit"))
    personal = Personal.NONE

    hold = models.ForeignKey(Hold, models.PROTECT, related_name="parts", verbose_name=_("hold"))
    lot = models.ForeignKey(Lot, models.PROTECT, related_name="hold_parts", verbose_name=_("lot"))
    points = models.BigIntegerField(_("points"))

    class Meta:
        verbose_name = _("part of a hold")
        verbose_name_plural = _("parts of holds")
        constraints: ClassVar = [models.UniqueConstraint(fields=["hold", "lot"], name="holdlot_once")]

    def __str__(self) -> str:
        return f"{self.hold_id}: {self.points}"


class AdjustmentBatch(ScopedModel):
    """A file of adjustments: read whole, checked row by row, and asked for as one request, all or nothing.

    `unit` is the nearest unit above everybody in it. From the moment it is sent neither it nor its rows change: a
    trigger refuses.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Checked")
        SENT = "sent", _("Sent")
        POSTED = "posted", _("Posted")

    scope = Scope(units=("unit",))

    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("programme"))
    unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("org unit"))
    file_name = models.CharField(_("file"), max_length=200)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.DRAFT)
    digest = models.CharField(max_length=64, blank=True, editable=False)
    """Of what its rows would do, line by line."""
    rows = models.IntegerField(_("rows"), default=0)
    rows_refused = models.IntegerField(_("rows refused"), default=0)
    members = models.IntegerField(_("members"), default=0)
    added = models.BigIntegerField(_("points added"), default=0)
    taken = models.BigIntegerField(_("points taken"), default=0)
    cost_micros = models.BigIntegerField(_("cost, in millionths"), default=0)
    """Of all that is moved, whichever way."""
    largest = models.BigIntegerField(_("largest row"), default=0)
    units = models.IntegerField(_("units touched"), default=0)
    new_members = models.IntegerField(_("new members"), default=0)
    """Who joined within the 30 days before it was read."""
    created_by = models.ForeignKey(
        "orgs.Staff", models.PROTECT, null=True, related_name="+", verbose_name=_("uploaded by")
    )
    created_at = models.DateTimeField(_("created at"))
    request = models.ForeignKey(ApprovalRequest, models.PROTECT, null=True, related_name="+", verbose_name=_("request"))
    key = models.CharField(_("key"), max_length=120, blank=True)
    """Under which it was posted, once."""
    posted_at = models.DateTimeField(_("posted at"), null=True)

    class Meta:
        verbose_name = _("file of adjustments")
        verbose_name_plural = _("files of adjustments")
        constraints: ClassVar = [
            models.CheckConstraint(
                name="adjustmentbatch_sent_without_faults", condition=Q(state="draft") | Q(rows_refused=0, rows__gt=0)
            ),
            models.CheckConstraint(
                name="adjustmentbatch_posted_at",
                condition=Q(state="posted", posted_at__isnull=False) | (~Q(state="posted") & Q(posted_at=None)),
            ),
        ]

    def __str__(self) -> str:
        return self.file_name


class AdjustmentRow(ScopedModel):
    """One row of such a file. Until it is sent, `cipher` holds its cells as JSON, encrypted, for they name a member."""

    scope = Scope(units=("batch__unit",))
    personal = Personal.STAGED

    batch = models.ForeignKey(
        AdjustmentBatch, models.CASCADE, related_name="staged", verbose_name=_("file of adjustments"), db_index=False
    )
    line = models.IntegerField(_("line"))
    kind = models.CharField(max_length=40, blank=True, editable=False)
    value_hash = models.BinaryField(max_length=16, null=True, editable=False)
    given = models.BigIntegerField(null=True, editable=False)
    """The member's number, where the row gives that and no identifier."""
    point_code = models.CharField(_("point type"), max_length=40, blank=True)
    points = models.BigIntegerField(_("points"), default=0)
    reason_code = models.CharField(_("reason code"), max_length=40, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)
    cipher = models.BinaryField(editable=False)
    member = models.ForeignKey(
        Member, models.PROTECT, null=True, related_name="+", verbose_name=_("member"), db_index=False
    )
    point_type = models.ForeignKey(
        PointType, models.PROTECT, null=True, related_name="+", verbose_name=_("point type"), db_index=False
    )
    fault = models.CharField(_("fault"), max_length=20, blank=True)

    class Meta:
        verbose_name = _("row of adjustments")
        verbose_name_plural = _("rows of adjustments")
        constraints: ClassVar = [models.UniqueConstraint(fields=["batch", "line"], name="adjustmentrow_line_once")]

    def __str__(self) -> str:
        return f"{self.batch_id}: {self.line}"
