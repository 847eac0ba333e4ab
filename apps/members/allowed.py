"""What a definition allows, as a sentence: whole templates, one per type and limits. Pure."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from apps.conditions.words import Words

if TYPE_CHECKING:
    from apps.members.models import AttributeDefinition

SHOWN = 12
"""Choices that a sentence names."""


def allowed(definition: "AttributeDefinition", language: str) -> str:
    """“Cups a day is a whole number from 0 to 20.”, the label in that language."""
    least, most = definition.least, definition.most
    slots = {
        "label": definition.words.in_language(language),
        "least": plain(least), "most": plain(most),
        "longest": definition.longest or 500,
        "choices": _listed(definition, language),
    }  # fmt: skip
    return _template(definition.type, least is not None, most is not None) % slots


def _template(kind: str, has_least: bool, has_most: bool) -> str:
    match kind, has_least, has_most:
        case "text", _least, _most:
            return _("%(label)s is a text of up to %(longest)s characters, in one line.")
        case "date", _least, _most:
            return _("%(label)s is a date, for example 2026-05-01.")
        case "boolean", _least, _most:
            return _("%(label)s is yes or no.")
        case "choice", _least, _most:
            return _("%(label)s is one of: %(choices)s.")
        case "choices", _least, _most:
            return _("%(label)s is one or several of: %(choices)s.")
        case "integer", True, True:
            return _("%(label)s is a whole number from %(least)s to %(most)s.")
        case "integer", True, False:
            return _("%(label)s is a whole number of at least %(least)s.")
        case "integer", False, True:
            return _("%(label)s is a whole number of at most %(most)s.")
        case "integer", _least, _most:
            return _("%(label)s is a whole number of up to 15 figures.")
        case _kind, True, True:
            return _("%(label)s is a number from %(least)s to %(most)s, for example 12.5.")
        case _kind, True, False:
            return _("%(label)s is a number of at least %(least)s, for example 12.5.")
        case _kind, False, True:
            return _("%(label)s is a number of at most %(most)s, for example 12.5.")
    return _("%(label)s is a number of up to 15 figures, for example 12.5.")


def plain(number: Decimal | None) -> str:
    """A number without the zeros that its column adds; empty where there is none.

    >>> plain(Decimal("12.500000")), plain(Decimal("100.000")), plain(None)
    ('12.5', '100', '')
    """
    return "" if number is None else format(number.normalize() if number else Decimal(0), "f")


def _listed(definition: "AttributeDefinition", language: str) -> str:
    return listed([each.words.in_language(language) for each in definition.options], language)


def listed(texts: Sequence[str], language: str) -> str:
    """The first of the texts, with what the language puts between them.

    >>> listed(["Gold", "Tin"], "en"), listed(["金卡", "普卡"], "zh-hans")
    ('Gold, Tin', '金卡、普卡')
    """
    between = Words(", ", "、").in_language(language)
    return between.join([*texts[:SHOWN], "…"] if len(texts) > SHOWN else texts)
