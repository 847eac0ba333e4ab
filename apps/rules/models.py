"""Rules and their versions, what each event came to, and the counters of limits."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from simple_history.models import HistoricalRecords

from apps.activity.models import Event
from apps.core.scope import AppendOnlyModel, Scope, ScopedModel
from apps.members.models import Member
from apps.members.personal import Personal
from apps.orgs.models import OrgUnit, Program
from apps.rules.codes.models import Code, CodeBatch, CodeDownload, CodeGuess, CodeUse

__all__ = [
    "Code", "CodeBatch", "CodeDownload", "CodeGuess", "CodeUse", "Counter", "Outcome", "Period", "Rule", "RuleVersion",
    "UnitCounter",
]  # fmt: skip


class Rule(ScopedModel):
    """What earns points: a name and a place; its content lives in versions."""

    scope = Scope(units=("unit",), governs=True)

    program = models.ForeignKey(Program, models.PROTECT, related_name="rules", verbose_name=_("programme"))
    unit = models.ForeignKey(
        OrgUnit, models.PROTECT, related_name="rules", verbose_name=_("org unit"),
        help_text=_("The rule applies to events in this unit and below it."),
    )  # fmt: skip
    code = models.SlugField(_("code"), max_length=60)
    name = models.CharField(_("name"), max_length=120)
    allows_override = models.BooleanField(
        _("may be overridden"),
        default=False,
        help_text=_("A unit below may put a rule of its own in the place of this one."),
    )
    overrides = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="overridden_by", verbose_name=_("in place of")
    )
    """The rule of a unit above that does not apply where a version of this one is in force; see families.py."""
    created_at = models.DateTimeField(_("created at"))

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        permissions: ClassVar = [("publish_rule", "Can publish and retire rules")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "code"], name="rule_code_once"),
            models.UniqueConstraint(fields=["overrides", "unit"], name="rule_one_override_of_a_unit"),
        ]

    def __str__(self) -> str:
        return self.name


class RuleVersion(ScopedModel):
    """One wording of a rule. Immutable once published; in force from `starts_at` until before `ends_at`.

    No two versions of a rule are in force at once: an exclusion constraint, in sql/guards.sql.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        RETIRED = "retired", _("Retired")

    scope = Scope(units=("rule__unit",), governs=True)

    rule = models.ForeignKey(Rule, models.PROTECT, related_name="versions", verbose_name=_("rule"))
    number = models.PositiveIntegerField(_("version"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.DRAFT)
    definition = models.JSONField(_("definition"))
    overridden_number = models.PositiveIntegerField(_("made from version"), null=True, blank=True)
    """Of a rule that stands in the place of another: the version of that one which this one began with."""
    starts_at = models.DateTimeField(_("in force from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("in force until"), null=True, blank=True)
    created_by = models.ForeignKey(
        "orgs.Staff", models.PROTECT, null=True, related_name="+", verbose_name=_("drafted by")
    )
    created_at = models.DateTimeField(_("drafted at"))
    revision = models.PositiveIntegerField(_("revision"), default=1)
    """Grows with every saving of the draft, so that nobody saves over what they have not read."""
    changed_by = models.ForeignKey(
        "orgs.Staff", models.PROTECT, null=True, related_name="+", verbose_name=_("changed by")
    )
    changed_at = models.DateTimeField(_("changed at"), null=True)
    published_by = models.ForeignKey(
        "orgs.Staff", models.PROTECT, null=True, related_name="+", verbose_name=_("published by")
    )
    published_at = models.DateTimeField(_("published at"), null=True)
    retired_at = models.DateTimeField(_("retired at"), null=True)

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("rule version")
        verbose_name_plural = _("rule versions")
        ordering: ClassVar = ["rule_id", "-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["rule", "number"], name="ruleversion_number_once"),
            models.UniqueConstraint(fields=["rule"], name="ruleversion_one_draft", condition=Q(state="draft")),
            models.CheckConstraint(
                name="ruleversion_published_has_start",
                condition=Q(state="draft") | Q(starts_at__isnull=False),
            ),
            models.CheckConstraint(
                name="ruleversion_period", condition=Q(ends_at__isnull=True) | Q(ends_at__gte=F("starts_at"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule} v{self.number}"


class ProgramFile(AppendOnlyModel):
    """A programme's document that somebody brought in, or asked to; see `apps.rules.bringing_in`."""

    scope = Scope(units=("program__unit",), governs=True)

    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("programme"))
    digest = models.CharField(_("digest"), max_length=64)
    document = models.JSONField(_("document"))
    kept_by = models.ForeignKey("orgs.Staff", models.PROTECT, null=True, related_name="+", verbose_name=_("kept by"))
    kept_at = models.DateTimeField(_("kept at"))

    class Meta:
        verbose_name = _("programme's document")
        verbose_name_plural = _("programmes' documents")
        constraints: ClassVar = [models.UniqueConstraint(fields=["program", "digest"], name="programfile_once")]

    def __str__(self) -> str:
        return self.digest[:12]


class Outcome(AppendOnlyModel):
    """What an event came to: the answer its sender got, and why. One per event, replayed for a repeated key."""

    scope = Scope(units=("event__org_unit", "member__home_unit"))
    personal = Personal.NONE

    event = models.OneToOneField(
        Event, models.PROTECT, primary_key=True, related_name="outcome", verbose_name=_("event")
    )
    member = models.ForeignKey(Member, models.PROTECT, related_name="+", verbose_name=_("member"), db_index=False)
    points = models.BigIntegerField(_("points"))
    answer = models.JSONField(_("answer"))

    class Meta:
        verbose_name = _("outcome")
        verbose_name_plural = _("outcomes")

    def __str__(self) -> str:
        return f"{self.event_id}: {self.points:+d}"


class Period(models.TextChoices):
    """The local periods that limits are counted in."""

    DAY = "day", _("day")
    WEEK = "week", _("week")
    MONTH = "month", _("month")
    QUARTER = "quarter", _("quarter")
    YEAR = "year", _("year")
    EVER = "ever", _("ever")


class Counted(ScopedModel):
    """What a rule has given in one period that a limit is counted in: points, and to how many events; where limits speak
    of them, what these cost, and the money and the pieces that earned them, in millionths."""

    period = models.CharField(_("period"), max_length=8, choices=Period.choices, default=Period.DAY)
    start = models.DateField(_("first day"))
    points = models.BigIntegerField(_("points"), default=0)
    times = models.IntegerField(_("times"), default=0)
    amount_micros = models.BigIntegerField(_("amount, in millionths"), default=0)
    pieces_micros = models.BigIntegerField(_("pieces, in millionths"), default=0)
    cost_micros = models.BigIntegerField(_("cost, in millionths"), default=0)

    class Meta:
        abstract = True


class Counter(Counted):
    """What a member was given."""

    scope = Scope(units=("member__home_unit",))
    personal = Personal.NONE

    member = models.ForeignKey(Member, models.CASCADE, related_name="+", verbose_name=_("member"), db_index=False)
    rule = models.ForeignKey(Rule, models.PROTECT, related_name="+", verbose_name=_("rule"), db_index=False)

    class Meta:
        verbose_name = _("counter")
        verbose_name_plural = _("counters")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member", "start", "period", "rule"], name="counter_once")
        ]

    def __str__(self) -> str:
        return f"{self.member_id} {self.rule_id} {self.period} {self.start}"


class UnitCounter(Counted):
    """What everybody was given in a store or, at the unit of a programme, in all of it; there also what events of one
    `device` were given."""

    scope = Scope(units=("unit",))

    unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("org unit"), db_index=False)
    rule = models.ForeignKey(Rule, models.PROTECT, related_name="+", verbose_name=_("rule"), db_index=False)
    device = models.CharField(_("device"), max_length=80, blank=True, default="")

    class Meta:
        verbose_name = _("counter of a unit")
        verbose_name_plural = _("counters of units")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["rule", "unit", "device", "period", "start"], name="unitcounter_once")
        ]

    def __str__(self) -> str:
        return f"{self.device or self.unit_id} {self.rule_id} {self.period} {self.start}"


class Progress(ScopedModel):
    """What a rule has gathered of a member's events in one period; see `apps.rules.progress`."""

    scope = Scope(units=("member__home_unit",))
    personal = Personal.NONE

    member = models.ForeignKey(Member, models.CASCADE, related_name="+", verbose_name=_("member"), db_index=False)
    rule = models.ForeignKey(Rule, models.PROTECT, related_name="+", verbose_name=_("rule"), db_index=False)
    name = models.CharField(_("what is gathered"), max_length=20)
    start = models.DateField(_("first day"))
    value = models.DecimalField(_("sum"), max_digits=24, decimal_places=6, default=0)
    state = models.JSONField(_("values"), default=dict)

    class Meta:
        verbose_name = _("progress")
        verbose_name_plural = _("progress of members")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member", "start", "rule", "name"], name="progress_once")
        ]

    def __str__(self) -> str:
        return f"{self.member_id} {self.rule_id} {self.name} {self.start}"


