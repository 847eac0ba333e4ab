"""Tags and segments: what they mean, who holds them, how fresh they are. Who holds a tag stands in `members.MemberTag`."""

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.conditions.words import Words
from apps.core.scope import AppendOnlyModel, Scope, ScopedModel
from apps.members.choices import either
from apps.members.models import Member
from apps.members.personal import Personal
from apps.orgs.models import Program, Staff

LONGEST_KEY = 60
DEEPEST = 3
"""Levels of the tree of tags."""
KEPT_AT_MOST = 3_650
BY_HAND = Q(rule_id=None, event_id=None, definition_id=None)
"""Of `members.MemberTag`: what somebody gave by hand."""


class Failure(models.TextChoices):
    """Why a refresh came to nothing."""

    CONDITION = "condition", _("Its condition can no longer be read: something that it asks about is gone.")
    TIME = "time", _("It took too long and was given up.")
    DATABASE = "database", _("The database refused it.")


class Figures(models.Model):
    """What the last refresh left: written by the refresh alone."""

    size = models.IntegerField(_("members"), null=True, editable=False)
    previous_size = models.IntegerField(_("members before"), null=True, editable=False)
    refreshed_at = models.DateTimeField(_("refreshed at"), null=True, editable=False)
    took_ms = models.IntegerField(_("took (ms)"), null=True, editable=False)
    last_error = models.CharField(
        _("last error"), max_length=12, choices=Failure.choices, blank=True, default="", editable=False
    )

    class Meta:
        abstract = True

    @property
    def drift_pct(self) -> float | None:
        """How far the size moved with the last refresh; None where there is nothing to hold it against."""
        if self.size is None or not self.previous_size:
            return None
        return 100 * (self.size - self.previous_size) / self.previous_size


FIGURES = ("size", "previous_size", "refreshed_at", "took_ms", "last_error")


class Labelled(models.Model):
    """A key that programs and conditions name, and what people read."""

    key = models.SlugField(
        _("key"), max_length=LONGEST_KEY,
        help_text=_("Letters a to z, figures, “-” and “_”. Conditions name it by its key; it stays."),
    )  # fmt: skip
    label = models.CharField(_("label in English"), max_length=80, blank=True)
    label_zh = models.CharField(_("label in Chinese"), max_length=80, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.words.in_language(get_language() or "en")

    @property
    def words(self) -> Words:
        """The label, in both languages."""
        return either(self.label, self.label_zh)

    def validate_constraints(self, exclude: object = None) -> None:
        """Left to the service: it says in words, at its field, what a form would say by the constraint's name."""


class Tag(Labelled, Figures, ScopedModel):
    """What a tag means, for the members at home in its programme's unit. Tags stand in a tree of up to three levels; those
    with nothing below them are what members hold.

    A condition gives it, or the scores of a programme (`rfm_group`); else rules do, which name it by its key, and people by hand.
    """

    class Kind(models.TextChoices):
        ATTRIBUTE = "attribute", pgettext_lazy("of a tag", "Attribute")
        BEHAVIOUR = "behaviour", pgettext_lazy("of a tag", "Behaviour")
        VALUE = "value", pgettext_lazy("of a tag", "Value")

    class Refresh(models.TextChoices):
        AT_ONCE = "at_once", _("At once after the member’s events, and each day")
        HOURLY = "hourly", _("Each hour")
        DAILY = "daily", _("Each day")
        WEEKLY = "weekly", _("Each week")
        BY_HAND = "by_hand", _("By hand")

    scope = Scope(units=("program__unit",), governs=True)

    program = models.ForeignKey(Program, models.PROTECT, related_name="tags", verbose_name=_("programme"))
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("below")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.BEHAVIOUR)
    definition = models.CharField(_("what it means"), max_length=300, blank=True)
    purpose = models.CharField(_("purpose"), max_length=300, blank=True)
    owner = models.ForeignKey(
        Staff, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("who answers for it")
    )
    refresh = models.CharField(_("refreshed"), max_length=10, choices=Refresh.choices, default=Refresh.DAILY)
    kept_days = models.PositiveSmallIntegerField(
        _("days kept"), default=0,
        help_text=_("How many days a member keeps the tag after its condition no longer holds."),
    )  # fmt: skip
    condition = models.JSONField(_("condition"), null=True, blank=True)
    """A tree over members; None where rules or people give the tag, or scores."""
    is_exclusive = models.BooleanField(
        _("one at most"), default=False,
        help_text=_("A member holds at most one of the tags below: the first, by position, whose condition holds."),
    )  # fmt: skip
    rfm_group = models.CharField(_("RFM group"), max_length=20, blank=True, default="", editable=False)
    position = models.PositiveSmallIntegerField(_("position"), default=0, help_text=_("Low numbers stand first."))
    place = models.CharField(max_length=60, editable=False)
    """Sorts the tree: the place of its parent, then its own position."""
    depth = models.PositiveSmallIntegerField(default=1, editable=False)

    history = HistoricalRecords(excluded_fields=[*FIGURES, "place"])

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "key"], name="tag_key_once"),
            models.CheckConstraint(name="tag_labelled", condition=~Q(label="") | ~Q(label_zh="")),
            models.CheckConstraint(name="tag_depth", condition=Q(depth__range=(1, DEEPEST))),
            models.CheckConstraint(name="tag_given_one_way", condition=Q(condition__isnull=True) | Q(rfm_group="")),
        ]
        indexes: ClassVar = [
            # The list: the tree in order.
            models.Index(fields=["program", "place"], name="tag_tree"),
        ]

    @property
    def is_automatic(self) -> bool:
        """Whether a refresh gives it; else rules and people do."""
        return self.condition is not None or bool(self.rfm_group)


