"""What the bands of a policy leave open, where two of them fit, and which of them never decide. Pure.

Conditions compare with a few constants, so each field falls into few regions in which no condition changes its answer:
below 1,000; 1,000; between 1,000 and 5,000; and so on. All combinations of regions are tried, or, where there are too
many, a sample that is the same every time.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations, product
from math import prod
from random import Random
from types import SimpleNamespace
from typing import Any

from apps.approvals.catalogue import SUMS, catalogue_of, plain, subjects_of
from apps.approvals.definition import Definition
from apps.conditions.catalogue import Field
from apps.conditions.compiling import HOLDS, compile_many
from apps.conditions.sentences import sentence
from apps.conditions.tree import Leaf, leaves, parse
from apps.conditions.types import ORDERED, Type, write_value
from apps.conditions.words import Words
from apps.orgs.gate import kind_called

MOST_COMBINATIONS = 20_000
MOST_TAGS = 4
"""Of so many tags every set is tried; of more, each alone, all, and none."""
MOST_SHOWN = 4
LIMITS = {Type.WEEKDAY: (1, 7), Type.HOUR: (0, 23)}

Combination = tuple[int, ...]
"""The number of a region for each field that is asked about."""
Box = tuple[tuple[int, ...], ...]
"""Several regions for each field: every combination of them."""


@dataclass(frozen=True, slots=True)
class Edge:
    value: Any
    is_in: bool = True


@dataclass(frozen=True, slots=True)
class Region:
    """Values of one field that no condition of the policy tells apart; `value` is one of them.

    `says` is the condition that holds for these values. `low` and `high` are the ends of numbers and dates, None where
    they are open.
    """

    value: Any
    says: Any
    low: Edge | None = None
    high: Edge | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A part of all requests: the condition that says which, and one of them as facts."""

    says: dict[str, Any]
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Requests that two bands fit; the first of them decides."""

    first: int
    second: int
    found: Found


@dataclass(frozen=True, slots=True)
class Never:
    """A band that decides nothing: `behind` are those that fit first; none where its condition cannot hold."""

    band: int
    behind: tuple[int, ...]


@dataclass(frozen=True)
class Coverage:
    gaps: tuple[Found, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    never: tuple[Never, ...] = ()
    tried: int = 0
    is_capped: bool = False
    """Whether only a part of what there is was tried."""


def coverage_of(
    kind: str,
    definition: Definition,
    units: Mapping[str, str],
    place: str = "",
    *,
    most: int = MOST_COMBINATIONS,
    shown: int | None = MOST_SHOWN,
) -> Coverage:
    """What the bands of `definition` cover, `units` being the paths of org units by code and `place` that of the policy.

    Of each finding at most `shown`; of gaps all where it is None.
    """
    if not definition.bands:
        return Coverage()
    space = _Space(kind, definition, units, place, most)
    return Coverage(
        tuple(space.gaps(shown)), tuple(space.overlaps(shown)), tuple(space.never()), len(space.held), space.is_capped
    )


class _Space:
    """The combinations that were tried, each with the bands that fit it as bits."""

    def __init__(self, kind: str, definition: Definition, units: Mapping[str, str], place: str, most: int) -> None:
        self.definition = definition
        catalogue = catalogue_of(kind)
        trees = [parse(band.when, catalogue) for band in definition.bands]
        asked: dict[str, list[Leaf]] = defaultdict(list)
        for tree in trees:
            for leaf in leaves(tree):
                if isinstance(leaf, Leaf):
                    asked[leaf.field.name].append(leaf)
        self.fields = [field for field in catalogue.fields if field.name in asked]
        counted = _counted(kind)
        split = [_regions(field, asked[field.name], units, place, counted) for field in self.fields]
        self.regions = [regions for regions, _ in split]
        self.sums = _sums(kind, [field.name for field in self.fields])
        self.is_capped = any(not is_whole for _, is_whole in split) or prod(map(len, self.regions)) > most
        self.impossible: set[Combination] = set()
        self.held: dict[Combination, int] = {}
        test = compile_many(trees, catalogue, units)
        subjects = subjects_of(kind, {})
        places = [_place(field, subjects) for field in self.fields]
        for combination in self._combinations(most):
            if not self._is_possible(combination):
                self.impossible.add(combination)
                continue
            for (subject, name), regions, number in zip(places, self.regions, combination, strict=True):
                setattr(subject, name, regions[number].value)
            self.held[combination] = sum(1 << band for band, found in enumerate(test(*subjects)) if found == HOLDS)

    def _combinations(self, most: int) -> Iterable[Combination]:
        sizes = [len(regions) for regions in self.regions]
        if prod(sizes) <= most:
            return product(*(range(size) for size in sizes))
        dice = Random(0)  # noqa: S311 -- the same sample every time, nothing secret
        return dict.fromkeys(tuple(dice.randrange(size) for size in sizes) for _ in range(most))

    def _is_possible(self, combination: Combination) -> bool:
        """Whether no total is smaller than what it is a total of."""
        for part, whole in self.sums:
            low, high = (self.regions[part][combination[part]].low, self.regions[whole][combination[whole]].high)
            if low is not None and high is not None and (high.value, high.is_in and low.is_in) < (low.value, True):
                return False
        return True

    def _is_known(self, combination: Combination) -> bool:
        return all(regions[number].value is not None for regions, number in zip(self.regions, combination, strict=True))

    # What is found.

    def gaps(self, shown: int | None) -> Iterator[Found]:
        """First those of which everything is known; only where there are none, what is left open where it is not."""
        open_ones = [combination for combination, bits in self.held.items() if not bits]
        known = [combination for combination in open_ones if self._is_known(combination)]
        wanted = open_ones if shown is None else known or open_ones
        yield from self._found(wanted, set(open_ones), shown)

    def overlaps(self, shown: int | None) -> Iterator[Overlap]:
        """For each pair of bands where the requests are that both fit; a band for all others overlaps on purpose."""
        bands = self.definition.bands
        both: dict[tuple[int, int], list[Combination]] = defaultdict(list)
        for combination, bits in self.held.items():
            first = _lowest(bits)
            if first is None:
                continue
            for second in range(first + 1, len(bands)):
                if bits >> second & 1 and bands[second].when != {"all": []}:
                    both[first, second].append(combination)
        for (first, second), where in sorted(both.items())[: (shown or MOST_SHOWN) * 2]:
            known = [combination for combination in where if self._is_known(combination)]
            for found in self._found(known or where, set(where), 1):
                yield Overlap(first, second, found)

    def never(self) -> Iterator[Never]:
        for band in range(len(self.definition.bands)):
            fits = [bits for bits in self.held.values() if bits >> band & 1]
            before = {_lowest(bits) for bits in fits}
            if band not in before:
                yield Never(band, tuple(sorted(each for each in before if each is not None)))

    def _found(self, where: Collection[Combination], inside: set[Combination], most: int | None) -> Iterator[Found]:
        """`where` in as few parts as it takes, each as large as it goes within `inside`; at most so many."""
        seen: set[Combination] = set()
        number = 0
        for combination in sorted(where):
            if combination in seen:
                continue
            box = tuple((each,) for each in combination) if self.is_capped else self._grown(combination, inside)
            seen.update(product(*box))
            yield Found(self._says(box), self._facts(combination))
            number += 1
            if most is not None and number >= most:
                return

    def _grown(self, start: Combination, inside: set[Combination]) -> Box:
        box: list[tuple[int, ...]] = [(each,) for each in start]

        def fits(dimension: int, region: int) -> bool:
            sides = [*box[:dimension], (region,), *box[dimension + 1 :]]
            return all(each in inside or each in self.impossible for each in product(*sides))

        for dimension, regions in enumerate(self.regions):
            if regions[start[dimension]].value is None:
                continue
            is_ordered = self.fields[dimension].type in ORDERED
            for way in (1, -1):
                step = start[dimension] + way
                while 0 <= step < len(regions):
                    if regions[step].value is not None and fits(dimension, step):
                        box[dimension] = tuple(sorted((*box[dimension], step)))
                    elif is_ordered:
                        break
                    step += way
            unknown = len(regions) - 1
            if len(box[dimension]) == unknown and fits(dimension, unknown):
                box[dimension] = (*box[dimension], unknown)
        return tuple(box)

    def _says(self, box: Box) -> dict[str, Any]:
        said = []
        for field, regions, chosen in zip(self.fields, self.regions, box, strict=True):
            if len(chosen) == len(regions):
                continue
            is_any = len(chosen) == len(regions) - 1 and regions[chosen[-1]].value is not None
            said += [_leaf(field, "is_set")] if is_any else _says(field, [regions[number] for number in chosen])
        return {"all": said}

    def _facts(self, combination: Combination) -> dict[str, Any]:
        chosen = [regions[number] for regions, number in zip(self.regions, combination, strict=True)]
        values = [region.value for region in chosen]
        for part, whole in self.sums:
            if values[part] is None or values[whole] is None or values[whole] >= values[part]:
                continue
            high = chosen[whole].high
            if high is None or high.value > values[part] or (high.is_in and high.value == values[part]):
                values[whole] = values[part]
            elif high.is_in:
                values[whole] = high.value
                values[part] = min(values[part], high.value)
        return {
            field.name: plain(value)
            for field, value in zip(self.fields, values, strict=True)
            if value is not None
        }  # fmt: skip


def _place(field: Field, subjects: tuple[SimpleNamespace, SimpleNamespace]) -> tuple[SimpleNamespace, str]:
    """Where a condition reads the field."""
    owner, name = field.read.split(".")
    return subjects[0] if owner == "request" else subjects[1], name


def _lowest(bits: int) -> int | None:
    return (bits & -bits).bit_length() - 1 if bits else None


def _counted(kind: str) -> frozenset[str]:
    """The fields that count without a sign: what adds up, its totals, the number of requests."""
    adds_up = kind_called(kind).adds_up
    return frozenset((*adds_up, *(field.name for field in SUMS), "requester.requests"))


def _sums(kind: str, fields: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of a field and a total that holds it, by their numbers among `fields`."""
    first = next(iter(kind_called(kind).adds_up), None)
    if first not in fields:
        return []
    return [(fields.index(first), fields.index(field.name)) for field in SUMS if field.name in fields]


