"""The group's tree, its programmes, the people who work in it and what they may do where.

A role on a unit is a django-guardian object permission on that `OrgUnit` (`role_<code>`); the group of the same
role holds Django's model permissions. Both must hold, and only the units count where the role is held.
"""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, Group, UserManager
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from simple_history.models import HistoricalRecords
from treebeard.mp_tree import MP_Node, MP_NodeManager, MP_NodeQuerySet

from apps.core.scope import STEP, AppendOnlyModel, Scope, ScopedModel, ScopedQuerySet


class Persona(models.TextChoices):
    """The jobs of architecture.md, section 7; each is a role that can be held on a unit."""

    MARKETING = "marketing", _("Marketing")
    FINANCE = "finance", _("Finance")
    REGIONAL_MANAGER = "regional_manager", _("Regional manager")
    VICE_PRESIDENT = "vice_president", _("Vice president")
    MARKETING_HEAD = "marketing_head", _("Head of marketing")
    SERVICE = "service", _("Customer service")
    SHOP = "shop", _("Shop staff")
    AUDITOR = "auditor", _("Auditor")
    INTEGRATOR = "integrator", _("Integrator")
    ADMINISTRATOR = "administrator", _("Administrator")


class OrgUnitQuerySet(MP_NodeQuerySet, ScopedQuerySet):
    """Units in tree order."""

    def within(self, path: str) -> "OrgUnitQuerySet":
        """The unit at `path` and everything below it."""
        return self.filter(path__startswith=path)


class OrgUnitManager(MP_NodeManager.from_queryset(OrgUnitQuerySet)):  # type: ignore[misc]
    def get_queryset(self) -> OrgUnitQuerySet:
        return OrgUnitQuerySet(self.model, using=self._db).order_by("path")


class OrgUnit(MP_Node):
    """A node of the group's tree: group, company, region or store."""

    class Kind(models.TextChoices):
        GROUP = "group", _("Group")
        COMPANY = "company", _("Company")
        REGION = "region", _("Region")
        STORE = "store", _("Store")

    scope = Scope(units=("self",))
    steplen = STEP

    code = models.CharField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    is_active = models.BooleanField(_("active"), default=True)
    opened_on = models.DateField(_("opened on"), null=True, blank=True)

    objects = OrgUnitManager()
    history = HistoricalRecords(excluded_fields=["numchild"])

    class Meta:
        verbose_name = _("org unit")
        verbose_name_plural = _("org units")
        permissions: ClassVar = [(f"role_{code}", f"Works here as {code}") for code in Persona.values]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="orgunit_only_group_is_root",
                condition=Q(kind="group", depth=1) | (~Q(kind="group") & Q(depth__gt=1)),
            )
        ]

    def __str__(self) -> str:
        return self.name


class Program(ScopedModel):
    """One loyalty scheme of a company or the group: currency, time zone, special days, what refunds may do."""

    scope = Scope(units=("unit",), governs=True)

    unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="programs", verbose_name=_("org unit"))
    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=120)
    currency = models.CharField(_("currency"), max_length=3, default="CNY", help_text=_("ISO 4217, for example CNY"))
    time_zone = models.CharField(_("time zone"), max_length=40, default="Asia/Shanghai")
    allows_debt = models.BooleanField(
        _("allows debt"),
        default=True,
        help_text=_("A refund of points already spent makes the balance negative; otherwise the refund is refused."),
    )
    grace_days = models.PositiveSmallIntegerField(
        _("grace days"),
        default=30,
        help_text=_("How long points last that come back from a cancelled redemption after they had expired."),
    )
    reviews_rules = models.BooleanField(
        _("rules are reviewed"),
        default=False,
        help_text=_("A rule goes live only when somebody approves it who neither wrote it nor sent it to review."),
    )

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("programme")
        verbose_name_plural = _("programmes")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["unit"], name="program_one_per_unit"),
            models.CheckConstraint(name="program_currency_iso", condition=Q(currency__regex="^[A-Z]{3}$")),
        ]

    def __str__(self) -> str:
        return self.name

    def validate_constraints(self, exclude: Any = None) -> None:
        """Left to the service: it says in words, at its field, what a form would say by the constraint's name."""


