"""Daily facts: what reports read instead of the ledger."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.scope import Scope, ScopedModel
from apps.orgs.models import OrgUnit, Program


class DailyFact(ScopedModel):
    """The sum of a day's entries of one programme, unit, rule and kind."""

    scope = Scope(units=("org_unit",))

    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("programme"), db_index=False)
    day = models.DateField(_("local day"))
    org_unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("org unit"), db_index=False)
    rule_id = models.BigIntegerField(_("rule"), default=0)
    kind = models.CharField(_("kind"), max_length=10)
    entries = models.BigIntegerField(_("entries"))
    points = models.BigIntegerField(_("points"))
    pending_points = models.BigIntegerField(_("pending points"))
    cost_micros = models.BigIntegerField(_("cost, in millionths"))

    class Meta:
        verbose_name = _("daily fact")
        verbose_name_plural = _("daily facts")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "day", "org_unit", "rule_id", "kind"], name="dailyfact_once")
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.kind}"


class Watermark(ScopedModel):
    """Up to which transaction the ledger is folded into the facts (excluded), on which cluster."""

    scope = Scope(everybody=True)

    name = models.CharField(max_length=40, primary_key=True)
    transaction = models.BigIntegerField()
    cluster = models.BigIntegerField()

    class Meta:
        verbose_name = _("watermark")
        verbose_name_plural = _("watermarks")

    def __str__(self) -> str:
        return f"{self.name} < {self.transaction}"
