"""Daily facts, what reports read instead of the ledger, and what checks of the ledger found.

Facts are written only by `apps.reports.services`. What is not in them yet is added from the ledger itself by the view
behind `Movement`, so that a sum over it is true at any moment.
"""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.scope import Scope, ScopedModel
from apps.orgs.models import OrgUnit, Program, Staff
from apps.points.models import PointType


class DailyFact(ScopedModel):
    """The sum of a day's entries of one programme, unit, point type, rule (0: none) and kind."""

    scope = Scope(units=("org_unit",))

    program = models.ForeignKey(Program, models.PROTECT, related_name="+", verbose_name=_("programme"), db_index=False)
    day = models.DateField(_("local day"))
    org_unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("org unit"), db_index=False)
    point_type = models.ForeignKey(
        PointType, models.PROTECT, related_name="+", verbose_name=_("point type"), db_index=False
    )
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
            # Also what every report reads by: a programme's days.
            models.UniqueConstraint(
                fields=["program", "day", "org_unit", "point_type", "rule_id", "kind"], name="dailyfact_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.kind}"


class Watermark(ScopedModel):
    """Which entries are in the facts: those of transactions that had ended in `snapshot`, on which cluster.

    Another cluster counts its transactions anew: there the mark means nothing, and the facts are made again.
    """

    scope = Scope(everybody=True)

    name = models.CharField(max_length=40, primary_key=True)
    snapshot = models.TextField()
    cluster = models.BigIntegerField()
    folded_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("watermark")
        verbose_name_plural = _("watermarks")

    def __str__(self) -> str:
        return f"{self.name} {self.snapshot}"


class Movement(ScopedModel):
    """A view: the facts, and each entry that is not folded yet as if it were a fact of its own. To be summed.

    Who may see it is who may see facts: `visible_to(person, "reports.view_dailyfact")`.
    """

    scope = Scope(units=("org_unit",))

    program = models.ForeignKey(Program, models.DO_NOTHING, related_name="+")
    day = models.DateField()
    org_unit = models.ForeignKey(OrgUnit, models.DO_NOTHING, related_name="+")
    point_type = models.ForeignKey(PointType, models.DO_NOTHING, related_name="+")
    rule_id = models.BigIntegerField()
    kind = models.CharField(max_length=10)
    entries = models.BigIntegerField()
    points = models.BigIntegerField()
    pending_points = models.BigIntegerField()
    cost_micros = models.BigIntegerField()

    class Meta:
        managed = False
        db_table = "reports_movement"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.day} {self.kind}"


class LedgerCheck(ScopedModel):
    """One time when every promise about points was held against the tables. What differed are its `differences`."""

    scope = Scope(everybody=True)

    checked_at = models.DateTimeField(_("checked at"))
    checked_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+", verbose_name=_("checked by"))
    seconds = models.DecimalField(_("seconds"), max_digits=8, decimal_places=2)
    promises = models.JSONField(_("promises"), default=list)
    differences_found = models.PositiveIntegerField(_("differences found"), default=0)

    class Meta:
        verbose_name = _("check of the ledger")
        verbose_name_plural = _("checks of the ledger")
        permissions: ClassVar = [("check_ledger", "Can check the ledger")]

    def __str__(self) -> str:
        return f"{self.checked_at:%Y-%m-%d %H:%M}"


class LedgerDifference(ScopedModel):
    """A row that broke a promise: it said `stated`, the tables added up to `found`. Seen by who sees its unit."""

    scope = Scope(units=("org_unit",))

    check_run = models.ForeignKey(LedgerCheck, models.CASCADE, related_name="differences", verbose_name=_("check"))
    org_unit = models.ForeignKey(OrgUnit, models.PROTECT, null=True, related_name="+", verbose_name=_("org unit"))
    promise = models.CharField(_("promise"), max_length=80)
    row_id = models.BigIntegerField(_("row"))
    stated = models.BigIntegerField(_("stated"))
    found = models.BigIntegerField(_("found"))

    class Meta:
        verbose_name = _("difference")
        verbose_name_plural = _("differences")

    def __str__(self) -> str:
        return f"{self.promise} {self.row_id}"
