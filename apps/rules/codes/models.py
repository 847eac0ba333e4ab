"""Batches of codes, what is known of each code, and what became of it. No code is kept: see `apps.rules.codes`."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.activity.models import Event, Source
from apps.core.scope import AppendOnlyModel, Scope, ScopedModel
from apps.members.models import Member
from apps.members.personal import Personal
from apps.orgs.models import OrgUnit, Program, Staff

LARGEST_BATCH = 1_000_000
MOST_USES = 100_000


class CodeBatch(ScopedModel):
    """Codes that were made together: how many, how often each may be used, and what they draw.

    Once its codes are being made, all but the name and the days stays as it is: a trigger, in sql/codes.sql.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        MAKING = "making", _("Being made")
        READY = "ready", _("Ready")
        STOPPED = "stopped", _("Stopped")

    scope = Scope(units=("unit",), governs=True)

    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("programme"))
    unit = models.ForeignKey(
        OrgUnit, models.PROTECT, related_name="+", verbose_name=_("org unit"),
        help_text=_("The codes can be redeemed in this unit and below it."),
    )  # fmt: skip
    code = models.SlugField(_("code"), max_length=60, help_text=_("Rules ask for it: the batch of the code is …"))
    name = models.CharField(_("name"), max_length=120)
    size = models.PositiveIntegerField(_("number of codes"))
    uses = models.PositiveIntegerField(
        _("uses of each code"), default=1,
        help_text=_("1: whoever comes first. More: so many members, each of them once."),
    )  # fmt: skip
    starts_on = models.DateField(_("first day"), null=True, blank=True)
    ends_on = models.DateField(_("last day"), null=True, blank=True)
    prizes = models.JSONField(_("prizes"), default=list, blank=True)
    seed = models.BinaryField(max_length=32, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.DRAFT)
    made = models.PositiveIntegerField(_("codes made"), default=0)
    last_number = models.PositiveIntegerField(_("last number"), default=0)
    created_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+", verbose_name=_("drafted by"))
    created_at = models.DateTimeField(_("drafted at"))
    making_since = models.DateTimeField(_("being made since"), null=True)
    ready_at = models.DateTimeField(_("ready since"), null=True)
    stopped_at = models.DateTimeField(_("stopped at"), null=True)

    history = HistoricalRecords(excluded_fields=["seed", "made", "last_number"])

    class Meta:
        verbose_name = _("batch of codes")
        verbose_name_plural = _("batches of codes")
        permissions: ClassVar = [
            ("download_codes", "Can download the codes of a batch"),
            ("redeem_code", "Can redeem a code for a member"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "code"], name="codebatch_code_once"),
            models.CheckConstraint(name="codebatch_size", condition=Q(size__range=(1, LARGEST_BATCH))),
            models.CheckConstraint(name="codebatch_uses", condition=Q(uses__range=(1, MOST_USES))),
            models.CheckConstraint(
                name="codebatch_days",
                condition=Q(starts_on__isnull=True) | Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Code(ScopedModel):
    """One code: its number in the batch, the keyed hash by which it is found, and how often it may still be used."""

    scope = Scope(units=("batch__unit",))

    batch = models.ForeignKey(CodeBatch, models.PROTECT, related_name="codes", verbose_name=_("batch"), db_index=False)
    number = models.PositiveIntegerField(_("number"))
    value_hash = models.BinaryField(max_length=16, editable=False)
    uses_left = models.PositiveIntegerField(_("uses left"))

    class Meta:
        verbose_name = _("code")
        verbose_name_plural = _("codes")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["value_hash"], name="code_value_once"),
            # Also the order of the file of codes.
            models.UniqueConstraint(fields=["batch", "number"], name="code_number_once"),
        ]

    def __str__(self) -> str:
        return f"{self.batch_id}/{self.number}"


class CodeUse(AppendOnlyModel):
    """A code that a member redeemed, and what that use of it drew."""

    scope = Scope(units=("batch__unit", "member__home_unit"))
    personal = Personal.NONE

    batch = models.ForeignKey(CodeBatch, models.PROTECT, related_name="used", verbose_name=_("batch"), db_index=False)
    code = models.ForeignKey(Code, models.PROTECT, related_name="used", verbose_name=_("code"), db_index=False)
    use = models.PositiveIntegerField(_("use"))
    member = models.ForeignKey(Member, models.PROTECT, related_name="+", verbose_name=_("member"), db_index=False)
    event = models.OneToOneField(Event, models.PROTECT, related_name="+", verbose_name=_("event"))
    prize = models.CharField(_("prize"), max_length=40)

    class Meta:
        verbose_name = _("redeemed code")
        verbose_name_plural = _("redeemed codes")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["code", "use"], name="codeuse_use_once"),
            models.UniqueConstraint(fields=["code", "member"], name="codeuse_member_once"),
        ]
        # What a batch has given so far, by prize.
        indexes: ClassVar = [models.Index(fields=["batch", "prize"], name="codeuse_prizes")]

    def __str__(self) -> str:
        return f"{self.code_id}: {self.use}"


class CodeGuess(ScopedModel):
    """A code that does not exist was tried: counted for a while against the member, and the system that sent it."""

    scope = Scope(units=("member__home_unit",))
    personal = Personal.NONE

    member = models.ForeignKey(Member, models.CASCADE, related_name="+", verbose_name=_("member"), db_index=False)
    source = models.ForeignKey(Source, models.CASCADE, related_name="+", verbose_name=_("source"), db_index=False)
    guessed_at = models.DateTimeField(_("guessed at"))

    class Meta:
        verbose_name = _("guess at a code")
        verbose_name_plural = _("guesses at codes")
        indexes: ClassVar = [
            models.Index(fields=["member", "guessed_at"], name="codeguess_of_member"),
            models.Index(fields=["source", "guessed_at"], name="codeguess_of_source"),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} {self.guessed_at}"


class CodeDownload(AppendOnlyModel):
    """The codes of a batch left the studio as a file."""

    scope = Scope(units=("batch__unit",))

    batch = models.ForeignKey(CodeBatch, models.PROTECT, related_name="downloads", verbose_name=_("batch"))
    downloaded_by = models.ForeignKey(
        Staff, models.PROTECT, null=True, related_name="+", verbose_name=_("downloaded by")
    )
    downloaded_at = models.DateTimeField(_("downloaded at"))
    codes = models.PositiveIntegerField(_("codes"))

    class Meta:
        verbose_name = _("download of codes")
        verbose_name_plural = _("downloads of codes")

    def __str__(self) -> str:
        return f"{self.batch_id} {self.downloaded_at}"