class Refreshed(ScopedModel):
    """One refresh of all members: what it came to."""

    at = models.DateTimeField(_("when"))
    size = models.IntegerField(_("members"), null=True)
    entered = models.IntegerField(_("entered"), default=0)
    left = models.IntegerField(pgettext_lazy("of members", "left"), default=0)
    took_ms = models.IntegerField(_("took (ms)"), default=0)
    error = models.CharField(_("error"), max_length=12, choices=Failure.choices, blank=True, default="")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.at}"


class TagRefresh(Refreshed):
    scope = Scope(units=("tag__program__unit",), governs=True)

    tag = models.ForeignKey(Tag, models.CASCADE, related_name="refreshes", verbose_name=_("tag"), db_index=False)

    class Meta:
        verbose_name = _("refresh of a tag")
        verbose_name_plural = _("refreshes of tags")
        indexes: ClassVar = [models.Index(fields=["tag", "-id"], name="tagrefresh_latest")]


class Segment(Labelled, Figures, ScopedModel):
    """A saved condition over the members at home in its programme's unit. Where track is kept, who is in it stands in
    `SegmentMember`, and every move in `SegmentMove`."""

    scope = Scope(units=("program__unit",), governs=True)

    program = models.ForeignKey(Program, models.PROTECT, related_name="segments", verbose_name=_("programme"))
    description = models.CharField(_("description"), max_length=300, blank=True)
    condition = models.JSONField(_("condition"))
    keeps_track = models.BooleanField(
        _("keep track"), default=False,
        help_text=_("Who is in it is kept and brought up to date each day; who enters and who leaves is put on record."),
    )  # fmt: skip

    history = HistoricalRecords(excluded_fields=[*FIGURES])

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "key"], name="segment_key_once"),
            models.CheckConstraint(name="segment_labelled", condition=~Q(label="") | ~Q(label_zh="")),
        ]


class SegmentMember(ScopedModel):
    """A member who is in a segment of which track is kept."""

    scope = Scope(units=("member__home_unit",))
    personal = Personal.NONE

    segment = models.ForeignKey(
        Segment, models.CASCADE, related_name="members", verbose_name=_("segment"), db_index=False
    )
    member = models.ForeignKey(Member, models.CASCADE, related_name="segments", verbose_name=_("member"))
    since_on = models.DateField(_("since"))

    class Meta:
        verbose_name = _("member of a segment")
        verbose_name_plural = _("members of segments")
        constraints: ClassVar = [models.UniqueConstraint(fields=["segment", "member"], name="segmentmember_once")]

    def __str__(self) -> str:
        return f"{self.segment_id}: {self.member_id}"