# The regions of one field, and whether they are all that there is to tell apart.


def _regions(
    field: Field, asked: Sequence[Leaf], units: Mapping[str, str], place: str, counted: Collection[str]
) -> tuple[list[Region], bool]:
    constants = _constants(asked)
    is_whole = True
    match field.type:
        case Type.BOOLEAN:
            regions = [Region(True, _leaf(field, "is_true")), Region(False, _leaf(field, "is_false"))]
        case Type.UNIT:
            regions = _of_units(field, constants, units, place)
        case Type.TAGS:
            regions, is_whole = _of_tags(field, constants)
        case kind if kind in ORDERED:
            low, high = LIMITS.get(kind, (0 if field.name in counted else None, None))
            regions = _of_numbers(field, constants, low, high)
        case _:
            regions, is_whole = _of_texts(field, constants, asked)
    return [*regions, Region(None, _leaf(field, "is_not_set"))], is_whole


def _constants(asked: Sequence[Leaf]) -> list[Any]:
    found: dict[Any, None] = {}
    for leaf in asked:
        values = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
        found |= dict.fromkeys(value for value in values if value is not None)
    return list(found)


def _leaf(field: Field, operator: str, *value: Any) -> dict[str, Any]:
    leaf: dict[str, Any] = {"field": field.name, "op": operator}
    return leaf | {"value": write_value(value[0])} if value else leaf


