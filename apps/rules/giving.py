"""The kinds of effects that the rules themselves bring: points in several ways, a tag, and holding for a review."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.conditions.compiling import compile_many
from apps.conditions.tree import parse
from apps.rules import effects
from apps.rules.bases import live_bases
from apps.rules.catalogue import CATALOGUE
from apps.rules.definition import (
    FixedPoints,
    GiveTag,
    HoldForReview,
    Multiply,
    PointsPerAmount,
    PointsPerQuantity,
    Table,
)
from apps.rules.effects import ROUNDING
from apps.rules.kinds import Kind, register
from apps.rules.sentences import Writer
from apps.rules.snapshot import live_lines

Written = Mapping[str, Any]
Paths = Mapping[str, str]


def _fixed(effect: Written, point_type_id: int, paths: Paths) -> effects.Fixed:
    return effects.Fixed(point_type_id, int(effect["points"]))


def _multiplier(effect: Written, point_type_id: int, paths: Paths) -> effects.Multiplier:
    rounding = ROUNDING[effect["rounding"]]
    return effects.Multiplier(point_type_id, Decimal(effect["times"]), effect["of"] == "all", rounding)


def _table(effect: Written, point_type_id: int, paths: Paths) -> effects.Table:
    trees = [parse(row["when"], CATALOGUE, paths) for row in effect["rows"]]
    rows = [effects.Row(Decimal(row["points"]), row["per"] and Decimal(row["per"])) for row in effect["rows"]]
    matches = compile_many(trees, CATALOGUE, paths)
    rounding = ROUNDING[effect["rounding"]]
    return effects.Table(point_type_id, tuple(rows), matches, effect["hit"], rounding, live_bases(effect))


def _per_amount(effect: Written, point_type_id: int, paths: Paths) -> effects.PerAmount:
    return effects.PerAmount(*_terms(effect, point_type_id, paths))


def _per_quantity(effect: Written, point_type_id: int, paths: Paths) -> effects.PerQuantity:
    return effects.PerQuantity(*_terms(effect, point_type_id, paths))


def _terms(effect: Written, point_type_id: int, paths: Paths) -> Any:
    rounding, counts = ROUNDING[effect["rounding"]], live_lines(effect["lines"], paths)
    return point_type_id, Decimal(effect["points"]), Decimal(effect["per"]), rounding, counts, live_bases(effect)


def _tag(effect: Written, point_type_id: int, paths: Paths) -> effects.Tag:
    return effects.Tag(effect["tag"], effect["start"].removeprefix("next_"), effect["days"])


def _hold(effect: Written, point_type_id: int, paths: Paths) -> effects.HoldForReview:
    return effects.HoldForReview(effect["reason"])


register(
    Kind("points_per_amount", _("Points per amount"), PointsPerAmount, _per_amount, Writer.rate, "amount"),
    Kind("points_per_quantity", _("Points per piece"), PointsPerQuantity, _per_quantity, Writer.rate, "pieces"),
    Kind("fixed_points", _("Fixed points"), FixedPoints, _fixed, Writer.fixed),
    Kind("multiply", _("Multiplier"), Multiply, _multiplier, Writer.multiplier),
    Kind("table", _("Decision table"), Table, _table, Writer.table),
    Kind("tag", _("A tag for the member"), GiveTag, _tag, Writer.tag),
    Kind("hold_for_review", _("Hold for review"), HoldForReview, _hold, Writer.hold),
)
