"""Fields of a member as people read them."""

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from apps.core.formats import day, number
from apps.core.history import Change, in_words
from apps.members.allowed import listed
from apps.members.changes import HIDDEN, TAG, FieldChange, attribute_text
from apps.members.models import AttributeDefinition, Identifier, Look, Member

OWN_DATA = "own data"
"""What `Look.what` says where a member's own data left as a file."""
NAME_SOUGHT = f"name {HIDDEN}"
"""What `Look.what` says where members were looked for by a part of their name."""


def kind_in_words(kind: str) -> str:
    """A kind of identifier; kinds of other systems as they are."""
    return str(dict(Identifier.Kind.choices).get(kind, kind))


def field_in_words(field: str) -> str:
    """`name`, `identifier:phone`, `attributes:colour` as a person reads them."""
    part, _colon, rest = field.partition(":")
    if part == "identifier":
        return kind_in_words(rest)
    if part == "verified":
        return _("Verified: %(kind)s") % {"kind": kind_in_words(rest)}
    if part == "attributes":
        return _("Attribute “%(name)s”") % {"name": rest}
    if part == "tag":
        return _("Tag “%(key)s”") % {"key": rest}
    return {
        "name": pgettext("of a person", "Name"), "birth_on": _("Birthday"), "home_unit": _("Home unit"),
        "state": _("State"), "referrer": _("Recommended by"),
        "joined_on": _("Joined on"), "merged_from": _("Merged from"), "merged_into": _("Merged into"),
    }.get(field, kind_in_words(field))  # fmt: skip


def fields_in_words(fields: str) -> str:
    """`name, phone` as “Name, Phone”."""
    return ", ".join(field_in_words(field) for field in fields.split(", "))


def seen_in_words(look: Look) -> str:
    """What was shown, taken or searched for: “Name, Phone”, “138****1234”, “part of a name”."""
    if look.kind == Look.Kind.REVEAL:
        return fields_in_words(look.what)
    if look.kind == Look.Kind.EXPORT:
        return file_in_words(look.what)
    return _("part of a name") if look.what == NAME_SOUGHT else look.what


def file_in_words(what: str) -> str:
    """What was taken as a file: “Members · State: Active · File: CSV”, as `Look.what` keeps it."""
    if what == OWN_DATA:
        return _("Own data as a file")
    pairs = parse_qsl(what, keep_blank_values=True)
    told = dict(pairs)
    if "list" in told:
        told.pop("in", None)
    parts = [_("Timeline") if "timeline" in told else _("Members")]
    for name, value in told.items():
        field, _under, _lookup = name.partition("__")
        if field == "state":
            value = str(dict(Member.State.choices).get(value, value))
        if value:
            label = {"list": _("List"), "in": _("List"), "format": _("File"), "at_fault": _("At fault")}.get(field)
            parts.append(f"{label or field_in_words(field)}: {value.upper() if field == 'format' else value}")
    return " · ".join(parts)


def change_in_words(change: FieldChange, unit_name: Callable[[str], str]) -> Change:
    """A line of the history page; `unit_name` names the unit of an id, as far as the reader may see it."""

    def value(text: str | None) -> str:
        if change.field.startswith(TAG):
            return pgettext("of a tag", "not held") if text is None else pgettext("of a tag", "held")
        if text is None:
            return _("empty")
        if change.field == "home_unit":
            return unit_name(text)
        if change.field in ("referrer", "merged_from", "merged_into"):
            return f"#{text}"
        return str(dict(Member.State.choices).get(text, text)) if change.field == "state" else text

    return Change(field_in_words(change.field), value(change.old), value(change.new))


def value_in_words(definition: AttributeDefinition, value: Any) -> str:
    """A value of the attribute as people read it; one that its definition does not know, as it is."""
    plain = plain_value(definition, value)
    if isinstance(plain, bool):
        return in_words(plain)
    if isinstance(plain, date):
        return day(plain)
    if isinstance(plain, int | Decimal):
        return number(plain, max(0, -int(Decimal(plain).as_tuple().exponent)))
    return plain


def plain_value(definition: AttributeDefinition, value: Any) -> str | bool | int | Decimal | date:
    """A value as a spreadsheet takes it: a number as a number, a date as a date, choices by their labels."""
    language, options = get_language() or "en", {each.value: each.words for each in definition.options}
    match definition.type, value:
        case AttributeDefinition.Type.BOOLEAN, bool():
            return value
        case AttributeDefinition.Type.INTEGER, int() if not isinstance(value, bool):
            return value
        case AttributeDefinition.Type.DECIMAL, str() if value.removeprefix("-").replace(".", "", 1).isdecimal():
            return Decimal(value)
        case AttributeDefinition.Type.DATE, str() if _is_day(value):
            return date.fromisoformat(value)
        case AttributeDefinition.Type.CHOICE, str() if value in options:
            return options[value].in_language(language)
        case AttributeDefinition.Type.CHOICES, list():
            return listed(
                [options[each].in_language(language) if each in options else each for each in value], language
            )
    return attribute_text(value) or ""


def _is_day(text: str) -> bool:
    try:
        return len(text) == 10 and bool(date.fromisoformat(text))
    except ValueError:
        return False


def attributes_in_words(
    definitions: Iterable[AttributeDefinition], attributes: dict[str, Any]
) -> list[tuple[str, str]]:
    """Labels and values of a member: those with a definition in its order, then the free ones by their names."""
    defined = {each.key: each for each in definitions if each.key in attributes}
    told = [(str(each), value_in_words(each, attributes[key])) for key, each in defined.items()]
    free = sorted(name for name in attributes if name not in defined)
    return told + [(name, attribute_text(attributes[name]) or "") for name in free]