def _of_numbers(field: Field, constants: Sequence[Any], lowest: Any, highest: Any) -> list[Region]:
    """Each constant, and what lies below, between and above them; nothing beyond `lowest` and `highest`."""
    step = _step(field.type)
    points = sorted(
        each
        for each in set(constants)
        if (lowest is None or each >= lowest) and (highest is None or each <= highest)
    )  # fmt: skip
    if not points:
        value = lowest if lowest is not None else date(2000, 1, 1) if field.type is Type.DATE else 0
        return [Region(value, None)]
    regions: list[Region] = []
    below = points[0] - step(1)
    if lowest is None or points[0] > lowest:
        value = below if lowest is None or below >= lowest else Decimal(points[0] + lowest) / 2
        regions.append(Region(value, None, None, _edge(field, points[0], -1)))
    for number, point in enumerate(points):
        regions.append(Region(point, None, Edge(point), Edge(point)))
        after = points[number + 1] if number + 1 < len(points) else None
        low = _edge(field, point, 1)
        if after is None:
            if highest is None or point < highest:
                regions.append(Region(point + step(1), None, low, None))
        elif field.type is Type.NUMBER:
            regions.append(Region((point + after) / 2, None, low, _edge(field, after, -1)))
        elif after - point > step(1):
            regions.append(Region(point + step(1), None, low, _edge(field, after, -1)))
    return regions


