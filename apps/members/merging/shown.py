"""Two members side by side, and what a merge moved, as pages show them: masked, as far as the reader may see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.core.formats import day, number
from apps.members.changes import HIDDEN
from apps.members.merging import choosing, moving
from apps.members.merging.models import DuplicatePair, Merge
from apps.members.merging.parts import parts
from apps.members.models import AttributeDefinition, Member
from apps.members.querysets import definitions_at, masks_of
from apps.members.words import attributes_in_words, field_in_words


@dataclass(frozen=True)
class Row:
    """One line: what each of the two says. `field` names a particular that can be chosen, `usual` the member it is taken from
    where nobody chooses."""

    name: str
    left: str
    right: str
    field: str = ""
    differs: bool = False
    usual: int = 0


def rows_of(person: Any, kept: Member, gone: Member) -> list[Row]:
    """The two side by side, the kept one on the left. A constant number of queries. Raises Unreadable."""
    sides = [
        moving.side_of(member, since) for member, since in zip((kept, gone), moving.told_since(kept, gone), strict=True)
    ]
    usual, differing = choosing.usual(*sides), set(choosing.differing(*sides))
    masks = masks_of([kept.pk, gone.pk])
    definitions = definitions_at([kept.home_unit.path, gone.home_unit.path])
    told = [_in_words(member, definitions) for member in (kept, gone)]
    named = [" · ".join(masks[member.pk]) or "—" for member in (kept, gone)]
    rows = [Row(_("Identifiers"), named[0], named[1])]
    for field in choosing.fields_of(*sides):
        is_free = field in differing and field != "joined_on"
        source = kept.pk if usual[field] == choosing.KEPT else gone.pk
        left, right = (each.get(field, "") or "—" for each in told)
        name = told[0].get(f"name:{field}") or told[1].get(f"name:{field}") or field_in_words(field)
        rows.append(Row(name, left, right, field if is_free else "", field in differing, source))
    language = get_language() or "en"
    for part in parts():
        for line in part.beside(person, [kept.pk, gone.pk]):
            left, right = (line.values.get(member.pk, "—") for member in (kept, gone))
            rows.append(Row(line.name.in_language(language), left, right))
    return rows


def _in_words(member: Member, definitions: list[AttributeDefinition]) -> dict[str, str]:
    """By field what may be shown of it; of attributes also what they are called."""
    told = {
        "name": member.masked_name, "birth_on": HIDDEN if member.birth_on_cipher else "", "home_unit": str(member.home_unit),
        "joined_on": day(member.joined_on), "referrer": f"#{member.brought_by_id}" if member.brought_by_id else "",
    }  # fmt: skip
    for key, value in member.attributes.items():
        [(name, text)] = attributes_in_words(definitions, {key: value})
        told |= {f"attributes:{key}": text, f"name:attributes:{key}": name}
    return told


def reasons_in_words(pair: DuplicatePair) -> list[str]:
    """Why they may be one person, the strongest first."""
    strengths: Mapping[str, int] = pair.reasons
    said = [_reason(code, strength) for code, strength in sorted(strengths.items(), key=lambda each: -each[1])]
    return [*([_("proposed by hand")] if pair.proposed_by_id or pair.note else []), *said]


def _reason(code: str, strength: int) -> str:
    match code:
        case "value":
            return _("the same value under two kinds of identifier")
        case "birthday":
            return _("the same birthday, names alike to %(share)s %%") % {"share": number(2 * (strength - 40))}
        case "ending":
            return _("the same last four characters, names alike to %(share)s %%") % {
                "share": number(min(100, round(2.5 * (strength - 30))))
            }
    return code


def moved_in_words(merge: Merge) -> list[tuple[str, str]]:
    """What moved, and what came back."""
    language, moved = get_language() or "en", merge.moved.get("members", {})
    lines = [(_("Identifiers that moved"), number(len(moved.get("identifiers", ()))))]
    for name, key in ((_("Tags that moved"), "tags"), (_("Members whom the merged one had brought"), "friends")):
        if moved.get(key):
            lines.append((name, number(len(moved[key]))))
    taken = [field for field, whose in merge.choices.items() if whose == choosing.GONE]
    if taken:
        lines.append(
            (_("Particulars taken from the merged member"), ", ".join(field_in_words(field) for field in taken))
        )
    for part in parts():
        lines += [(words.in_language(language), figure) for words, figure in part.told(merge)]
    if stayed := merge.returned.get("members", {}).get("stayed"):
        lines.append(
            (_("Particulars changed since, which stayed"), ", ".join(field_in_words(field) for field in stayed))
        )
    return lines
