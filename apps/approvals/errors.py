"""What approvals refuse."""

from typing import Any

from django.utils.translation import gettext as _

from apps.core.errors import LoyaltyError


class RequestOver(LoyaltyError):
    """It was decided, withdrawn or closed meanwhile."""

    code = "request_over"

    def sentence(self) -> str:
        return _("This request is no longer open: %(state)s.") % self.data


class NotAsked(LoyaltyError):
    """Whoever was not asked in the step that is open decides nothing; `who` was."""

    code = "not_asked"

    def sentence(self) -> str:
        if self.data.get("who"):
            return _("You are not asked now. %(who)s can decide.") % self.data
        return _("You are not asked now, and nobody else can decide: an administrator can name somebody.")


class OwnRequest(LoyaltyError):
    code = "own_request"

    def sentence(self) -> str:
        return _("Nobody decides on their own request.")


class OwnWork(LoyaltyError):
    """Whoever wrote what is asked for, or another whom its kind shuts out, decides nothing on it."""

    code = "own_work"

    def sentence(self) -> str:
        return _("You had a part in what is asked for here, and nobody decides on their own work.")


class DecidedAlready(LoyaltyError):
    """One person, or whom they stand in for, decides once on a request."""

    code = "decided_already"

    def sentence(self) -> str:
        return _("You have decided on this request already, and nobody decides twice.")


class EffectChanged(LoyaltyError):
    """What the approver saw is not what would happen now: they look again and confirm that."""

    code = "effect_changed"

    def sentence(self) -> str:
        return _("Something has changed since you opened this. Look at what differs, then decide on that.")


class MovedElsewhere(LoyaltyError):
    """What it is about belongs to a unit now for which whoever was asked was not asked."""

    code = "moved_elsewhere"

    def sentence(self) -> str:
        return _("This belongs to %(unit)s now. Return it: sent again, it goes to the people there.") % self.data


class CommentNeeded(LoyaltyError):
    code = "comment_needed"
    field = "comment"

    def sentence(self) -> str:
        return _("Say why: the requester reads it.")


class ReasonNeeded(LoyaltyError):
    code = "reason_needed"
    field = "reason"

    def sentence(self) -> str:
        return _("Give a reason: those who decide read it.")


class PolicyRefuses(LoyaltyError):
    """No band of the policy fits, and it lets nothing else through."""

    code = "policy_refuses"

    def sentence(self) -> str:
        return _("The approval policy of %(unit)s does not provide for this.") % self.data


class RequestKeyReused(LoyaltyError):
    code = "request_key_reused"

    def sentence(self) -> str:
        return _("This key was used for another request.")


class NotYours(LoyaltyError):
    code = "not_yours"

    def sentence(self) -> str:
        return _("Only who sent a request can do this.")


class NotToThem(LoyaltyError):
    """Nobody is named who asked, has decided, or cannot sign in."""

    code = "not_to_them"
    field = "person"

    def sentence(self) -> str:
        return (
            _("%(person)s cannot be asked: they sent it, decided already, are asked anyway or cannot sign in.")
            % self.data
        )


class OwnDelegate(LoyaltyError):
    code = "own_delegate"
    field = "delegate"

    def sentence(self) -> str:
        return _("Nobody stands in for themselves.")


class StandsInOnly(LoyaltyError):
    """Who stands in decides, or leaves it: nobody passes a delegation on."""

    code = "stands_in_only"

    def sentence(self) -> str:
        return _("You are asked in the place of %(person)s: decide, or leave it, but do not hand it on.") % self.data


class DelegationOver(LoyaltyError):
    code = "delegation_over"
    field = "last_on"

    def sentence(self) -> str:
        return _("The last day must not lie before the first, nor in the past.")


class EvidenceRefused(LoyaltyError):
    """`why` is one of size, type, count, name."""

    code = "evidence_refused"
    field = "evidence"

    def sentence(self) -> str:
        return {
            "size": _("A file has 5 MB at most, and is not empty."),
            "type": _("Attach a picture (PNG, JPEG), a PDF, a text or a table (CSV, XLSX)."),
            "count": _("A request takes ten files at most."),
        }[self.data["why"]]


class DefinitionFaulty(LoyaltyError):
    """A policy that cannot be saved; `faults` are all of them."""

    code = "policy_faulty"
    field = "definition"

    def __init__(self, faults: Any) -> None:
        super().__init__(faults=faults)

    def sentence(self) -> str:
        return _("The policy has faults; they are marked where they are.")


class PolicyChanged(LoyaltyError):
    """Somebody saved the draft since it was read."""

    code = "policy_changed"

    def sentence(self) -> str:
        return _("%(who)s saved this draft since you opened it. Reload it to see what changed.") % self.data


class PolicyExists(LoyaltyError):
    code = "policy_exists"
    field = "unit"

    def sentence(self) -> str:
        return _("%(unit)s has a policy for this already.") % self.data


class NoDraft(LoyaltyError):
    code = "no_policy_draft"

    def sentence(self) -> str:
        return _("This is not a draft any more.")


class NameNeeded(LoyaltyError):
    """A view is kept under a name, and there are so many at most."""

    code = "name_needed"
    field = "name"

    def sentence(self) -> str:
        return _("Give the view a name; you can keep %(most)s of them.") % self.data
