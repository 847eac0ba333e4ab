"""Fields of a member as people read them."""

from collections.abc import Callable

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.core.history import Change
from apps.members.changes import FieldChange
from apps.members.models import Identifier, Member


def kind_in_words(kind: str) -> str:
    """A kind of identifier; kinds of other systems as they are."""
    return str(dict(Identifier.Kind.choices).get(kind, kind))


def field_in_words(field: str) -> str:
    """`name`, `identifier:phone`, `attributes:colour` as a person reads them."""
    part, _colon, rest = field.partition(":")
    if part == "identifier":
        return kind_in_words(rest)
    if part == "attributes":
        return _("Attribute “%(name)s”") % {"name": rest}
    return {
        "name": pgettext("of a person", "Name"), "birth_on": _("Birthday"), "home_unit": _("Home unit"),
        "state": _("State"), "referrer": _("Recommended by"),
    }.get(field, kind_in_words(field))  # fmt: skip


def fields_in_words(fields: str) -> str:
    """`name, phone` as “Name, Phone”."""
    return ", ".join(field_in_words(field) for field in fields.split(", "))


def change_in_words(change: FieldChange, unit_name: Callable[[str], str]) -> Change:
    """A line of the history page; `unit_name` names the unit of an id, as far as the reader may see it."""

    def value(text: str | None) -> str:
        if text is None:
            return _("empty")
        if change.field == "home_unit":
            return unit_name(text)
        if change.field == "referrer":
            return f"#{text}"
        return str(dict(Member.State.choices).get(text, text)) if change.field == "state" else text

    return Change(field_in_words(change.field), value(change.old), value(change.new))
