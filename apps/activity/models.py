"""What members did, as other systems told it. Append-only; one key of one source is one event, for ever."""

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.scope import AppendOnlyModel, Scope, ScopedModel
from apps.members.models import Member
from apps.members.personal import Personal
from apps.orgs.models import OrgUnit, Program

ROW = "import:row"
"""The purpose under which staged rows are encrypted."""


class Source(ScopedModel):
    """A system that tells events: an API client, a kind of file, the studio itself."""

    scope = Scope(units=("unit",))

    code = models.CharField(_("code"), max_length=80, unique=True)
    unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("org unit"))

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")

    def __str__(self) -> str:
        return self.code


class Event(AppendOnlyModel):
    """Something a member did. `day` is the programme's local day of `occurred_at`; `amount` is signed by kind:
    what a purchase cost and what a refund gave back are both positive."""

    class Kind(models.TextChoices):
        PURCHASE = "purchase", _("Purchase")
        REFUND = "refund", _("Refund")
        CHECK_IN = "check_in", _("Check-in")
        REVIEW = "review", _("Review")
        REFERRAL = "referral", _("Referral")
        REGISTRATION = "registration", _("Registration")
        BIRTHDAY = "birthday", _("Birthday")
        CODE = "code", _("Code redeemed")
        DAY = "day", _("A new day")
        FRIEND = "friend", _("A friend's act")
        FRIEND_REFUND = "friend_refund", _("A friend's refund")

    scope = Scope(units=("org_unit", "member__home_unit"))
    personal = Personal.NONE

    source = models.ForeignKey(Source, models.PROTECT, related_name="+", verbose_name=_("source"), db_index=False)
    key = models.CharField(_("key"), max_length=120)
    content_hash = models.BinaryField(max_length=16, editable=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("programme"), db_index=False)
    member = models.ForeignKey(Member, models.PROTECT, related_name="events", verbose_name=_("member"), db_index=False)
    org_unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("org unit"))
    kind = models.CharField(_("kind"), max_length=40)
    occurred_at = models.DateTimeField(_("occurred at"))
    day = models.DateField(_("local day"))
    amount = models.DecimalField(_("amount"), max_digits=18, decimal_places=4, null=True)
    channel = models.CharField(_("channel"), max_length=40, blank=True)
    order_no = models.CharField(_("order number"), max_length=80, blank=True)
    refund_of = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="refunds", verbose_name=_("refund of"), db_index=False
    )
    device = models.CharField(_("device"), max_length=80, blank=True)
    attributes = models.JSONField(_("attributes"), default=dict)
    received_at = models.DateTimeField(_("received at"))

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "key"], name="event_key_once_per_source"),
        ]
        indexes: ClassVar = [
            # The timeline of a member.
            models.Index(fields=["member", "-occurred_at"], name="event_member_timeline"),
            # What a device told in the minutes before.
            models.Index(fields=["device", "occurred_at"], name="event_of_device", condition=models.Q(device__gt="")),
            # What was given back of one purchase.
            models.Index(fields=["refund_of"], name="event_refunds", condition=models.Q(refund_of__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class EventLine(AppendOnlyModel):
    """One line of an order; `amount` is what was paid for the whole line, tax included, `tax` how much of it is tax
    (null: not told); a line that `is_shipping` is the carriage."""

    scope = Scope(units=("event__org_unit", "event__member__home_unit"))
    personal = Personal.NONE

    event = models.ForeignKey(Event, models.PROTECT, related_name="lines", verbose_name=_("event"), db_index=False)
    line_no = models.PositiveIntegerField(_("line"))
    sku = models.CharField(_("article"), max_length=80, blank=True)
    category = models.CharField(_("category"), max_length=80, blank=True)
    quantity = models.DecimalField(_("quantity"), max_digits=14, decimal_places=4)
    amount = models.DecimalField(_("amount"), max_digits=18, decimal_places=4)
    brand = models.CharField(_("brand"), max_length=80, blank=True, db_default="")
    tax = models.DecimalField(_("tax in it"), max_digits=18, decimal_places=4, null=True)
    is_shipping = models.BooleanField(_("shipping"), default=False, db_default=False)

    class Meta:
        verbose_name = _("event line")
        verbose_name_plural = _("event lines")
        # Also the index for reading an event's lines.
        constraints: ClassVar = [models.UniqueConstraint(fields=["event", "line_no"], name="eventline_number_once")]

    def __str__(self) -> str:
        return f"{self.line_no}: {self.sku or self.category}"


class MemberDay(ScopedModel):
    """One member's facts of one local day of one programme, kept in the transaction of each event."""

    scope = Scope(units=("member__home_unit",))
    personal = Personal.NONE

    member = models.ForeignKey(Member, models.CASCADE, related_name="days", verbose_name=_("member"), db_index=False)
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("programme"), db_index=False)
    day = models.DateField(_("day"))
    events = models.IntegerField(_("events"), default=0)
    purchases = models.IntegerField(_("purchases"), default=0)
    spent = models.DecimalField(_("spent"), max_digits=18, decimal_places=4, default=0)
    refunds = models.IntegerField(_("refunds"), default=0)
    refunded = models.DecimalField(_("refunded"), max_digits=18, decimal_places=4, default=0)
    check_ins = models.IntegerField(_("check-ins"), default=0)

    class Meta:
        verbose_name = _("member's day")
        verbose_name_plural = _("members' days")
        constraints: ClassVar = [models.UniqueConstraint(fields=["member", "program", "day"], name="memberday_once")]
        # Segments over a window read the days that lie in it: they were written one after the other.
        indexes: ClassVar = [BrinIndex(fields=["day"], name="memberday_day", autosummarize=True, pages_per_range=32)]

    def __str__(self) -> str:
        return f"{self.member_id} {self.day}"


class ImportJob(ScopedModel):
    """One file being brought in: staged whole, then worked off in chunks that survive being killed."""

    class State(models.TextChoices):
        STAGING = "staging", _("Reading")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        REFUSED = "refused", _("Refused")
        CANCELLED = "cancelled", _("Cancelled")

    scope = Scope(units=("program__unit",))

    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("programme"))
    source = models.ForeignKey(Source, models.PROTECT, related_name="+", verbose_name=_("source"))
    file_name = models.CharField(_("file"), max_length=200)
    file_hash = models.BinaryField(max_length=32, editable=False)
    path = models.CharField(max_length=400, editable=False)
    preset = models.CharField(_("preset"), max_length=40, blank=True)
    enrols = models.BooleanField(_("enrols unknown members"), default=False)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.STAGING)
    refusal = models.JSONField(_("refusal"), default=dict, blank=True)
    rows = models.IntegerField(_("rows"), default=0)
    rows_done = models.IntegerField(_("rows done"), default=0)
    events_new = models.IntegerField(_("new events"), default=0)
    events_repeated = models.IntegerField(_("repeated events"), default=0)
    rows_refused = models.IntegerField(_("rows refused"), default=0)
    members_enrolled = models.IntegerField(_("members enrolled"), default=0)
    points = models.BigIntegerField(_("points"), default=0)
    created_by = models.ForeignKey(
        "orgs.Staff", models.PROTECT, null=True, related_name="+", verbose_name=_("started by")
    )
    created_at = models.DateTimeField(_("created at"))
    started_at = models.DateTimeField(_("started at"), null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")

    def __str__(self) -> str:
        return self.file_name


class ImportChunk(ScopedModel):
    """A part of a job that one worker does in one transaction, its state changing with its work.

    A member's rows are all in one chunk, so that no two workers touch one account.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DONE = "done", _("Done")

    scope = Scope(units=("job__program__unit",))

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="chunks", verbose_name=_("import"))
    number = models.IntegerField(_("number"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)

    class Meta:
        verbose_name = _("chunk")
        verbose_name_plural = _("chunks")
        constraints: ClassVar = [models.UniqueConstraint(fields=["job", "number"], name="importchunk_once")]

    def __str__(self) -> str:
        return f"{self.job_id}/{self.number}"


class ImportRow(ScopedModel):
    """A row of a file as it was read: until its chunk is done and, where it was refused (`chunk` is empty), for good.

    `cipher` holds its columns and texts as JSON, encrypted: they name members. `owner` is the keyed hash of the member.
    """

    scope = Scope(units=("job__program__unit",))
    personal = Personal.STAGED

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="staged", verbose_name=_("import"), db_index=False)
    chunk = models.IntegerField(_("chunk"), null=True)
    line = models.IntegerField(_("line"))
    key = models.CharField(_("key"), max_length=200)
    owner = models.BinaryField(max_length=16, editable=False)
    cipher = models.BinaryField(editable=False)

    class Meta:
        verbose_name = _("staged row")
        verbose_name_plural = _("staged rows")
        indexes: ClassVar = [models.Index(fields=["job", "chunk"], name="importrow_of_chunk")]

    def __str__(self) -> str:
        return f"{self.job_id}: {self.line}"


class ImportFault(ScopedModel):
    """A row of a file that was refused: where, and why, in words."""

    scope = Scope(units=("job__program__unit",))

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="faults", verbose_name=_("import"))
    line = models.IntegerField(_("line"))
    column = models.CharField(_("column"), max_length=80, blank=True)
    code = models.CharField(_("reason"), max_length=40)
    value = models.CharField(_("value"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("refused row")
        verbose_name_plural = _("refused rows")
        indexes: ClassVar = [models.Index(fields=["job", "line"], name="importfault_place")]

    def __str__(self) -> str:
        return f"{self.line}: {self.code}"
