"""What differs between two versions of a rule, in words. Pure."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from apps.conditions.tree import ConditionError, Group, Tree, parse, to_json
from apps.conditions.words import Words
from apps.rules.catalogue import CATALOGUE
from apps.rules.sentences import (
    Names,
    amount,
    condition_words,
    firing_words,
    limit_words,
    plain,
    rate,
    stacking_words,
    validity_words,
)

CHANGED = Words("{what}: {old} → {new}", "{what}：{old} → {new}")
ADDED = Words("Added: {what}", "新增：{what}")
REMOVED = Words("Removed: {what}", "删除：{what}")
EFFECT = Words("What members earn", "会员所得")
RATE = Words("Points for each {per}", "每 {per} 的积分")
LIMIT = Words("Limit", "上限")
GOAL = Words("Goal", "目标")
STACKING = Words("Beside other rules", "与其他规则")
VALIDITY = Words("These points", "这些积分")
AS_KIND = Words("as their kind says", "按积分类型的规定")
ORDERED = Words("{said} (number {order})", "{said}（第 {order} 位）")
HOW = Words("How the conditions combine", "条件的组合方式")
ALL, ANY = Words("all of them", "全部满足"), Words("any of them", "任一满足")
CONDITION = Words("Condition", "条件")


@dataclass(frozen=True)
class Difference:
    """One thing that differs: changed where both are given, else added or removed."""

    what: Words
    old: str
    new: str

    def sentence(self, language: str) -> str:
        if self.old and self.new:
            what = self.what.in_language(language)
            return CHANGED.in_language(language).format(what=what, old=self.old, new=self.new)
        template = ADDED if self.new else REMOVED
        return template.in_language(language).format(what=self.new or self.old)


def differences(older: Any, newer: Any, names: Names, language: str) -> list[str]:
    """What changed from `older` to `newer`, one line each; none where they say the same."""
    found = [
        *_effects(older.get("effects", []), newer.get("effects", []), names, language),
        *_conditions(older.get("condition"), newer.get("condition"), names, language),
        *_limits(older.get("limits", []), newer.get("limits", []), names.currency, language),
        *_goal(older.get("accumulator"), newer.get("accumulator"), names, language),
        *_stacking(older.get("stacking"), newer.get("stacking"), language),
        *_validity(older.get("validity"), newer.get("validity"), language),
    ]
    return [difference.sentence(language) for difference in found]


def _pairs(older: list[Any], newer: list[Any]) -> list[tuple[Any, Any]]:
    """What stands in both is left out; of the rest, the first old with the first new one, and so on."""
    old = [each for each in older if each not in newer]
    new = [each for each in newer if each not in older]
    longest = max(len(old), len(new))
    return list(zip(old + [None] * (longest - len(old)), new + [None] * (longest - len(new)), strict=True))


def _effects(older: list[Any], newer: list[Any], names: Names, language: str) -> list[Difference]:
    return [_effect(old, new, names, language) for old, new in _pairs(older, newer)]


def _effect(old: Any, new: Any, names: Names, language: str) -> Difference:
    """The rate alone where nothing else of the effect differs."""
    if old and new and old.get("effect") == "points_per_amount" and old | {"points": ""} == new | {"points": ""}:
        per = amount(Decimal(old["per"]), names.currency)
        what = Words(RATE.en.format(per=per), RATE.zh.format(per=per))
        return Difference(what, plain(Decimal(old["points"])), plain(Decimal(new["points"])))
    return Difference(EFFECT, *(rate(each, names, language) if each else "" for each in (old, new)))


def _conditions(older: Any, newer: Any, names: Names, language: str) -> list[Difference]:
    """The parts of the uppermost group one by one; deeper trees as a whole."""
    old, new = _parts(older), _parts(newer)
    if old is None or new is None:
        return []
    if len(old[1]) > 1 and len(new[1]) > 1 and old[0] != new[0]:
        words = {"all": ALL, "any": ANY}
        how = Difference(HOW, words[old[0]].in_language(language), words[new[0]].in_language(language))
        return [how, *_clauses(old[1], new[1], names, language)]
    return _clauses(old[1], new[1], names, language)


def _clauses(old: list[Any], new: list[Any], names: Names, language: str) -> list[Difference]:
    def words(part: Any) -> str:
        return condition_words(part, names, language)

    removed = [Difference(CONDITION, words(part), "") for part in old if part not in new]
    return removed + [Difference(CONDITION, "", words(part)) for part in new if part not in old]


def _parts(data: Any) -> tuple[str, list[Any]] | None:
    """How the uppermost group combines, and its parts as JSON of one spelling."""
    try:
        tree: Tree = parse(data, CATALOGUE)
    except ConditionError:
        return None
    return (
        (tree.kind, [to_json(child) for child in tree.children])
        if isinstance(tree, Group)
        else ("all", [to_json(tree)])
    )


def _limits(older: list[Any], newer: list[Any], currency: str, language: str) -> list[Difference]:
    """A limit of the same kind is one that was raised or lowered."""

    def kind(limit: Any) -> tuple[Any, ...]:
        return limit["per"], limit["period"], limit["of"]

    old, new = {kind(each): each for each in older}, {kind(each): each for each in newer}
    return [
        Difference(LIMIT, *(limit_words(each[key], currency, language) if key in each else "" for each in (old, new)))
        for key in dict.fromkeys([*old, *new])
        if old.get(key) != new.get(key)
    ]


def _goal(old: Any, new: Any, names: Names, language: str) -> list[Difference]:
    def words(gathered: Any) -> str:
        return firing_words(gathered, names, language) if gathered else ""

    return [] if old == new else [Difference(GOAL, words(old), words(new))]


def _stacking(old: Any, new: Any, language: str) -> list[Difference]:
    def words(stacking: Any) -> str:
        if not stacking:
            return ""
        return ORDERED.in_language(language).format(said=stacking_words(stacking, language), order=stacking["order"])

    return [] if old == new else [Difference(STACKING, words(old), words(new))]


def _validity(old: Any, new: Any, language: str) -> list[Difference]:
    says = [validity_words(each or {}, language) or AS_KIND.in_language(language) for each in (old, new)]
    return [] if old == new else [Difference(VALIDITY, *says)]
