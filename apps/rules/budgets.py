"""Budgets: the limits of a rule for its whole programme, what is used up of them, and how long they will last."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.core.clock import local_day
from apps.core.formats import day as day_in_words
from apps.core.formats import money, number
from apps.rules.evaluate import whole_of
from apps.rules.limits import COUNTED
from apps.rules.models import RuleVersion, UnitCounter
from apps.rules.periods import period_start
from apps.rules.sentences import limit_words, plain
from apps.rules.snapshot import live_limit

ALERT = 80
"""Per cent from which a budget is worth a warning."""


@dataclass(frozen=True)
class Budget:
    """One limit of a live version in the period of `today`: `used` of `most`, as a counter counts it, since `since`."""

    version: RuleVersion
    limit: dict[str, Any]
    used: int
    since: date
    today: date

    @property
    def most(self) -> int:
        return live_limit(self.limit).most

    @property
    def percent(self) -> int:
        """How much is used up, in whole per cent, rounded down: 100 means all of it."""
        return min(100, 100 * self.used // self.most)

    @property
    def tone(self) -> str:
        return "bad" if self.used >= self.most else "warn" if self.percent >= ALERT else "good"

    @property
    def exhausted_on(self) -> date | None:
        """The local day on which it will be used up at the pace since the period began, or the version where that is
        later; None where it is not foreseen: before the period ends, or ever."""
        days = (self.today - self.since).days + 1
        if not 0 < self.used < self.most:
            return None
        left = -(-(self.most - self.used) * days // self.used)
        if left > 3_660:
            return None
        found = self.today + timedelta(days=left)
        period = self.limit["period"]
        return found if period_start(period, found) == period_start(period, self.today) else None

    def sentence(self) -> str:
        figures = {"used": self._figure(self.used), "most": self._figure(self.most), "percent": self.percent}
        said = {
            "times": _("%(used)s of %(most)s times used (%(percent)s %%)."),
            "amount": _("%(used)s of %(most)s spent has earned (%(percent)s %%)."),
            "pieces": _("%(used)s of %(most)s pieces have earned (%(percent)s %%)."),
            "cost": _("%(used)s of %(most)s given in points (%(percent)s %%)."),
        }.get(self.limit["of"], _("%(used)s of %(most)s points used (%(percent)s %%)."))
        return " ".join(filter(None, (said % figures, self.outlook())))

    def _figure(self, counted: int) -> str:
        of = self.limit["of"]
        if of in ("points", "times"):
            return number(counted)
        return (
            plain(whole_of(counted)) if of == "pieces" else money(whole_of(counted), self.version.rule.program.currency)
        )

    def outlook(self) -> str:
        if self.used >= self.most:
            if self.limit["period"] == "ever":
                return _("It is used up: the rule gives nothing more.")
            return _("It is used up: the rule gives nothing more until the next period.")
        if self.exhausted_on is None:
            return ""
        return _("At the pace so far it is used up on %(day)s.") % {"day": day_in_words(self.exhausted_on)}

    def clause(self) -> str:
        return limit_words(self.limit, self.version.rule.program.currency, get_language() or "en")


def budgets_of(versions: Iterable[RuleVersion], when: datetime) -> list[Budget]:
    """The budgets of live versions, each with its rule and the rule's programme at hand. One query."""
    found: list[Budget] = []
    wanted = Q()
    for version in versions:
        program = version.rule.program
        today = local_day(when, ZoneInfo(program.time_zone))
        began = local_day(version.starts_at, ZoneInfo(program.time_zone)) if version.starts_at else today
        for limit in version.definition["limits"]:
            if limit["per"] == "programme":
                start = period_start(limit["period"], today)
                wanted |= Q(rule=version.rule_id, unit=program.unit_id, period=limit["period"], start=start)
                found.append(Budget(version, limit, 0, max(start, min(began, today)), today))
    if not found:
        return []
    columns = ("points", "times", "amount_micros", "pieces_micros", "cost_micros")
    counted = {
        (rule_id, period): dict(zip(COUNTED, row, strict=True))
        for rule_id, period, *row in UnitCounter.objects.filter(wanted, device="").values_list(
            "rule_id", "period", *columns
        )
    }
    return [
        Budget(each.version, each.limit, used[each.limit["of"]], each.since, each.today)
        if (used := counted.get((each.version.rule_id, each.limit["period"])))
        else each
        for each in found
    ]