class SpecialDay(ScopedModel):
    """A day of a programme's calendar that rules can name: a festival, a member day. `days` says which (`calendar`)."""

    scope = Scope(units=("program__unit",), governs=True)

    program = models.ForeignKey(Program, models.PROTECT, related_name="special_days", verbose_name=_("programme"))
    code = models.SlugField(_("code"), max_length=40, help_text=_("Rules name the day by it; it stays."))
    name = models.CharField(_("name"), max_length=80)
    days = models.JSONField(_("days"))

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("special day")
        verbose_name_plural = _("special days")
        constraints: ClassVar = [models.UniqueConstraint(fields=["program", "code"], name="specialday_code_once")]

    def __str__(self) -> str:
        return self.name


class WorkingTime(ScopedModel):
    """When the people of a unit, and of those below it that have none of their own, work: deadlines count these hours.
    `hours` says which (`working_time`)."""

    scope = Scope(units=("unit",), governs=True)

    unit = models.OneToOneField(OrgUnit, models.PROTECT, related_name="working_time", verbose_name=_("org unit"))
    time_zone = models.CharField(_("time zone"), max_length=40, default="Asia/Shanghai")
    hours = models.JSONField(_("hours"))

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("working time")
        verbose_name_plural = _("working times")

    def __str__(self) -> str:
        return str(self.unit)


class StaffQuerySet(ScopedQuerySet):
    """People who sign in."""


class StaffManager(UserManager.from_queryset(StaffQuerySet)):  # type: ignore[misc]
    pass


class StaffHistory(HistoricalRecords):
    """Signing in is no change of a person."""

    def post_save(self, instance: models.Model, created: bool, using: str | None = None, **kwargs: Any) -> None:
        if set(kwargs.get("update_fields") or ()) != {"last_login"}:
            super().post_save(instance, created, using, **kwargs)


class Staff(AbstractUser):
    """A person who signs in to the studio."""

    class Mails(models.TextChoices):
        AT_ONCE = "at_once", _("At once")
        DAILY = "daily", _("Once a day, in the morning")
        NEVER = "never", _("Never: the bell is enough")

    scope = Scope(units=("unit",))

    unit = models.ForeignKey(
        OrgUnit, models.PROTECT, null=True, blank=True, related_name="staff", verbose_name=_("org unit"),
        help_text=_("Where this person belongs; what they may do follows from their roles."),
    )  # fmt: skip
    manager = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="team", verbose_name=_("manager"),
        help_text=_("Whom requests go to where a policy says “the requester's manager”."),
    )  # fmt: skip
    language = models.CharField(_("language"), max_length=10, blank=True)
    mails = models.CharField(_("e-mails"), max_length=10, choices=Mails.choices, default=Mails.AT_ONCE)
    signed_out_at = models.DateTimeField(_("signed out everywhere at"), null=True, editable=False)
    """What was begun before is over: sessions, and personal data that was open to them. The database says when it was."""

    objects: ClassVar[StaffManager] = StaffManager()
    history = StaffHistory(excluded_fields=["password", "last_login", "signed_out_at"])

    class Meta:
        verbose_name = _("staff person")
        verbose_name_plural = _("staff")

    def __str__(self) -> str:
        return self.get_full_name() or self.get_username()

    def get_session_auth_hash(self) -> str:
        """What each session holds and each request compares: another one ends the session."""
        plain: str = super().get_session_auth_hash()
        return plain if self.signed_out_at is None else f"{plain}:{self.signed_out_at.timestamp():.6f}"


