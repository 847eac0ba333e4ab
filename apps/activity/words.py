"""Why rows and files were refused, in whole sentences of the language in force."""

from django.utils.translation import gettext_lazy as _

from apps.activity.models import ImportJob
from apps.core.reading import FileRefused

PRESETS = {"": _("Standard events CSV"), "cdnow": _("CDNOW purchases")}
"""What the kinds of files are called, as `apps.activity.reading` knows them."""

FAULTS = {
    "missing": _("A value is missing."),
    "not_a_text": _("This is not a text."),
    "too_long": _("The text is too long."),
    "control_character": _("The text holds a character that cannot be printed."),
    "not_a_number": _("This is not a number."),
    "not_a_boolean": _("This is not yes or no."),
    "negative": _("The number is below zero; a refund has an amount above zero too."),
    "too_large": _("The number is too large."),
    "tax_too_large": _("The tax is more than the amount of its line."),
    "too_precise": _("The number has more than four decimals."),
    "not_a_date": _("This is not a date and time such as 2026-03-08T14:30:00."),
    "offset_missing": _("The time lacks its offset, such as +08:00."),
    "own_kind": _("The studio tells this kind of event itself."),
    "not_a_kind": _("The kind is written in small letters, digits and underscores, such as check_in."),
    "not_a_currency": _("A currency is three capital letters, such as CNY."),
    "attribute_name": _("The name of this column is too long or cannot be printed."),
    "attribute_value": _("This value cannot be taken."),
    "too_many": _("There are more of these than one event may have."),
    "too_many_cells": _("The row has more cells than the header."),
    "lines_disagree": _("Rows with the same event key differ in this column."),
    "other_row_refused": _("Another row of the same event is at fault."),
    "unknown_member": _("No active member has this identifier."),
    "unknown_store": _("The programme has no store with this code."),
    "no_program": _("Neither this store nor any unit above it has a programme."),
    "other_currency": _("The programme reckons in another currency."),
    "in_the_future": _("The event is said to have happened in the future."),
    "unknown_confirmed": _("The event to confirm is not known for this member."),
    "unknown_purchase": _("The purchase to give back is not known for this member."),
    "refund_too_large": _("More is given back than is left of the purchase."),
    "key_reused": _("An event with this key came before with other content; it stays as it was."),
    "code_missing": _("The row names no code."),
    "code_mistyped": _("A character of the code is wrong or missing."),
    "unknown_code": _("There is no such code."),
    "code_not_here": _("The code cannot be redeemed at this store."),
    "code_not_yet": _("The code could not be redeemed yet."),
    "code_expired": _("The code could no longer be redeemed."),
    "code_stopped": _("The codes of this batch are no longer redeemed."),
    "code_used": _("The code has been used."),
    "code_used_by_member": _("The member has redeemed this code before."),
    "too_many_tries": _("Too many codes that do not exist came before: send the row again later."),
    "ledger_refused": _("The points were spent already, and the programme allows no debt."),
}


def fault_sentence(code: str) -> str:
    """What a code of a refused row means; a code without words stands for itself."""
    return str(FAULTS.get(code, code))


def refusal_sentence(job: ImportJob) -> str:
    """Why the whole file was refused or the job stopped; empty when it was not."""
    return FileRefused(**job.refusal).sentence() if job.refusal else ""
