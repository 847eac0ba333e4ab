"""What can be wrong with a value that somebody sent, in words. Codes never change; programs read them. Pure."""

from django.utils.translation import gettext as _


def sentence_of(code: str) -> str:
    """The fault in the language in force; a general sentence for a code without one of its own."""
    return {
        "missing": _("A value is needed here."),
        "unknown_field": _("There is no such field."),
        "not_an_object": _("This must be an object."),
        "not_a_list": _("This must be a list."),
        "not_a_text": _("This must be a text."),
        "not_a_number": _("This must be a number."),
        "not_a_whole_number": _("This must be a whole number."),
        "not_a_boolean": _("This must be true or false."),
        "not_a_date": _("This is no date that exists, written as in 2026-05-04 or 2026-05-04T12:30:00+08:00."),
        "offset_missing": _("Say the offset from UTC too, as in 2026-05-04T12:30:00+08:00."),
        "not_a_kind": _("A kind is written in small letters, digits and underscores, and starts with a letter."),
        "own_kind": _("The studio tells this kind of event itself."),
        "not_a_currency": _("A currency is three capital letters, for example CNY."),
        "not_a_choice": _("This is none of the values that are possible here."),
        "wrong_form": _("This is not written in the form that is asked for."),
        "negative": _("This must not be below zero."),
        "too_small": _("This is smaller than is possible here."),
        "too_large": _("This is larger than is possible here."),
        "tax_too_large": _("The tax is more than the amount of its line."),
        "too_short": _("This is shorter than is possible here."),
        "too_long": _("This is longer than is possible here."),
        "too_many": _("There are more of these than are possible here."),
        "too_precise": _("This has more than four decimals."),
        "control_character": _("This holds a character that is no text."),
        "attribute_name": _("The name of an attribute has 1 to 60 characters, and an event has 50 attributes at most."),
        "attribute_value": _("An attribute is a text, a number, true, false, or a list of texts."),
        "lines_disagree": _("The rows of one event disagree."),
        "too_many_cells": _("The row has more cells than the header."),
    }.get(code) or _("This value cannot be taken.")