class Notice(ScopedModel):
    """Something that a person is told: in the bell, and by e-mail. Words and address follow from `code` and `data`
    in the reader's language; see `apps.orgs.notices`."""

    scope = Scope(own="person")

    person = models.ForeignKey(Staff, models.CASCADE, related_name="notices", verbose_name=_("person"))
    code = models.CharField(_("code"), max_length=60)
    data = models.JSONField(_("particulars"), default=dict)
    told_at = models.DateTimeField(_("told at"))
    read_at = models.DateTimeField(_("read at"), null=True, blank=True)
    mail_at = models.DateTimeField(_("to be mailed at"), null=True, blank=True)
    """When it goes out by e-mail, or goes out again after a failure; None where it does not, or has."""
    mail_tries = models.PositiveSmallIntegerField(_("failed e-mails"), default=0)
    mailed_at = models.DateTimeField(_("mailed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        indexes: ClassVar = [
            models.Index(fields=["person", "-id"], name="notice_bell"),
            models.Index(fields=["person"], condition=Q(read_at=None), name="notice_unread"),
            models.Index(fields=["mail_at"], condition=Q(mail_at__isnull=False), name="notice_to_mail"),
        ]

    def __str__(self) -> str:
        return self.code


class Digest(ScopedModel):
    """The last day on whose morning somebody's daily e-mail was due; one row for each person."""

    scope = Scope(own="person")

    person = models.OneToOneField(Staff, models.CASCADE, related_name="digest", verbose_name=_("person"))
    day = models.DateField(_("day"))
    made_at = models.DateTimeField(_("made at"))
    """What was decided since then is in the next one."""

    class Meta:
        verbose_name = _("daily e-mail")
        verbose_name_plural = _("daily e-mails")

    def __str__(self) -> str:
        return f"{self.day}"


class Role(ScopedModel):
    """A job: the model permissions of its group, in force on the units where somebody holds it."""

    scope = Scope(everybody=True)

    code = models.CharField(_("code"), max_length=40, unique=True, choices=Persona.choices)
    group = models.OneToOneField(Group, models.PROTECT, related_name="role", verbose_name=_("permissions"))

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")

    def __str__(self) -> str:
        return self.get_code_display()


class Certification(ScopedModel):
    """Every role held in one part of the group at a moment, each to be kept or taken away by its administrators."""

    scope = Scope(units=("unit",))

    unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="certifications", verbose_name=_("org unit"))
    opened_at = models.DateTimeField(_("opened at"))
    opened_by = models.ForeignKey(
        Staff, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("opened by")
    )
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("review of roles")
        verbose_name_plural = _("reviews of roles")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["unit"], condition=Q(closed_at=None), name="certification_one_open")
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class CertificationLine(ScopedModel):
    """One role of one person in a review. It is decided once, by somebody else."""

    class Verdict(models.TextChoices):
        KEPT = "kept", _("Kept")
        TAKEN = "taken", _("Taken away")
        GONE = "gone", _("Not held any more")

    scope = Scope(units=("certification__unit",))

    certification = models.ForeignKey(
        Certification, models.PROTECT, related_name="lines", verbose_name=_("review of roles")
    )
    person = models.ForeignKey(Staff, models.PROTECT, related_name="+", verbose_name=_("person"))
    role = models.CharField(_("role"), max_length=40, choices=Persona.choices)
    held_at = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("held at"))
    verdict = models.CharField(_("verdict"), max_length=6, choices=Verdict.choices, blank=True)
    decided_by = models.ForeignKey(
        Staff, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)

    class Meta:
        verbose_name = _("line of a review of roles")
        verbose_name_plural = _("lines of reviews of roles")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["certification", "person", "role", "held_at"], name="certificationline_once"
            ),
            models.CheckConstraint(
                name="certificationline_decided",
                condition=Q(verdict="", decided_at__isnull=True) | (~Q(verdict="") & Q(decided_at__isnull=False)),
            ),
            models.CheckConstraint(name="certificationline_by_another", condition=~Q(decided_by=models.F("person"))),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.role}"


