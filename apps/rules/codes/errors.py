"""Why a code is not redeemed, and what the verbs of batches refuse."""

from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.activity.errors import EventRefused
from apps.core.errors import LoyaltyError
from apps.core.formats import day
from apps.rules.codes.drawing import OddsFault


class CodeMissing(EventRefused):
    code = "code_missing"
    field = "attributes.code"

    def sentence(self) -> str:
        return _("An event of the kind “code” names the code in its attribute “code”.")


class CodeMistyped(EventRefused):
    """Its last character does not fit the others: nobody has such a code, and it counts as no guess."""

    code = "code_mistyped"
    field = "attributes.code"

    def sentence(self) -> str:
        return _("A character of the code is wrong or missing: it has 12, without 0, O, 1, I and L.")


class UnknownCode(EventRefused):
    code = "unknown_code"
    field = "attributes.code"

    def sentence(self) -> str:
        return _("There is no such code.")


class CodeNotHere(EventRefused):
    code = "code_not_here"
    field = "store"

    def sentence(self) -> str:
        return _("This code cannot be redeemed at this store.")


class CodeNotYet(EventRefused):
    """`starts_on` is its first day, None where its codes are not handed out yet."""

    code = "code_not_yet"
    field = "attributes.code"

    def sentence(self) -> str:
        if self.data["starts_on"] is None:
            return _("This code cannot be redeemed yet.")
        return _("This code can be redeemed from %(day)s.") % {"day": day(self.data["starts_on"])}


class CodeExpired(EventRefused):
    """`ends_on` was its last day."""

    code = "code_expired"
    field = "attributes.code"

    def sentence(self) -> str:
        return _("This code could be redeemed until %(day)s.") % {"day": day(self.data["ends_on"])}


class CodeStopped(EventRefused):
    code = "code_stopped"
    field = "attributes.code"

    def sentence(self) -> str:
        return _("The codes of this batch are no longer redeemed.")


class CodeUsed(EventRefused):
    code = "code_used"
    field = "attributes.code"

    def sentence(self) -> str:
        return _("This code has been used.")


class CodeUsedByMember(EventRefused):
    code = "code_used_by_member"
    field = "attributes.code"

    def sentence(self) -> str:
        return _("This member has redeemed this code before.")


class BatchCodeTaken(LoyaltyError):
    code = "batch_code_taken"
    field = "code"

    def sentence(self) -> str:
        return _("This programme already has a batch with the code “%(code)s”.") % self.data


class OddsFaulty(LoyaltyError):
    """`faults`: everything that is wrong with the prizes, each with its row."""

    code = "odds_faulty"
    field = "prizes"

    def __init__(self, faults: list[OddsFault]) -> None:
        super().__init__(faults=[{"row": fault.row, "field": fault.field} for fault in faults])
        self.faults = faults

    def sentence(self) -> str:
        language = get_language() or "en"
        return " ".join(dict.fromkeys(fault.message.in_language(language) for fault in self.faults))


class BatchFixed(LoyaltyError):
    code = "batch_fixed"

    def sentence(self) -> str:
        return _("The codes of this batch are made: only its name and its days can still be changed.")


class DaysReversed(LoyaltyError):
    code = "days_reversed"
    field = "ends_on"

    def sentence(self) -> str:
        return _("The last day lies before the first.")


class BatchTooLarge(LoyaltyError):
    """`field` is size or uses, `most` what it may be."""

    code = "batch_too_large"

    def __init__(self, field: str, **data: Any) -> None:
        super().__init__(**data)
        self.field = field

    def sentence(self) -> str:
        return _("From 1 to %(most)s.") % {"most": f"{self.data['most']:,}"}


class NotInThatState(LoyaltyError):
    """What was asked of the batch is done already, or cannot be done any more."""

    code = "not_in_that_state"

    def sentence(self) -> str:
        return _("This batch is not in a state for that any more. Reload the page.")


class NoIdentifier(LoyaltyError):
    code = "no_identifier"

    def sentence(self) -> str:
        return _("This member has no card, phone or other identifier by which the code could be booked.")
