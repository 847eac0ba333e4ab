"""Why an event earned what it earned, and why a rule gave nothing: the kept answer, in words. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from apps.conditions.sentences import sentence
from apps.conditions.tree import ConditionError, Leaf, Tree, leaves, parse
from apps.conditions.types import Type
from apps.core.formats import money, number
from apps.rules.catalogue import CATALOGUE, SPECIAL_DAYS
from apps.rules.effects import CARRY
from apps.rules.evaluate import OUTDONE
from apps.rules.sentences import Names, limit_words, plain
from apps.rules.sentences import amount as plain_money


@dataclass(frozen=True)
class Reason:
    """One award: its points and their type's code, and the sentences that say why. `title` names the rule and its
    version."""

    points: int
    point_type: str
    title: str
    sentences: tuple[str, ...]
    version_id: int | None = None


def reasons(
    answer: Mapping[str, Any], definitions: Mapping[int, Any], currency: str, names: Names | None = None
) -> list[Reason]:
    """The awards in the answer an event got. `definitions` holds the versions' definitions by their id, `names`
    what units and special days are called; without, they are called by their codes."""
    return [_reason(award, definitions, currency, names) for award in answer.get("awards") or ()]


def _reason(award: Mapping[str, Any], definitions: Mapping[int, Any], currency: str, names: Names | None) -> Reason:
    version = award.get("version_id")
    why = award.get("why") or {}
    says = [worth(why, currency), *bases(why)]
    if why.get("code") not in ("refund", "undone"):
        says.append(condition_sentence(definitions.get(version or 0), _("It held that %(clause)s."), names))
    says.append(cut(why, currency))
    title = ""
    if award.get("rule_name"):
        title = _("%(rule)s, version %(number)s") % {"rule": award["rule_name"], "number": award.get("version", "")}
    if award.get("state") == "pending":
        says.append(waiting(why))
    return Reason(
        int(award.get("points") or 0), award.get("point_type") or "", title, tuple(filter(None, says)), version
    )  # fmt: skip


def cut(why: Mapping[str, Any], currency: str) -> str:
    """What a limit cut off; empty where none did. Awards of the first days name no limit: theirs was a day's."""
    if not why.get("cut"):
        return ""
    limit = {"per": "member", "period": "day", "of": "points"} | (why.get("limit") or {}) | {"most": why.get("cap")}
    clause = limit_words(limit, currency, get_language() or "en")
    return _("The limit cut off %(cut)s: %(limit)s.") % {"cut": number(why["cut"]), "limit": clause}


def waiting(why: Mapping[str, Any]) -> str:
    """What pending points wait for."""
    if why.get("held"):
        return _("Held for review: %(reasons)s.") % {"reasons": "; ".join(why["held"])}
    if why.get("until"):
        return _("The points are pending until “%(kind)s” confirms this event.") % {"kind": why["until"]}
    return _("The points are pending until the time for returns is over.")


def releases(answer: Mapping[str, Any], names: Mapping[int, str]) -> list[str]:
    """What an event released that had waited for it; `names` are the versions'."""
    return [
        _("It made %(points)s spendable: %(rule)s.")
        % {"points": _points(Decimal(each["points"])), "rule": names[each["version_id"]]}
        for each in answer.get("released") or ()
        if each["version_id"] in names
    ]


def bases(why: Mapping[str, Any]) -> list[str]:
    """What the number of points was not reckoned from, and whether each line was rounded by itself."""
    left = why.get("without") or ()
    words = {
        (True, False): _("Tax is left out."),
        (False, True): _("Shipping is left out."),
        (True, True): _("Tax and shipping are left out."),
    }.get(("tax" in left, "shipping" in left), "")
    by_line = _("Each line of the order is rounded by itself.") if why.get("each") == "line" else ""
    return [words, by_line]


def worth(why: Mapping[str, Any], currency: str) -> str:
    """How the number of points came about."""
    worded: dict[str, Callable[[], str]] = {
        "fixed": lambda: _fixed(why) % {"points": _points(Decimal(why["points"])), "steps": why.get("steps")},
        "per_amount": lambda: (
            _rounded(why.get("rounding", ""))
            % {
                "amount": money(Decimal(why["amount"]), currency),
                **{name: money(Decimal(why.get(name, 0)), currency) for name in ("carried", "left")},
                "rate": _points(Decimal(why["rate"])),
                "per": plain_money(Decimal(why["per"]), currency),
                "points": _points(Decimal(why["points"])),
            }
        ),
        "per_quantity": lambda: (
            _rounded(why.get("rounding", ""))
            % {
                "amount": _pieces(Decimal(why["quantity"])),
                **{name: _pieces(Decimal(why.get(name, 0))) for name in ("carried", "left")},
                "rate": _points(Decimal(why["rate"])),
                "per": _pieces(Decimal(why["per"])),
                "points": _points(Decimal(why["points"])),
            }
        ),
        "multiply": lambda: (
            _("%(times)s times the %(base)s given before adds %(points)s.")
            % {
                "times": plain(Decimal(why["times"])),
                "base": _points(Decimal(why["base"])),
                "points": _points(Decimal(why["points"])),
            }
        ),
        "table": lambda: (
            ngettext(
                "Row %(rows)s of the table gives %(points)s.",
                "Rows %(rows)s of the table give %(points)s.",
                len(why["rows"]),
            )
            % {"rows": ", ".join(map(str, why["rows"])), "points": _points(Decimal(why["points"]))}
        ),
        "undone": lambda: (
            _("What “%(rule)s” counts is no longer reached, so what it gave for that is taken back.")
            % {"rule": why["rule"]}
        ),
        "refund": lambda: (
            _(
                "%(refunded)s of %(amount)s were given back, so that share of the %(earned)s points earned is taken back."
            )
            % {
                "refunded": money(Decimal(why["refunded"]), currency),
                "amount": money(Decimal(why["amount"]), currency),
                "earned": number(why["earned"]),
            }
        ),
    }
    try:
        return worded[why["code"]]()
    except (KeyError, InvalidOperation, TypeError, ValueError):
        return ""