def _step(kind: Type) -> Callable[[int], Any]:
    return (lambda days: timedelta(days=days)) if kind is Type.DATE else lambda number: number


def _edge(field: Field, value: Any, way: int) -> Edge:
    """The next value after `value` (1) or before it (-1); the value itself, left out, where there is none."""
    return Edge(value, is_in=False) if field.type is Type.NUMBER else Edge(value + _step(field.type)(way))


def _of_tags(field: Field, constants: Sequence[str]) -> tuple[list[Region], bool]:
    is_whole = len(constants) <= MOST_TAGS
    sizes = range(len(constants) + 1) if is_whole else (0, 1, len(constants))
    regions = []
    for chosen in (each for size in sizes for each in combinations(constants, size)):
        rest = [tag for tag in constants if tag not in chosen]
        said = [_leaf(field, "has_all", chosen)] if chosen else []
        said += [_leaf(field, "has_none", tuple(rest))] if rest else []
        regions.append(Region(chosen, {"all": said}))
    return regions, is_whole


def _of_units(field: Field, constants: Sequence[str], units: Mapping[str, str], place: str) -> list[Region]:
    """Each unit that is named, without those named below it; and one outside all of them. Where a request is, is below
    `place`."""
    within = place if field.name == "request.unit" else ""
    named = {code: units[code] for code in constants if code in units}
    regions = []
    for code, path in named.items():
        if path.startswith(within):
            below = tuple(other for other, each in named.items() if each != path and each.startswith(path))
            said = [_leaf(field, "within", (code,)), *([_leaf(field, "not_within", below)] if below else [])]
            regions.append(Region(path, {"all": said} if below else said[0]))
    others = (
        path
        for path in sorted(units.values())
        if path.startswith(within) and not any(path.startswith(each) for each in named.values())
    )
    outside = next(others, None)
    if outside is not None:
        regions.append(Region(outside, _leaf(field, "not_within", tuple(named)) if named else {"all": []}))
    return regions


def _of_texts(field: Field, constants: Sequence[str], asked: Sequence[Leaf]) -> tuple[list[Region], bool]:
    """Each text that is named, those that are found within texts also together; and another one."""
    parts = {leaf.value for leaf in asked if leaf.operator.code in ("contains", "starts_with")}
    values = dict.fromkeys(constants)
    values |= dict.fromkeys(f"{one} {other}" for one in sorted(parts) for other in sorted(parts) if one != other)
    regions = [Region(value, _leaf(field, "eq", value)) for value in values]
    known = [code for code, _ in field.choices if code not in values]
    if field.is_closed:
        regions += [Region(code, _leaf(field, "eq", code)) for code in known]
    else:
        other = _leaf(field, "not_in", tuple(constants)) if len(constants) > 1 else None
        other = other or (_leaf(field, "ne", constants[0]) if constants else {"all": []})
        if parts:
            other = {"not": {"any": [_leaf(field, "eq", each) for each in constants if each not in parts]
                                    + [_leaf(field, "contains", each) for each in sorted(parts)]}}  # fmt: skip
        regions.append(Region(next(iter(known), _another(constants)), other))
    return regions, not parts


def _another(constants: Sequence[str]) -> str:
    """A text that holds none of them: its one character stands in none."""
    return next(letter for letter in "?#@&%$~^|" if not any(letter in each for each in constants))


# Regions as conditions, so that they read as every condition does.


def _says(field: Field, regions: Sequence[Region]) -> list[dict[str, Any]]:
    """The leaves that all hold for exactly the values of `regions`."""
    if regions[0].value is not None and field.type in ORDERED:
        return _says_range(field, regions)
    leaf = regions[0].says
    if len(regions) == 1:
        return leaf["all"] if isinstance(leaf, dict) and "all" in leaf else [leaf]
    values = [each.says["value"] for each in regions if each.says.get("op") == "eq"]
    if len(values) == len(regions):
        return [_leaf(field, "in", tuple(values))]
    return [{"any": [each.says for each in regions]}]


