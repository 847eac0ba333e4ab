"""Members and what names them. Personal data is held encrypted, found through keyed hashes and shown masked.

Who changed a member and who looked at personal data is kept in tables that only grow.
"""

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import get_language, gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.conditions.words import Words
from apps.core.scope import AppendOnlyModel, Scope, ScopedModel
from apps.members.authored import Authored
from apps.members.choices import Choice, either
from apps.members.importing.models import CELLS, ImportMapping, MemberChunk, MemberImport, MemberRow, RowIdentifier
from apps.members.merging.models import DuplicatePair, DuplicateSearch, MatchingOrder, Merge
from apps.members.personal import Personal
from apps.members.privacy.models import (
    BlockedIdentifier,
    Consent,
    ConsentPurpose,
    ConsentWording,
    Erasure,
    ErasureLine,
)
from apps.members.quality.models import QualityDay, QualityFigure, QualityGate, QualityRule
from apps.orgs.models import OrgUnit

__all__ = [
    "CELLS", "AttributeDefinition", "Authored", "BlockedIdentifier", "Consent", "ConsentPurpose", "ConsentWording", "DuplicatePair", "DuplicateSearch", "Erasure", "ErasureLine",
    "Identifier", "ImportMapping", "Look", "MatchingOrder", "Member", "MemberChange", "MemberChunk", "MemberImport",
    "MemberRow", "MemberTag", "Merge", "QualityDay", "QualityFigure", "QualityGate", "QualityRule", "RowIdentifier",
]  # fmt: skip

LONGEST_KEY, LONGEST_TEXT = 60, 500
"""Characters of an attribute's key, and of a text."""