def _fixed(why: Mapping[str, Any]) -> str:
    if why.get("steps"):
        return _("The goal was reached %(steps)s times at once: %(points)s.")
    return _("A fixed %(points)s.")


def progress(answer: Mapping[str, Any], currency: str) -> list[str]:
    """How far each rule that gathers has come with the event: “Coffee card: 7 of 10”."""
    return [
        _("%(rule)s: %(done)s of %(goal)s")
        % {
            "rule": each["rule_name"],
            **{name: measured(each["of"], Decimal(each[name]), currency) for name in ("done", "goal")},
        }
        for each in answer.get("progress") or ()
        if not each["of"].startswith(CARRY)
    ]


def measured(of: str, value: Decimal, currency: str) -> str:
    """So much of what is gathered: money as such, everything else as a number."""
    return plain_money(value, currency) if of == "amount" else plain(value)


def left_over(measures: str, value: Decimal, currency: str) -> str:
    """So much of what a rate measures, as is carried on."""
    return _pieces(value) if measures == "pieces" else plain_money(value, currency)


def _points(value: Decimal) -> str:
    return ngettext("%(n)s point", "%(n)s points", 1 if value == 1 else 2) % {"n": plain(value)}


def _pieces(value: Decimal) -> str:
    return ngettext("%(n)s piece", "%(n)s pieces", 1 if value == 1 else 2) % {"n": plain(value)}


def _rounded(name: str) -> str:
    return {
        "ROUND_DOWN": _("%(amount)s at %(rate)s for each %(per)s is %(points)s, rounded down."),
        CARRY: _(
            "%(amount)s, with %(carried)s carried over, at %(rate)s for each %(per)s is %(points)s; %(left)s is carried on."
        ),
        "ROUND_UP": _("%(amount)s at %(rate)s for each %(per)s is %(points)s, rounded up."),
    }.get(name, _("%(amount)s at %(rate)s for each %(per)s is %(points)s, rounded to the nearest whole point."))


def why_not(
    skipped: Any, rules: Mapping[int, str], definitions: Mapping[int, Any], names: Names | None = None
) -> list[str]:
    """Why each rule in force gave nothing: the first part of its condition that did not hold. `skipped` holds pairs of
    a version's id and the number of that part; versions missing from `names` are left out."""
    told = []
    for version, failed in skipped or ():
        if version not in rules:
            continue
        clause = _leaf_sentence(definitions.get(version), failed, names)
        if failed == OUTDONE:
            told.append(_("%(rule)s: another rule of its group was taken.") % {"rule": rules[version]})
        elif clause:
            told.append(_("%(rule)s: it did not hold that %(clause)s.") % {"rule": rules[version], "clause": clause})
        else:
            told.append(_("%(rule)s: its condition did not hold.") % {"rule": rules[version]})
    return told


def condition_sentence(definition: Any, template: str, names: Names | None = None) -> str:
    """The condition of a definition, set into `template` at `clause`; empty where there is none to speak of."""
    tree = _tree(definition, names)
    if tree is None or not list(leaves(tree)):
        return ""
    return template % {"clause": _in_words(tree, names)}


def units_named(definitions: Iterable[Any]) -> set[str]:
    """The codes of the org units that the conditions of `definitions` name."""
    return {code for leaf in _asked(definitions) if leaf.reads is Type.UNIT for code in leaf.value or ()}


def special_days_named(definitions: Iterable[Any]) -> set[str]:
    """The codes of the special days that they name."""
    return {code for leaf in _asked(definitions) if leaf.field.name == SPECIAL_DAYS for code in leaf.value or ()}


def _asked(definitions: Iterable[Any]) -> list[Leaf]:
    trees = [tree for definition in definitions if (tree := _tree(definition))]
    return [leaf for tree in trees for leaf in leaves(tree) if isinstance(leaf, Leaf)]


def _in_words(tree: Tree, names: Names | None) -> str:
    return sentence(tree, CATALOGUE, get_language() or "en", names.units if names else None)


def _leaf_sentence(definition: Any, place: int, names: Names | None) -> str:
    tree = _tree(definition, names)
    parts = list(leaves(tree)) if tree is not None else []
    return _in_words(parts[place], names) if 0 <= place < len(parts) else ""


def _tree(definition: Any, names: Names | None = None) -> Tree | None:
    try:
        return parse((definition or {}).get("condition"), names.catalogue if names else CATALOGUE)
    except ConditionError:
        return None