class DayTold(ScopedModel):
    """A local day of a programme that its rules were told of, whole once it has `ended_at`: to how many members it was
    an event, and what they got."""

    scope = Scope(units=("program__unit",))

    program = models.ForeignKey(Program, models.CASCADE, related_name="+", verbose_name=_("programme"))
    day = models.DateField(_("day"))
    events = models.IntegerField(_("events"), default=0)
    points = models.BigIntegerField(_("points"), default=0)
    started_at = models.DateTimeField(_("started at"))
    found_at = models.DateTimeField(_("members found at"), null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)

    class Meta:
        verbose_name = _("day told")
        verbose_name_plural = _("days told")
        constraints: ClassVar = [models.UniqueConstraint(fields=["program", "day"], name="daytold_once")]

    def __str__(self) -> str:
        return f"{self.program_id} {self.day}"


class DayWaiting(ScopedModel):
    """A member for whom a day is an event, until it is told."""

    scope = Scope(units=("member__home_unit",))
    personal = Personal.NONE

    told = models.ForeignKey(DayTold, models.CASCADE, related_name="+", verbose_name=_("day"), db_index=False)
    member = models.ForeignKey(Member, models.CASCADE, related_name="+", verbose_name=_("member"), db_index=False)

    class Meta:
        verbose_name = _("member waiting for a day")
        verbose_name_plural = _("members waiting for a day")
        constraints: ClassVar = [models.UniqueConstraint(fields=["told", "member"], name="daywaiting_once")]

    def __str__(self) -> str:
        return f"{self.told_id} {self.member_id}"