class Member(ScopedModel):
    """A customer enrolled in the group; belongs to the unit that enrolled them.

    The date of birth is encrypted like the name. Beside it stand in plain the two numbers that conditions ask about:
    `birth_day` (month × 100 + day) and `birth_year`. A rule or a segment about birthdays must find its members among a
    million, and a cipher text cannot be searched. They are shown nowhere.
    """

    class State(models.TextChoices):
        ACTIVE = "active", pgettext_lazy("member", "Active")
        CLOSED = "closed", _("Closed")
        REMOVED = "removed", _("Removed")
        """Nothing of the person is left; the row stays for the ledger's sake."""
        MERGED = "merged", _("Merged")
        """Another member is the same person: `merged_into`. What named this one names that one."""

    scope = Scope(units=("home_unit",))
    personal = Personal.ENCRYPTED
    is_large = True

    home_unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="members", verbose_name=_("home unit"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.ACTIVE)
    joined_on = models.DateField(_("joined on"))
    name_cipher = models.BinaryField(null=True, editable=False)
    masked_name = models.CharField(pgettext_lazy("of a person", "name"), max_length=120, blank=True)
    name_grams = ArrayField(models.IntegerField(), null=True, editable=False)
    """Keyed hashes of the parts of the name, by which it is found; see `names`."""
    birth_on_cipher = models.BinaryField(null=True, editable=False)
    birth_day = models.SmallIntegerField(null=True, editable=False)
    birth_year = models.SmallIntegerField(null=True, editable=False)
    attributes = models.JSONField(_("attributes"), default=dict, blank=True)
    brought_by = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="friends", verbose_name=_("recommended by"), db_index=False
    )
    """Whose recommendation brought them; rules may give that member points for what they do."""
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="absorbed", verbose_name=_("merged into"), db_index=False
    )
    """The member that answers for this one, who is merged into nobody."""
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        permissions: ClassVar = [
            ("reveal_member", "Can look at personal data in clear"),
            ("hand_out_member", "Can hand out to a member what is held of them"),
            ("erase_member", "Can erase a member"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(name="member_not_own_referrer", condition=~Q(brought_by=models.F("id"))),
            models.CheckConstraint(name="member_birth_day_of_a_month", condition=Q(birth_day__range=(101, 1231))),
            models.CheckConstraint(
                name="member_merged_into_another",
                condition=(Q(merged_into__isnull=True) & ~Q(state="merged"))
                | (Q(state__in=["merged", "removed"]) & ~Q(merged_into=models.F("id"))),
            ),
        ]
        indexes: ClassVar = [
            # The member list of a region: its units' members, newest first; also by a part of the name that many share.
            models.Index(fields=["home_unit", "-id"], include=["name_grams"], name="member_home_newest"),
            # Whoever looks for a member by a part of the name.
            GinIndex(fields=["name_grams"], name="member_name_grams"),
            # Filters of the member list: who joined lately, who left.
            models.Index(fields=["joined_on"], name="member_joined"),
            models.Index(fields=["-id"], name="member_closed", condition=Q(state="closed")),
            # Whom a member recommended the group to.
            models.Index(fields=["brought_by"], name="member_friends", condition=Q(brought_by__isnull=False)),
            # Who became part of a member.
            models.Index(fields=["merged_into"], name="member_absorbed", condition=Q(merged_into__isnull=False)),
        ]

    def __str__(self) -> str:
        if self.state == self.State.REMOVED:
            return gettext("Erased member #%(number)s") % {"number": self.pk}
        return self.masked_name or f"#{self.pk}"


class Identifier(ScopedModel):
    """What names a member in some system. One value of a kind names one member of the group."""

    class Kind(models.TextChoices):
        CARD = "card", _("Card")
        PHONE = "phone", _("Phone")
        EMAIL = "email", _("E-mail")
        EXTERNAL = "external", _("External number")

    scope = Scope(units=("member__home_unit",))
    personal = Personal.ENCRYPTED

    member = models.ForeignKey(Member, models.CASCADE, related_name="identifiers", verbose_name=_("member"))
    kind = models.CharField(_("kind"), max_length=40)
    value_cipher = models.BinaryField(editable=False)
    value_hash = models.BinaryField(max_length=16, editable=False)
    tail_hash = models.BinaryField(max_length=8, editable=False)
    alike_hash = models.BinaryField(max_length=16, null=True, editable=False)
    """Of the value whatever its kind; empty until the search for duplicates has read it."""
    masked = models.CharField(_("value"), max_length=80)
    source = models.CharField(_("source"), max_length=60, blank=True, db_default="")
    """The system that told of it; empty where a person or an API client did."""
    verified_at = models.DateTimeField(_("verified at"), null=True)
    """Since when it is known to be theirs, by a code that was sent or a card that was shown."""
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("identifier")
        verbose_name_plural = _("identifiers")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "value_hash"], name="identifier_names_one_member"),
            models.CheckConstraint(name="identifier_kind_named", condition=~Q(kind="")),
        ]
        indexes: ClassVar = [
            # Customer service finds a member by the last four characters.
            models.Index(fields=["tail_hash"], name="identifier_tail"),
            # The search for duplicates: the same value under several kinds.
            models.Index(fields=["alike_hash"], name="identifier_alike", condition=Q(alike_hash__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.masked


class MemberTag(ScopedModel):
    """A tag of a member: it holds from `from_on` until before `until_on`, local days; without end where that is empty.
    One that was taken back has no day left. A rule gave it at an event, its definition does by a
    condition, or somebody gave it by hand: then it names none of them."""

    scope = Scope(units=("member__home_unit",))
    personal = Personal.NONE

    member = models.ForeignKey(Member, models.CASCADE, related_name="tags", verbose_name=_("member"), db_index=False)
    tag = models.CharField(_("tag"), max_length=60)
    from_on = models.DateField(_("from"))
    until_on = models.DateField(_("until before"), null=True)
    rule_id = models.BigIntegerField(_("rule"), null=True)
    event_id = models.BigIntegerField(_("event"), null=True)
    """The event at which it was given. Rules, events and definitions of tags live above this room."""
    definition_id = models.BigIntegerField(_("definition"), null=True)
    """The tag whose condition holds for the member."""

    class Meta:
        verbose_name = _("tag of a member")
        verbose_name_plural = _("tags of members")
        constraints: ClassVar = [
            # Also how the tags of a member are found.
            models.UniqueConstraint(
                fields=["member", "tag", "rule_id", "from_on", "event_id", "definition_id"],
                name="membertag_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="membertag_period", condition=Q(until_on__isnull=True) | Q(until_on__gte=models.F("from_on"))
            ),
        ]
        indexes: ClassVar = [
            # What a refund takes back.
            models.Index(fields=["event_id"], name="membertag_of_event"),
            # A refresh of a tag reads who holds it.
            models.Index(
                fields=["definition_id", "until_on", "member"],
                name="membertag_of_definition",
                condition=Q(definition_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.tag

    @property
    def is_by_hand(self) -> bool:
        return self.rule_id is None and self.event_id is None and self.definition_id is None


class MemberChange(Authored, AppendOnlyModel):
    """One verb done to a member. `changes` lists the fields that differ (`changes.FieldChange`), masked."""

    class Kind(models.TextChoices):
        CREATED = "+", _("Created")
        CHANGED = "~", _("Changed")

    scope = Scope(units=("member__home_unit",))
    personal = Personal.MASKED

    member = models.ForeignKey(Member, models.PROTECT, related_name="history", verbose_name=_("member"))
    kind = models.CharField(_("kind"), max_length=1, choices=Kind.choices)
    changes = models.JSONField(_("changes"), default=list)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("change of a member")
        verbose_name_plural = _("changes of members")

    def __str__(self) -> str:
        return f"{self.member_id} {self.at}"


class Look(Authored, AppendOnlyModel):
    """Somebody looked: at personal data in clear, for a member by identifier, or at a list as a file.

    Written in the transaction that lets them, before anything leaves. `unit` is where it counts: the member's home,
    or where the person who looked belongs when there is no one member. When it was is the database's to say.
    """

    class Kind(models.TextChoices):
        REVEAL = "reveal", _("Personal data shown")
        SEARCH = "search", _("Search by identifier")
        EXPORT = "export", _("Export of members")

    scope = Scope(units=("unit",))
    personal = Personal.WORDS
    is_large = True

    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("org unit"))
    member = models.ForeignKey(Member, models.PROTECT, null=True, related_name="looks", verbose_name=_("member"))
    what = models.CharField(_("what"), max_length=200, blank=True)
    found = models.IntegerField(_("members found"), null=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    at = models.DateTimeField(_("when"), db_default=Now())
    until = models.DateTimeField(_("until"), null=True)

    class Meta:
        verbose_name = _("look at members")
        verbose_name_plural = _("looks at members")
        constraints: ClassVar = [
            models.CheckConstraint(
                name="look_reveal_is_whole", condition=~Q(kind="reveal") | (Q(member__isnull=False) & ~Q(reason=""))
            ),
        ]
        indexes: ClassVar = [
            # Each opening of a member's page asks whether its reader may see it in clear just now.
            models.Index(fields=["actor", "member", "until"], name="look_open", condition=Q(kind="reveal")),
            # Each search asks how many there were of late.
            models.Index(fields=["actor", "client", "at"], name="look_searches", condition=Q(kind="search")),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"


class AttributeDefinition(ScopedModel):
    """What an attribute of members is: its type, its labels, what is allowed. The members of `unit`, group or company, have
    it; on one way up the tree a key means one thing.

    Values stand in `Member.attributes` under `key`, which therefore stays. Rules read them without their definition, so
    that a rule which runs goes on when its attribute is retired.
    """

    class Type(models.TextChoices):
        TEXT = "text", _("Text")
        INTEGER = "integer", _("Whole number")
        DECIMAL = "decimal", _("Number with decimals")
        DATE = "date", _("Date")
        BOOLEAN = "boolean", _("Yes or no")
        CHOICE = "choice", _("One of a list")
        CHOICES = "choices", _("Several of a list")

    NUMBERS = (Type.INTEGER, Type.DECIMAL)
    LISTS = (Type.CHOICE, Type.CHOICES)

    scope = Scope(units=("unit",), governs=True)

    unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("for the members of"))
    key = models.SlugField(
        _("key"), max_length=LONGEST_KEY,
        help_text=_("Letters a to z, figures, “-” and “_”. Rules, files and the API name the attribute by it; it stays."),
    )  # fmt: skip
    label = models.CharField(_("label in English"), max_length=80, blank=True)
    label_zh = models.CharField(_("label in Chinese"), max_length=80, blank=True)
    description = models.CharField(
        _("description"), max_length=300, blank=True, help_text=_("Stands below the field, for whoever fills it in.")
    )
    type = models.CharField(_("type"), max_length=10, choices=Type.choices, default=Type.TEXT)
    choices = models.JSONField(_("choices"), default=list, blank=True)
    least = models.DecimalField(_("smallest number"), max_digits=27, decimal_places=12, null=True, blank=True)
    most = models.DecimalField(_("largest number"), max_digits=27, decimal_places=12, null=True, blank=True)
    longest = models.PositiveSmallIntegerField(_("characters at most"), null=True, blank=True)
    is_required = models.BooleanField(
        _("asked of new members"), default=False,
        help_text=_("Nobody is enrolled by hand without it. Members who have none keep having none."),
    )  # fmt: skip
    in_list = models.BooleanField(
        _("column of the member list"),
        default=False,
        help_text=_("The list shows the first five; files of members have all attributes."),
    )
    is_active = models.BooleanField(
        _("in use"), default=True,
        help_text=_("What is no longer in use is offered nowhere; values that are known stay and can be read."),
    )  # fmt: skip
    position = models.PositiveSmallIntegerField(_("position"), default=0, help_text=_("Low numbers stand first."))

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("member attribute")
        verbose_name_plural = _("member attributes")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["unit", "key"], name="attribute_key_once"),
            models.CheckConstraint(name="attribute_labelled", condition=~Q(label="") | ~Q(label_zh="")),
            models.CheckConstraint(
                name="attribute_limits_in_order",
                condition=Q(least__isnull=True) | Q(most__isnull=True) | Q(least__lte=models.F("most")),
            ),
            models.CheckConstraint(
                name="attribute_longest_a_text", condition=Q(longest__isnull=True) | Q(longest__range=(1, LONGEST_TEXT))
            ),
        ]

    def __str__(self) -> str:
        return self.words.in_language(get_language() or "en")

    @property
    def words(self) -> Words:
        """The label, in both languages."""
        return either(self.label, self.label_zh)

    @property
    def options(self) -> tuple[Choice, ...]:
        """What it may be chosen from; nothing where it is no list."""
        listed: list[dict[str, Any]] = self.choices if self.type in self.LISTS else []
        return tuple(Choice.model_construct(**each) for each in listed)

    def validate_constraints(self, exclude: Any = None) -> None:
        """Left to the service: it says in words, at its field, what a form would say by the constraint's name."""
