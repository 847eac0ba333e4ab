"""What the ledger refuses."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core.errors import LoyaltyError
from apps.core.formats import number


class NotEnoughPoints(LoyaltyError):
    """`wanted` and `available`, in points."""

    code = "not_enough_points"
    field = "points"

    def sentence(self) -> str:
        data = {name: number(self.data[name]) for name in ("available", "wanted")}
        return _("The account has %(available)s points to spend; %(wanted)s were asked for.") % data


class PointsMustBePositive(LoyaltyError):
    code = "points_not_positive"
    field = "points"

    def sentence(self) -> str:
        return _("The number of points must be a whole number above zero.")


class TooManyPoints(LoyaltyError):
    """More `points` at once than anybody means: a slip in a rate or a cost."""

    code = "too_many_points"
    field = "points"

    def sentence(self) -> str:
        data = {"points": number(self.data["points"])}
        return _("%(points)s points at once, or what they cost, is more than can be entered.") % data


class ReasonMissing(LoyaltyError):
    code = "reason_missing"
    field = "reason"

    def sentence(self) -> str:
        return _("Say why: the reason stays beside the points for ever.")


class KeyReused(LoyaltyError):
    """The same key came before with other content; nothing was changed. `key`."""

    code = "key_reused"
    field = "key"

    def sentence(self) -> str:
        return _("The key %(key)s was used before with other content. Nothing was changed.") % self.data


class NoSuchAccount(LoyaltyError):
    code = "no_such_account"

    def sentence(self) -> str:
        return _("The member has no account of this kind of points.")


class NoSuchRedemption(LoyaltyError):
    """Missing, or beyond the reach of who asks: the two look alike."""

    code = "no_such_redemption"

    def sentence(self) -> str:
        return _("There is no such redemption.")


class NoSuchPointType(LoyaltyError):
    code = "no_such_point_type"
    field = "point_type"

    def sentence(self) -> str:
        return _("The programme has no such reward points.")


class HoldEnded(LoyaltyError):
    """`state` is what became of it: captured, voided or lapsed."""

    code = "hold_ended"

    def sentence(self) -> str:
        return {
            "captured": _("These points were already taken."),
            "voided": _("These points were already given back."),
            "lapsed": _("The time to take these points has passed; they went back to the member."),
        }[self.data["state"]]


class NotReversible(LoyaltyError):
    """`kind` of the posting that cannot be reversed."""

    code = "not_reversible"

    def sentence(self) -> str:
        return _("This movement cannot be reversed: only earning, redeeming and adjusting can.")


class AlreadyReversed(LoyaltyError):
    code = "already_reversed"

    def sentence(self) -> str:
        return _("This movement has already been reversed.")


class DebtNotAllowed(LoyaltyError):
    """A refund would take `missing` points that are already spent, and the programme allows no debt."""

    code = "debt_not_allowed"

    def sentence(self) -> str:
        missing = number(self.data["missing"])
        return _("%(missing)s of the points to take back are already spent, and this programme allows no debt.") % {
            "missing": missing
        }


class PointTypeCodeTaken(LoyaltyError):
    code = "point_type_code_taken"
    field = "code"

    def sentence(self) -> str:
        return _("This programme already has a point type with the code %(code)s.") % self.data


class PointTypeFixed(LoyaltyError):
    code = "point_type_fixed"

    def sentence(self) -> str:
        return _("The programme, code and kind of a point type stay as they are; make a new point type instead.")


class ReasonCodeNeeded(LoyaltyError):
    code = "reason_code_needed"
    field = "reason_code"

    def sentence(self) -> str:
        return _("Choose a reason code: the programme asks for one.")


class ReasonCodeUnknown(LoyaltyError):
    """The programme has no such code in use for this direction."""

    code = "reason_code_unknown"
    field = "reason_code"

    def sentence(self) -> str:
        return _("The programme has no reason code %(reason_code)s for this.") % self.data


class ReasonCodeTaken(LoyaltyError):
    code = "reason_code_taken"
    field = "code"

    def sentence(self) -> str:
        return _("This programme already has a reason code %(code)s.") % self.data


class ReasonCodeFixed(LoyaltyError):
    code = "reason_code_fixed"

    def sentence(self) -> str:
        return _("The programme and the code of a reason stay as they are: what was posted names them.")


class EvidenceNeeded(LoyaltyError):
    """`reason_code` asks for a file."""

    code = "evidence_needed"
    field = "evidence"

    def sentence(self) -> str:
        return _("The reason “%(name)s” needs evidence: attach a file.") % self.data


class NotPossibleNow(LoyaltyError):
    """What is asked for would be refused if it were carried out now; `why` is that sentence."""

    code = "not_possible_now"
    field = "points"

    def sentence(self) -> str:
        return str(self.data["why"])


class BatchHasFaults(LoyaltyError):
    """All or nothing: `rows` of it would be refused."""

    code = "batch_has_faults"

    def sentence(self) -> str:
        if not self.data["rows"]:
            return _("The file has no row to post.")
        return ngettext(
            "%(rows)s row of the file would be refused, so none is posted.",
            "%(rows)s rows of the file would be refused, so none is posted.",
            self.data["rows"],
        ) % {"rows": number(self.data["rows"])}


class BatchOver(LoyaltyError):
    code = "batch_over"

    def sentence(self) -> str:
        return _("This file was sent already.")


class PointsSetAside(LoyaltyError):
    """`points` of `member` are held for redemptions that are under way."""

    code = "points_set_aside"

    def sentence(self) -> str:
        data = {"member": self.data["member"], "points": number(self.data["points"])}
        return (
            _(
                "%(points)s points of member #%(member)s are set aside for a redemption. Finish it or give them back first."
            )
            % data
        )