class FriendWaiting(ScopedModel):
    """Something a member did of which whoever brought them is to hear, until it is told."""

    scope = Scope(units=("referrer__home_unit",))
    personal = Personal.NONE

    event = models.OneToOneField(Event, models.CASCADE, primary_key=True, related_name="+", verbose_name=_("event"))
    referrer = models.ForeignKey(Member, models.CASCADE, related_name="+", verbose_name=_("member"), db_index=False)

    class Meta:
        verbose_name = _("friend's act waiting")
        verbose_name_plural = _("friends' acts waiting")

    def __str__(self) -> str:
        return str(self.event_id)


class HeldEvent(AppendOnlyModel):
    """An event whose points wait for a person: under the first rule that holds it, for the reason this gives. Open until
    there is a decision."""

    scope = Scope(units=("event__org_unit",))
    personal = Personal.NONE

    event = models.OneToOneField(
        Event, models.PROTECT, primary_key=True, related_name="held_event", verbose_name=_("event")
    )
    member = models.ForeignKey(Member, models.PROTECT, related_name="+", verbose_name=_("member"), db_index=False)
    rule = models.ForeignKey(Rule, models.PROTECT, related_name="+", verbose_name=_("rule"), db_index=False)
    rule_version_id = models.BigIntegerField(_("rule version"))
    reason = models.CharField(_("reason"), max_length=200)

    class Meta:
        verbose_name = _("event held for review")
        verbose_name_plural = _("events held for review")
        permissions: ClassVar = [("decide_heldevent", "Can decide on points held for review")]

    def __str__(self) -> str:
        return f"{self.event_id}: {self.reason}"


class HeldDecision(AppendOnlyModel):
    """What somebody decided on an event held for review, once and for all."""

    class Verdict(models.TextChoices):
        RELEASED = "released", pgettext_lazy("after a review", "Released")
        REFUSED = "refused", pgettext_lazy("after a review", "Refused")

    scope = Scope(units=("held_event__event__org_unit",))
    personal = Personal.WORDS

    held_event = models.OneToOneField(
        HeldEvent, models.PROTECT, primary_key=True, related_name="decision", verbose_name=_("event held for review")
    )
    verdict = models.CharField(_("decision"), max_length=8, choices=Verdict.choices)
    points = models.BigIntegerField(_("points"))
    """What was still pending, and so was released or taken back."""
    reason = models.CharField(_("reason"), max_length=500)
    decided_by = models.ForeignKey(
        "orgs.Staff", models.PROTECT, null=True, related_name="+", verbose_name=_("decided by"), db_index=False
    )
    decided_at = models.DateTimeField(_("decided at"))

    class Meta:
        verbose_name = _("decision on a held event")
        verbose_name_plural = _("decisions on held events")

    def __str__(self) -> str:
        return f"{self.held_event_id}: {self.verdict}"