class ViewAs(AppendOnlyModel):
    """An administrator began to see the studio as somebody else would, or ceased to: a row each, kept for ever."""

    class Kind(models.TextChoices):
        BEGAN = "began", _("Began")
        ENDED = "ended", _("Ended")

    class Why(models.TextChoices):
        BUTTON = "button", _("by the button")
        TIME = "time", _("time was over")
        RIGHTS = "rights", _("rights had changed")
        SIGNED_OUT = "signed_out", _("signed out")

    scope = Scope(units=("unit",))

    kind = models.CharField(_("kind"), max_length=6, choices=Kind.choices)
    administrator = models.ForeignKey(Staff, models.PROTECT, related_name="+", verbose_name=_("administrator"))
    person = models.ForeignKey(Staff, models.PROTECT, related_name="+", verbose_name=_("seen as"))
    unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("org unit"))
    began = models.OneToOneField("self", models.PROTECT, null=True, related_name="end", verbose_name=_("began with"))
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    at = models.DateTimeField(_("when"))
    until = models.DateTimeField(_("until"), null=True)
    why = models.CharField(_("ended why"), max_length=12, choices=Why.choices, blank=True)

    class Meta:
        verbose_name = _("view as somebody else")
        verbose_name_plural = _("views as somebody else")
        constraints: ClassVar = [
            models.CheckConstraint(name="viewas_of_another", condition=~Q(administrator=models.F("person"))),
            models.CheckConstraint(
                name="viewas_whole",
                condition=Q(kind="began", until__isnull=False, began__isnull=True) & ~Q(reason="")
                | Q(kind="ended", began__isnull=False) & ~Q(why=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.administrator_id} as {self.person_id}"


class ApiClient(ScopedModel):
    """A till, web shop or ERP that calls the API with a key; it reaches its unit and no further."""

    class AccessScope(models.TextChoices):
        EVENTS_WRITE = "events:write", _("Send events")
        MEMBERS_READ = "members:read", _("Read members, masked")
        MEMBERS_WRITE = "members:write", _("Enrol and change members")
        MEMBERS_PERSONAL = "members:personal", _("Read personal data")
        POINTS_READ = "points:read", _("Read balances and entries")
        POINTS_REDEEM = "points:redeem", _("Hold and redeem points")

    scope = Scope(units=("unit",))
    is_authenticated = True
    is_superuser = False

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=120)
    unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="api_clients", verbose_name=_("org unit"))
    scopes = models.JSONField(_("scopes"), default=list)
    key_hash = models.BinaryField(unique=True, max_length=32, editable=False)
    key_hint = models.CharField(pgettext_lazy("of an API client", "key"), max_length=12, editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"))
    seen_from = models.JSONField(_("addresses it called from"), default=list, editable=False)

    history = HistoricalRecords(excluded_fields=["key_hash", "seen_from"])

    class Meta:
        verbose_name = _("API client")
        verbose_name_plural = _("API clients")

    def __str__(self) -> str:
        return self.name


class SignInTry(ScopedModel):
    """One guess at a password or code, kept while it counts. `counter` is a keyed hash of whose guesses are counted:
    an account's, an address's or a device's; see `apps.orgs.services.tries`."""

    scope = Scope()

    counter = models.CharField(max_length=64)
    tried_at = models.DateTimeField()

    class Meta:
        # Counting the latest tries of a counter; clearing the old ones.
        indexes: ClassVar = [
            models.Index(fields=["counter", "tried_at"], name="signintry_latest"),
            models.Index(fields=["tried_at"], name="signintry_old"),
        ]

    def __str__(self) -> str:
        return f"{self.counter[:8]} {self.tried_at:%H:%M:%S}"


class KeptAnswer(ScopedModel):
    """What a client was told for an Idempotency-Key, written together with what the call did. Nothing personal."""

    scope = Scope(units=("client__unit",))

    client = models.ForeignKey(
        ApiClient, models.PROTECT, related_name="+", verbose_name=_("API client"), db_index=False
    )
    key = models.CharField(_("key"), max_length=120)
    content_hash = models.BinaryField(max_length=16, editable=False)
    body = models.JSONField(_("answer"), null=True)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("kept answer")
        verbose_name_plural = _("kept answers")
        constraints: ClassVar = [models.UniqueConstraint(fields=["client", "key"], name="keptanswer_key_once")]

    def __str__(self) -> str:
        return self.key
