"""Members and what names them. Personal data is held encrypted, found through keyed hashes and shown masked.

Who changed a member and who looked at personal data is kept in tables that only grow.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from apps.core.scope import AppendOnlyModel, Scope, ScopedModel
from apps.members.personal import Personal
from apps.orgs.models import ApiClient, OrgUnit, Staff


class Member(ScopedModel):
    """A customer enrolled in the group; belongs to the unit that enrolled them.

    The date of birth is encrypted like the name. Beside it stand in plain the two numbers that conditions ask about:
    `birth_day` (month × 100 + day) and `birth_year`. A rule or a segment about birthdays must find its members among a
    million, and a cipher text cannot be searched. They are shown nowhere.
    """

    class State(models.TextChoices):
        ACTIVE = "active", pgettext_lazy("member", "Active")
        CLOSED = "closed", _("Closed")

    scope = Scope(units=("home_unit",))
    personal = Personal.ENCRYPTED
    is_large = True

    home_unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="members", verbose_name=_("home unit"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.ACTIVE)
    joined_on = models.DateField(_("joined on"))
    name_cipher = models.BinaryField(null=True, editable=False)
    masked_name = models.CharField(pgettext_lazy("of a person", "name"), max_length=120, blank=True)
    birth_on_cipher = models.BinaryField(null=True, editable=False)
    birth_day = models.SmallIntegerField(null=True, editable=False)
    birth_year = models.SmallIntegerField(null=True, editable=False)
    attributes = models.JSONField(_("attributes"), default=dict, blank=True)
    brought_by = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="friends", verbose_name=_("recommended by"), db_index=False
    )
    """Whose recommendation brought them; rules may give that member points for what they do."""
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        permissions: ClassVar = [("reveal_member", "Can look at personal data in clear")]
        constraints: ClassVar = [
            models.CheckConstraint(name="member_not_own_referrer", condition=~Q(brought_by=models.F("id"))),
            models.CheckConstraint(name="member_birth_day_of_a_month", condition=Q(birth_day__range=(101, 1231))),
        ]
        indexes: ClassVar = [
            # The member list of a region: its units' members, newest first.
            models.Index(fields=["home_unit", "-id"], name="member_home_newest"),
            # Filters of the member list: who joined lately, who left.
            models.Index(fields=["joined_on"], name="member_joined"),
            models.Index(fields=["-id"], name="member_closed", condition=Q(state="closed")),
            # Whom a member recommended the group to.
            models.Index(fields=["brought_by"], name="member_friends", condition=Q(brought_by__isnull=False)),
        ]

    def __str__(self) -> str:
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
    masked = models.CharField(_("value"), max_length=80)
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
        ]

    def __str__(self) -> str:
        return self.masked


class MemberTag(ScopedModel):
    """A tag that a rule gave a member: it holds from `from_on` until before `until_on`, local days; without end where
    that is empty. One that was taken back has no day left."""

    scope = Scope(units=("member__home_unit",))
    personal = Personal.NONE

    member = models.ForeignKey(Member, models.CASCADE, related_name="tags", verbose_name=_("member"), db_index=False)
    tag = models.CharField(_("tag"), max_length=60)
    from_on = models.DateField(_("from"))
    until_on = models.DateField(_("until before"), null=True)
    rule_id = models.BigIntegerField(_("rule"))
    event_id = models.BigIntegerField(_("event"))
    """The event at which it was given. Rules and events live above this room."""

    class Meta:
        verbose_name = _("tag of a member")
        verbose_name_plural = _("tags of members")
        constraints: ClassVar = [
            # Also how the tags of a member are found.
            models.UniqueConstraint(fields=["member", "tag", "rule_id", "from_on", "event_id"], name="membertag_once"),
            models.CheckConstraint(
                name="membertag_period", condition=Q(until_on__isnull=True) | Q(until_on__gte=models.F("from_on"))
            ),
        ]
        indexes: ClassVar = [
            # What a refund takes back.
            models.Index(fields=["event_id"], name="membertag_of_event"),
        ]

    def __str__(self) -> str:
        return self.tag


class Authored(models.Model):
    """A row that says who did it: a person, an API client, or neither for the studio itself."""

    actor = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+", verbose_name=_("person"))
    client = models.ForeignKey(ApiClient, models.PROTECT, null=True, related_name="+", verbose_name=_("API client"))

    class Meta:
        abstract = True

    @property
    def author(self) -> str:
        if self.actor is not None:
            return self.actor.get_full_name() or self.actor.get_username()
        return str(self.client) if self.client is not None else gettext("The studio")


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
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at}"