def _says_range(field: Field, regions: Sequence[Region]) -> list[dict[str, Any]]:
    low, high = regions[0].low, regions[-1].high
    if field.type is Type.WEEKDAY:
        first = low.value if low is not None else 1
        last = high.value if high is not None else 7
        return [_leaf(field, "in", tuple(range(first, last + 1)))]
    if low is not None and high is not None and low.is_in and high.is_in:
        if low.value == high.value:
            return [_leaf(field, "eq", low.value)]
        return [_leaf(field, "between", (low.value, high.value))]
    said = []
    if low is not None:
        said.append(_leaf(field, "ge" if low.is_in else "gt", low.value))
    if high is not None:
        said.append(_leaf(field, "le" if high.is_in else "lt", high.value))
    return said


# The findings in words.

GAP = {
    "at_once": Words(
        "Nothing above fits when {when}: such a request is carried out at once.",
        "当{when}时，以上各档均不符合：此类申请直接执行。",
    ),
    "refused": Words(
        "Nothing above fits when {when}: such a request is refused.",
        "当{when}时，以上各档均不符合：此类申请不予受理。",
    ),
}
GAP_ALL = {
    "at_once": Words(
        "Nothing ever fits: every request is carried out at once.", "没有任何申请符合以上各档：所有申请直接执行。"
    ),
    "refused": Words("Nothing ever fits: every request is refused.", "没有任何申请符合以上各档：所有申请不予受理。"),
}
OVERLAP = Words(
    "“{first}” and “{second}” both fit when {when}: “{first}” stands higher and decides.",
    "当{when}时，“{first}”和“{second}”都符合：以排在前面的“{first}”为准。",
)
SHORTER = Words(
    "“{first}” and “{second}” both fit when {when}: “{first}” stands higher and decides, although fewer people "
    "are asked there.",
    "当{when}时，“{first}”和“{second}”都符合：以排在前面的“{first}”为准，但其审批人更少。",
)
CONTRADICTS = Words(
    "“{band}” can never fit: no request meets its condition.", "“{band}”永远不会符合：没有申请能满足其条件。"
)
BEHIND = Words(
    "“{band}” never decides: whatever fits it fits {others} first.",
    "“{band}”永远不起作用：符合它的申请都先符合{others}。",
)
QUOTED, LIST = Words("“{name}”", "“{name}”"), Words(" or ", "或")
CAPPED = Words(
    "There are more cases than can be tried here: {n} were tried, so something may have been missed.",
    "情形过多，无法全部检验：仅检验了 {n} 种，可能有遗漏。",
)
WHOLE = Words("Every request fits one of the bands.", "每个申请都符合其中一档。")


@dataclass(frozen=True, slots=True)
class Remark:
    """One finding as a sentence. `is_warning` where somebody should look; `band` is the one it is about; `facts` a
    request of that kind."""

    text: str
    is_warning: bool = False
    band: int | None = None
    facts: Mapping[str, Any] | None = None


def remarks(
    kind: str,
    definition: Definition,
    found: Coverage,
    language: str,
    unit_names: Mapping[str, str] | None = None,
) -> list[Remark]:
    """What was found, as sentences in a language: what needs a look first."""
    bands = definition.bands
    if not bands:
        return []

    def said(part: Found) -> str:
        catalogue = catalogue_of(kind)
        return sentence(parse(part.says, catalogue), catalogue, language, unit_names)

    def quoted(numbers: Iterable[int]) -> str:
        names = (QUOTED.in_language(language).format(name=bands[number].name) for number in numbers)
        return LIST.in_language(language).join(names)

    made = []
    for never in found.never:
        words = BEHIND if never.behind else CONTRADICTS
        text = words.in_language(language).format(band=bands[never.band].name, others=quoted(never.behind))
        made.append(Remark(text, True, never.band))
    for overlap in found.overlaps:
        first, second = bands[overlap.first], bands[overlap.second]
        is_shorter = first.length < second.length
        text = (SHORTER if is_shorter else OVERLAP).in_language(language)
        text = text.format(first=first.name, second=second.name, when=said(overlap.found))
        made.append(Remark(text, is_shorter, overlap.second, overlap.found.facts))
    for gap in found.gaps:
        words = (GAP if gap.says["all"] else GAP_ALL)[definition.otherwise]
        text = words.in_language(language).format(when=said(gap))
        made.append(Remark(text, False, None, gap.facts))
    if not found.gaps and not found.is_capped:
        made.append(Remark(WHOLE.in_language(language)))
    if found.is_capped:
        made.append(Remark(CAPPED.in_language(language).format(n=f"{found.tried:,}"), True))
    return sorted(made, key=lambda remark: not remark.is_warning)
