"""What members agreed to, with proof; who was erased, and what went; what names nobody any more and may not come back."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.conditions.words import Words
from apps.core.scope import AppendOnlyModel, Scope, ScopedModel
from apps.members.authored import Authored
from apps.members.personal import Personal
from apps.orgs.models import OrgUnit, Staff

LONGEST_WORDING = 4_000


class ConsentPurpose(ScopedModel):
    """What members of `unit`, group or company, are asked to agree to. What exactly they read is a `ConsentWording`."""

    scope = Scope(units=("unit",), governs=True)

    unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("for the members of"))
    key = models.SlugField(_("key"), max_length=60, help_text=_("The API names the purpose by it; it stays."))
    label = models.CharField(_("label in English"), max_length=80)
    label_zh = models.CharField(_("label in Chinese"), max_length=80)
    is_active = models.BooleanField(
        _("in use"), default=True, help_text=_("What is no longer in use can still be withdrawn, but not given.")
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0, help_text=_("Low numbers stand first."))

    class Meta:
        verbose_name = _("purpose of consents")
        verbose_name_plural = _("purposes of consents")
        constraints: ClassVar = [models.UniqueConstraint(fields=["unit", "key"], name="consentpurpose_key_once")]

    def __str__(self) -> str:
        return self.words.in_language(get_language() or "en")

    @property
    def words(self) -> Words:
        return Words(self.label, self.label_zh)


class ConsentWording(AppendOnlyModel):
    """What people read when they agree to a purpose, in both languages. Another wording is another version."""

    scope = Scope(units=("purpose__unit",), governs=True)

    purpose = models.ForeignKey(
        ConsentPurpose, models.PROTECT, related_name="wordings", verbose_name=_("purpose"), db_index=False
    )
    version = models.PositiveIntegerField(_("version"))
    wording = models.TextField(_("wording in English"), max_length=LONGEST_WORDING)
    wording_zh = models.TextField(_("wording in Chinese"), max_length=LONGEST_WORDING)
    written_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+", verbose_name=_("written by"))
    written_at = models.DateTimeField(_("written at"))

    class Meta:
        verbose_name = _("wording of a purpose")
        verbose_name_plural = _("wordings of purposes")
        constraints: ClassVar = [models.UniqueConstraint(fields=["purpose", "version"], name="consentwording_once")]

    def __str__(self) -> str:
        return f"v{self.version}"

    @property
    def words(self) -> Words:
        return Words(self.wording, self.wording_zh)


class Consent(Authored, AppendOnlyModel):
    """A member agreed, or withdrew, for one purpose and channel. The newest row of the two says how it stands."""

    class Channel(models.TextChoices):
        SMS = "sms", _("SMS")
        EMAIL = "email", _("E-mail")
        PHONE = "phone", _("Phone call")
        WECHAT = "wechat", _("WeChat")
        POST = "post", _("Post")
        APP = "app", _("App")

    class Source(models.TextChoices):
        HAND = "hand", _("by hand")
        API = "api", _("by the API")
        FORM = "form", _("by a form")
        IMPORT = "import", _("by a file")

    scope = Scope(units=("member__home_unit",))
    personal = Personal.WORDS

    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="consents", verbose_name=_("member"), db_index=False
    )
    purpose = models.ForeignKey(
        ConsentPurpose, models.PROTECT, related_name="+", verbose_name=_("purpose"), db_index=False
    )
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    is_given = models.BooleanField(_("given"))
    wording = models.ForeignKey(
        ConsentWording, models.PROTECT, related_name="+", verbose_name=_("wording"), db_index=False
    )
    source = models.CharField(_("came"), max_length=10, choices=Source.choices)
    proof = models.CharField(_("proof"), max_length=500, blank=True)
    at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        indexes: ClassVar = [
            # How it stands: the newest of each purpose and channel.
            models.Index(fields=["member", "purpose", "channel", "-id"], name="consent_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} #{self.pk}"


class Erasure(Authored, AppendOnlyModel):
    """A member was erased: with its lines the certificate of what went, what stayed, and why.

    A column of its own, `transaction`, lets functions of the database blank words for this member in the transaction
    that made the row, and in no other.
    """

    class Why(models.TextChoices):
        """A code, for words that somebody types would be a trace."""

        ASKED = "asked", _("The member asked for it")
        ORDER = "order", _("An authority or a court ordered it")
        RETENTION = "retention", _("The time for which data may be kept is over")

    scope = Scope(units=("member__home_unit",))
    personal = Personal.NONE

    member = models.OneToOneField("members.Member", models.PROTECT, related_name="erasure", verbose_name=_("member"))
    why = models.CharField(_("reason"), max_length=10, choices=Why.choices)
    at = models.DateTimeField(_("when"))
    blocked = models.PositiveIntegerField(_("identifiers blocked"), default=0)

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")

    def __str__(self) -> str:
        return str(self.member)


class ErasureLine(AppendOnlyModel):
    """What an erasure came to in one table, in the words of the day, in both languages."""

    scope = Scope(units=("erasure__member__home_unit",))
    personal = Personal.NONE

    erasure = models.ForeignKey(Erasure, models.PROTECT, related_name="lines", verbose_name=_("erasure"))
    relation = models.CharField(_("table"), max_length=80)
    label = models.JSONField(_("what it holds"))
    went = models.PositiveIntegerField(_("rows emptied or removed"))
    stayed = models.PositiveIntegerField(_("rows that stay"))
    stays = models.JSONField(_("what stays and why"), default=dict)

    class Meta:
        verbose_name = _("line of an erasure")
        verbose_name_plural = _("lines of erasures")

    def __str__(self) -> str:
        return self.relation


class BlockedIdentifier(Authored, ScopedModel):
    """What named somebody who was erased, as a keyed hash alone: no door takes it in again. It leads to no member; whom it
    named knows only who shows it. It is lifted when they come back themselves, by `actor`, on record. Its unit is the group."""

    scope = Scope(units=("unit",), governs=True)
    personal = Personal.NONE

    unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("org unit"), db_index=False)
    kind = models.CharField(_("kind"), max_length=40)
    value_hash = models.BinaryField(max_length=16, editable=False)
    blocked_on = models.DateField(_("blocked on"))
    lifted_at = models.DateTimeField(_("lifted at"), null=True)
    reason = models.CharField(_("why it was lifted"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("blocked identifier")
        verbose_name_plural = _("blocked identifiers")
        permissions: ClassVar = [("lift_blockedidentifier", "Lets somebody who was erased come back")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "value_hash"], name="blockedidentifier_once", condition=Q(lifted_at=None)
            ),
            models.CheckConstraint(
                name="blockedidentifier_lifted_for_a_reason", condition=Q(lifted_at=None, reason="") | ~Q(reason="")
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
