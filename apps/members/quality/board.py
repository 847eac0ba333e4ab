"""The board of data quality: accuracy by rule, source, store and week, as far as its reader's members go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Sum
from django.db.models.functions import Left
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from apps.conditions.words import Words
from apps.core.clock import local_day
from apps.core.formats import day
from apps.core.scope import STEP, reach_of
from apps.members.models import AttributeDefinition
from apps.members.quality.checks import sentence_of
from apps.members.quality.measuring import API, BY_HAND, STUDIO, weighted
from apps.members.quality.models import QualityDay, QualityFigure, QualityRule
from apps.members.quality.standing import Share, Standing, standings_of
from apps.orgs.models import OrgUnit, Program
from apps.orgs.querysets import HOME_ZONE

VIEW = "members.view_qualityfigure"
TREND_DAYS = 30
WIDTH, HEIGHT = 96, 24
"""Of the small picture of a trend."""
MOST_UNITS = 100


@dataclass(frozen=True)
class Line:
    """One row of a table of the board: what it is about, how it stands, and where it leads."""

    name: str
    share: Share
    query: str = ""

    @property
    def width(self) -> str:
        """Of a bar out of a hundred."""
        return f"{self.share.pct or 0:.1f}"


@dataclass(frozen=True)
class RuleLine:
    """One rule. `trend` are the accuracies of days in order; `points` draws them."""

    rule: QualityRule
    sentence: Words
    share: Share
    trend: Sequence[tuple[date, float]]

    @property
    def is_short(self) -> bool:
        return self.share.pct is not None and self.share.pct < self.rule.wanted_pct

    @property
    def points(self) -> str:
        return points_of([pct for _day, pct in self.trend])

    @property
    def first(self) -> tuple[date, float]:
        return self.trend[0]

    @property
    def last(self) -> tuple[date, float]:
        return self.trend[-1]


@dataclass
class Board:
    """What the page shows; `chosen` is the unit whose members it is about, `above` those over it within reach."""

    chosen: OrgUnit | None
    above: list[tuple[str, str]]
    source: str
    total: Share
    rules: list[RuleLine] = field(default_factory=list)
    sources: list[Line] = field(default_factory=list)
    weeks: list[Line] = field(default_factory=list)
    units: list[Line] = field(default_factory=list)
    standings: list[Standing] = field(default_factory=list)
    measured_at: datetime | None = None

    @property
    def query(self) -> str:
        """What it is narrowed to, as an address says it."""
        told = {"unit": self.chosen.code if self.chosen else "", "source": self.source}
        return urlencode({name: value for name, value in told.items() if value})


def board_of(reader: Any, asked: Mapping[str, str], when: datetime) -> Board:
    """Ten queries, however many rules, stores and weeks there are."""
    tree = {unit.path: unit for unit in OrgUnit.objects.visible_to(reader)}
    reach = reach_of(reader, VIEW)
    chosen = next((unit for unit in tree.values() if unit.code == asked.get("unit")), None)
    seen = QualityRule.objects.visible_to(reader).filter(is_active=True).select_related("unit").order_by("pk")
    rules = {rule.pk: rule for rule in seen}
    definitions = list(AttributeDefinition.objects.visible_to(reader).order_by("position", "pk"))
    figures: Any = QualityFigure.objects.visible_to(reader).filter(rule__in=rules)
    days: Any = QualityDay.objects.visible_to(reader).filter(rule__in=rules)
    if chosen is not None:
        figures, days = (rows.filter(unit__path__startswith=chosen.path) for rows in (figures, days))
    source = source_asked(asked)
    narrowed = figures.filter(source=source) if source else figures
    kept = {"unit": chosen.code if chosen else "", "source": source}
    by_rule = {row["rule"]: Share(row["judged"], row["faulty"]) for row in _sums(narrowed, "rule")}
    trends = _trends(days, when)
    board = Board(chosen, _above(chosen, tree), source, Share())
    for pk, rule in rules.items():
        share = by_rule.get(pk, Share())
        board.total = board.total.with_(share, rule.weight)
        words = sentence_of(rule.field, rule.check_code, definitions)
        board.rules.append(RuleLine(rule, words, share, trends.get(pk, ())))
    board.rules.sort(key=lambda line: (line.share.pct is None, line.share.pct))
    board.sources = _lines(
        _weighed(figures, "source"),
        lambda row: source_in_words(row["source"]),
        lambda row: {**kept, "source": row["source"]},
    )
    board.weeks = _weeks(_weighed(narrowed, "week"))
    depth = len(chosen.path) if chosen else min((len(root) for root in reach.paths), default=STEP)
    below = narrowed.annotate(place=Left("unit__path", depth + STEP))
    board.units = [
        line
        for line in _lines(
            _weighed(below, "place"), lambda row: tree[row["place"]].name if row["place"] in tree else "",
            lambda row: {**kept, "unit": tree[row["place"]].code} if row["place"] in tree and row["place"] != (chosen and chosen.path) else {},
        )
        if line.name
    ][:MOST_UNITS]  # fmt: skip
    programs = Program.objects.visible_to(reader).select_related("unit").order_by("pk")
    board.standings = standings_of(
        (each for each in programs if reach.covers(each.unit.path)), rules.values(), definitions
    )
    board.measured_at = min((rule.measured_at for rule in rules.values() if rule.measured_at), default=None)
    return board


def source_asked(asked: Mapping[str, str]) -> str:
    return asked.get("source", "")[:60].replace("\0", "")


def _sums(figures: Any, by: str) -> Any:
    return figures.values(by).annotate(judged=Sum("members"), faulty=Sum("at_fault")).order_by()


def _weighed(figures: Any, by: str) -> Any:
    return figures.values(by).annotate(judged=Sum(weighted("members")), faulty=Sum(weighted("at_fault"))).order_by()


def _lines(rows: Any, name: Any, query: Any) -> list[Line]:
    """The worst first."""
    lines = [
        Line(name(row), Share(row["judged"], row["faulty"]), urlencode({k: v for k, v in query(row).items() if v}))
        for row in rows
    ]
    return sorted(lines, key=lambda line: (line.share.pct is None, line.share.pct, line.name))


def _weeks(rows: Any) -> list[Line]:
    """The latest first, those who joined earlier last of all."""
    listed = sorted(rows, key=lambda row: row["week"] or date.min, reverse=True)
    return [
        Line(
            _("Week of %(day)s") % {"day": day(row["week"])} if row["week"] else _("Earlier"),
            Share(row["judged"], row["faulty"]),
        )
        for row in listed
    ]


def _trends(days: Any, when: datetime) -> dict[int, list[tuple[date, float]]]:
    since = local_day(when, HOME_ZONE) - timedelta(days=TREND_DAYS)
    rows = days.filter(day__gte=since).values("rule", "day").annotate(judged=Sum("members"), faulty=Sum("at_fault"))
    trends: dict[int, list[tuple[date, float]]] = {}
    for row in rows.order_by("day"):
        pct = Share(row["judged"], row["faulty"]).pct
        if pct is not None:
            trends.setdefault(row["rule"], []).append((row["day"], pct))
    return trends


def _above(chosen: OrgUnit | None, tree: Mapping[str, OrgUnit]) -> list[tuple[str, str]]:
    """Name and code of the units over the chosen one, as far as they are seen."""
    if chosen is None:
        return []
    paths = [chosen.path[:end] for end in range(STEP, len(chosen.path), STEP)]
    return [(tree[path].name, tree[path].code) for path in paths if path in tree]


def source_in_words(source: str) -> str:
    """Where members came from; a system by its own name."""
    return {API: _("API"), BY_HAND: _("By hand"), STUDIO: _("The studio")}.get(source, source)


def points_of(values: Sequence[float]) -> str:
    """The points of a line through accuracies, for a picture of WIDTH × HEIGHT; the scale is that of the values.

    >>> points_of([90.0, 95.0, 100.0])
    '0.0,22.0 48.0,12.0 96.0,2.0'
    """
    least, most = min(values, default=0), max(values, default=0)
    span = most - least
    step = WIDTH / max(1, len(values) - 1)
    return " ".join(
        f"{number * step:.1f},{HEIGHT - 2 - (HEIGHT - 4) * ((value - least) / span if span else 0.5):.1f}"
        for number, value in enumerate(values)
    )
