"""Members and what names them. Personal data is held encrypted, found through keyed hashes and shown masked."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.core.scope import Scope, ScopedModel
from apps.orgs.models import OrgUnit


class Member(ScopedModel):
    """A customer enrolled in the group; belongs to the unit that enrolled them."""

    class State(models.TextChoices):
        ACTIVE = "active", pgettext_lazy("member", "Active")
        CLOSED = "closed", _("Closed")

    scope = Scope(units=("home_unit",))

    home_unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="members", verbose_name=_("home unit"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.ACTIVE)
    joined_on = models.DateField(_("joined on"))
    name_cipher = models.BinaryField(null=True, editable=False)
    masked_name = models.CharField(pgettext_lazy("of a person", "name"), max_length=120, blank=True)
    birth_on_cipher = models.BinaryField(null=True, editable=False)
    attributes = models.JSONField(_("attributes"), default=dict, blank=True)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        permissions: ClassVar = [("reveal_member", "Can look at personal data in clear")]
        indexes: ClassVar = [
            # The member list of a region: its units' members, newest first.
            models.Index(fields=["home_unit", "-id"], name="member_home_newest"),
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
