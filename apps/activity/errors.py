"""Why an event is refused. `field` is the column or JSON field at fault."""

from django.utils.translation import gettext as _

from apps.core.errors import LoyaltyError
from apps.core.formats import number


class EventRefused(LoyaltyError):
    """An event that cannot be taken; nothing of it was written."""

    code = "event_refused"


class UnknownMember(EventRefused):
    code = "unknown_member"
    field = "member"

    def sentence(self) -> str:
        return _("No active member has this identifier.")


class UnknownStore(EventRefused):
    code = "unknown_store"
    field = "store"

    def sentence(self) -> str:
        return _("There is no such store within reach.")


class NoProgram(EventRefused):
    code = "no_program"
    field = "store"

    def sentence(self) -> str:
        return _("Neither this store nor any unit above it has a programme.")


class OtherCurrency(EventRefused):
    """`given` and `expected`."""

    code = "other_currency"
    field = "currency"

    def sentence(self) -> str:
        return _("The programme reckons in %(expected)s; the event says %(given)s.") % self.data


class InTheFuture(EventRefused):
    code = "in_the_future"
    field = "occurred_at"

    def sentence(self) -> str:
        return _("The event is said to have happened in the future.")


class UnknownPurchase(EventRefused):
    code = "unknown_purchase"
    field = "refund_of"

    def sentence(self) -> str:
        return _("The purchase to give back is not known for this member.")


class NothingToConfirm(EventRefused):
    code = "unknown_confirmed"
    field = "confirms"

    def sentence(self) -> str:
        return _("The event to confirm is not known for this member.")


class RefundTooLarge(EventRefused):
    """`amount` asked, `left` of the purchase not given back yet."""

    code = "refund_too_large"
    field = "amount"

    def sentence(self) -> str:
        data = {name: number(self.data[name], 2) for name in ("left", "amount")}
        return _("Only %(left)s of the purchase is left to give back; %(amount)s was asked for.") % data


class KeyConflict(EventRefused):
    """The same key came before with other content."""

    code = "key_reused"
    field = "key"

    def sentence(self) -> str:
        return _("This key was used before with other content. Nothing was changed.")


class EventRejectedByLedger(EventRefused):
    """The ledger refused what the event would do; `because` is its refusal."""

    code = "ledger_refused"

    def sentence(self) -> str:
        because: LoyaltyError = self.data["because"]
        return because.sentence()