class SegmentMove(AppendOnlyModel):
    """A member entered a segment of which track is kept, or left it."""

    class Kind(models.TextChoices):
        ENTERED = "entered", _("Entered")
        LEFT = "left", pgettext_lazy("of a segment", "Left")

    scope = Scope(units=("member__home_unit",))
    personal = Personal.NONE
    is_large = True

    segment = models.ForeignKey(
        Segment, models.PROTECT, related_name="moves", verbose_name=_("segment"), db_index=False
    )
    member = models.ForeignKey(Member, models.PROTECT, related_name="+", verbose_name=_("member"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    day = models.DateField(_("day"))
    at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("move into or out of a segment")
        verbose_name_plural = _("moves into and out of segments")
        indexes: ClassVar = [
            # The segment's page: how many a day.
            models.Index(fields=["segment", "day", "kind"], name="segmentmove_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.segment_id}: {self.member_id} {self.kind}"


class RfmScheme(Figures, ScopedModel):
    """How the members of a programme are scored by recency, frequency and money."""

    scope = Scope(units=("program__unit",), governs=True)

    program = models.OneToOneField(Program, models.PROTECT, related_name="rfm", verbose_name=_("programme"))
    window_days = models.PositiveSmallIntegerField(
        _("days looked at"), default=365, help_text=_("Who ordered nothing in that time has no score.")
    )

    history = HistoricalRecords(excluded_fields=[*FIGURES])

    class Meta:
        verbose_name = _("RFM scheme")
        verbose_name_plural = _("RFM schemes")
        constraints: ClassVar = [
            models.CheckConstraint(name="rfm_window", condition=Q(window_days__range=(30, KEPT_AT_MOST)))
        ]

    def __str__(self) -> str:
        return str(self.program_id)


class RfmScore(ScopedModel):
    """A member's scores, 1 to 5, five the best; see `services.scoring`."""

    scope = Scope(units=("member__home_unit",))
    personal = Personal.NONE
    is_large = True

    scheme = models.ForeignKey(
        RfmScheme, models.CASCADE, related_name="scores", verbose_name=_("RFM scheme"), db_index=False
    )
    member = models.ForeignKey(Member, models.CASCADE, related_name="+", verbose_name=_("member"))
    recency = models.PositiveSmallIntegerField(_("recency"))
    frequency = models.PositiveSmallIntegerField(_("frequency"))
    money = models.PositiveSmallIntegerField(_("money"))
    worth = models.PositiveSmallIntegerField(_("frequency and money"))
    """Half of frequency and money together, rounded up."""
    group = models.CharField(_("group"), max_length=20)

    class Meta:
        verbose_name = _("RFM score")
        verbose_name_plural = _("RFM scores")
        constraints: ClassVar = [models.UniqueConstraint(fields=["scheme", "member"], name="rfmscore_once")]
        indexes: ClassVar = [
            # The heat map, and the members of one of its cells.
            models.Index(fields=["scheme", "recency", "worth", "member"], name="rfmscore_cell"),
            # The members of a group, when its tag is refreshed.
            models.Index(fields=["scheme", "group", "member"], name="rfmscore_group"),
        ]

    def __str__(self) -> str:
        return f"{self.member_id}: {self.recency}{self.frequency}{self.money}"


ALLOWED: dict[str, timedelta] = {
    Tag.Refresh.AT_ONCE: timedelta(hours=26), Tag.Refresh.HOURLY: timedelta(hours=2), Tag.Refresh.DAILY: timedelta(hours=26),
    Tag.Refresh.WEEKLY: timedelta(days=7, hours=2),
}  # fmt: skip
"""How old a tag may be by how often it is refreshed; by hand, however old."""
