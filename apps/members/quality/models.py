"""Rules about what is known of members, what the last measuring found, and how it went from day to day."""

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from simple_history.models import HistoricalRecords

from apps.core.scope import Scope, ScopedModel
from apps.orgs.models import OrgUnit, Program

SEED_PCT = 95
MOST_WEIGHT = 10
SHARE = (MinValueValidator(1), MaxValueValidator(100))


class QualityRule(ScopedModel):
    """What has to be known of the members of `unit`, group or company: one check of one field.

    `field` is one of `checks.FIELDS`, or `attributes:` with the key of an attribute that is defined.
    """

    class Check(models.TextChoices):
        PRESENT = "present", pgettext_lazy("of a field", "Filled in")
        PLAUSIBLE = "plausible", pgettext_lazy("of a field", "Plausible")
        ALLOWED = "allowed", pgettext_lazy("of a field", "An allowed value")
        VERIFIED = "verified", pgettext_lazy("of a field", "Verified")

    scope = Scope(units=("unit",), governs=True)

    unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("for the members of"))
    field = models.CharField(_("field"), max_length=80)
    check_code = models.CharField(_("check"), max_length=10, choices=Check.choices)
    wanted_pct = models.PositiveSmallIntegerField(
        _("wanted, in %"), default=SEED_PCT, validators=SHARE,
        help_text=_("How many of a hundred members must pass it."),
    )  # fmt: skip
    weight = models.PositiveSmallIntegerField(
        _("weight"), default=1, validators=(MinValueValidator(1), MaxValueValidator(MOST_WEIGHT)),
        help_text=_("How much it counts in the accuracy of all rules together, from 1 to 10."),
    )  # fmt: skip
    is_active = models.BooleanField(_("active"), default=True)
    measured_at = models.DateTimeField(_("measured at"), null=True, editable=False)

    history = HistoricalRecords(excluded_fields=["measured_at"])

    class Meta:
        verbose_name = _("rule of data quality")
        verbose_name_plural = _("rules of data quality")
        permissions: ClassVar = [("measure_qualityrule", "Has the quality of data measured")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["unit", "field", "check_code"], name="qualityrule_once"),
            models.CheckConstraint(name="qualityrule_share", condition=Q(wanted_pct__range=(1, 100))),
            models.CheckConstraint(name="qualityrule_weight", condition=Q(weight__range=(1, MOST_WEIGHT))),
        ]

    def __str__(self) -> str:
        return f"{self.field}: {self.check_code}"

    def validate_constraints(self, exclude: object = None) -> None:
        """Left to the service: it says in words, at its field, what a form would say by the constraint's name."""


class QualityFigure(ScopedModel):
    """What the last measuring of a rule found of the members of one unit, of one source, who joined in one week: how many
    were judged, and how many of these are at fault."""

    scope = Scope(units=("unit",))

    rule = models.ForeignKey(QualityRule, models.CASCADE, related_name="figures", verbose_name=_("rule"))
    unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("org unit"))
    source = models.CharField(_("source"), max_length=60)
    week = models.DateField(_("week of joining"), null=True)
    """Its Monday; empty for those who joined earlier than the weeks that are told apart."""
    members = models.PositiveIntegerField(_("members"))
    at_fault = models.PositiveIntegerField(_("at fault"))

    class Meta:
        verbose_name = _("figure of data quality")
        verbose_name_plural = _("figures of data quality")
        constraints: ClassVar = [
            models.CheckConstraint(name="qualityfigure_part", condition=Q(at_fault__lte=F("members"))),
        ]

    def __str__(self) -> str:
        return f"{self.at_fault}/{self.members}"


class QualityDay(ScopedModel):
    """What the last measuring of a day found of a rule in one unit: how quality goes."""

    scope = Scope(units=("unit",))

    rule = models.ForeignKey(QualityRule, models.CASCADE, related_name="days", verbose_name=_("rule"), db_index=False)
    unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("org unit"))
    day = models.DateField(_("day"))
    members = models.PositiveIntegerField(_("members"))
    at_fault = models.PositiveIntegerField(_("at fault"))

    class Meta:
        verbose_name = _("day of data quality")
        verbose_name_plural = _("days of data quality")
        # Also how a measuring finds those of its day.
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["rule", "day", "unit"], name="qualityday_once"),
            models.CheckConstraint(name="qualityday_part", condition=Q(at_fault__lte=F("members"))),
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.at_fault}/{self.members}"


class QualityGate(ScopedModel):
    """How accurate a programme's data must be for it to go live; without a row, `SEED_PCT`."""

    scope = Scope(units=("program__unit",), governs=True)

    program = models.OneToOneField(Program, models.PROTECT, related_name="+", verbose_name=_("programme"))
    wanted_pct = models.PositiveSmallIntegerField(_("accuracy wanted, in %"), default=SEED_PCT, validators=SHARE)

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("gate of data quality")
        verbose_name_plural = _("gates of data quality")
        constraints: ClassVar = [
            models.CheckConstraint(name="qualitygate_share", condition=Q(wanted_pct__range=(1, 100)))
        ]

    def __str__(self) -> str:
        return f"{self.program}: {self.wanted_pct} %"
