"""What the verbs of rules refuse."""

from typing import Any

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from apps.conditions.tree import Fault
from apps.core.errors import ChangedMeanwhile, LoyaltyError


class RuleCodeTaken(LoyaltyError):
    code = "rule_code_taken"
    field = "code"

    def sentence(self) -> str:
        return _("This programme already has a rule with the code “%(code)s”.") % self.data


class RuleMisplaced(LoyaltyError):
    """The unit lies outside the programme, or has a nearer programme of its own."""

    code = "rule_misplaced"
    field = "unit"

    def sentence(self) -> str:
        return _("Events at %(unit)s do not belong to the programme %(program)s.") % self.data


class RulePlaceFixed(LoyaltyError):
    code = "rule_place_fixed"
    field = "unit"

    def sentence(self) -> str:
        return _("Where a rule applies is fixed once a version of it is published. Retire it and draft a new rule.")


class DefinitionFaulty(LoyaltyError):
    """`faults`: everything that is wrong, each with its path."""

    code = "definition_faulty"
    field = "definition"

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__(faults=[{"path": list(fault.path), "code": fault.code} for fault in faults])
        self.faults = faults

    def sentence(self) -> str:
        code = get_language() or "en"
        return " ".join(dict.fromkeys(fault.message.in_language(code) for fault in self.faults))


class NotADraft(LoyaltyError):
    code = "not_a_draft"

    def sentence(self) -> str:
        return _("This version is published and stays as it is. Draft a new version instead.")


class DraftInReview(LoyaltyError):
    code = "draft_in_review"

    def sentence(self) -> str:
        return _("This draft waits for a decision and stays as it was sent. Withdraw the request to change it.")


class ReviewNeeded(LoyaltyError):
    code = "review_needed"

    def sentence(self) -> str:
        return _("Rules of this programme are reviewed: send the draft to review, and somebody else publishes it.")


class MayNotReview(LoyaltyError):
    """Somebody is named who could not publish the rule themselves."""

    code = "may_not_review"
    field = "also"

    def sentence(self) -> str:
        return _("%(person)s may not publish rules here, and so reviews none.") % self.data


class DraftExists(LoyaltyError):
    code = "draft_exists"

    def sentence(self) -> str:
        return _("This rule has a draft already: go on with it, or discard it first.")


class DraftChanged(ChangedMeanwhile):
    """`who` saved the draft after the person had opened it."""

    def __init__(self, **data: Any) -> None:
        super().__init__(**data)

    def sentence(self) -> str:
        if not self.data["who"]:
            return super().sentence()
        return _("%(who)s changed this draft after you opened it. Compare, then save again to keep yours.") % self.data


class OverrideNotAllowed(LoyaltyError):
    """`rule` of `place` lets no rule stand in its place."""

    code = "override_not_allowed"
    field = "unit"

    def sentence(self) -> str:
        return _("“%(rule)s” of %(place)s does not allow another rule in its place.") % self.data


class OverrideMisplaced(LoyaltyError):
    code = "override_misplaced"
    field = "unit"

    def sentence(self) -> str:
        return _("%(unit)s is not below %(place)s, where “%(rule)s” applies.") % self.data


class AlreadyOverridden(LoyaltyError):
    code = "already_overridden"
    field = "unit"

    def sentence(self) -> str:
        return (
            _("%(unit)s has a rule of its own for this already: “%(rule)s”. Draft a new version of that.") % self.data
        )


class NothingInForce(LoyaltyError):
    """There is nothing to copy."""

    code = "nothing_in_force"

    def sentence(self) -> str:
        return _("No version of “%(rule)s” is in force: there is nothing to begin with.") % self.data


class StackingClash(LoyaltyError):
    """Another published rule of the group says otherwise: `rule` its name, `group`, `why` take or order."""

    code = "stacking_clash"
    field = "definition"

    def sentence(self) -> str:
        said = {
            "take": _("“%(rule)s” of the group “%(group)s” takes otherwise: all rules of a group take the best, or the first."),
            "order": _("“%(rule)s” has the same number in the group “%(group)s”: give each rule its own, so that none wins by chance."),
        }  # fmt: skip
        return said[self.data["why"]] % self.data


class AlreadyDecided(LoyaltyError):
    """Somebody decided on the held event before: `who`, and the `verdict`."""

    code = "already_decided"

    def sentence(self) -> str:
        if self.data["verdict"] == "released":
            return _("%(who)s has released these points already.") % self.data
        return _("%(who)s has refused these points already.") % self.data


class AskedAlready(LoyaltyError):
    """There is an open request about the same: `who` sent it, `request` is its id."""

    code = "asked_already"

    def sentence(self) -> str:
        return (
            _("%(who)s has sent a request about this already, number %(request)s. It waits for a decision.") % self.data
        )


class StartInThePast(LoyaltyError):
    code = "start_in_the_past"
    field = "starts_at"

    def sentence(self) -> str:
        return _("Events have happened since that moment and were judged without this version. Start now or later.")


class EndInThePast(LoyaltyError):
    code = "end_in_the_past"
    field = "at"

    def sentence(self) -> str:
        return _("A rule cannot end in the past: events since then have earned its points.")


class NothingToRetire(LoyaltyError):
    code = "nothing_to_retire"

    def sentence(self) -> str:
        return _("No version of this rule is in force or waiting to start.")


class DocumentFaulty(LoyaltyError):
    """A programme's document that cannot be brought in: `faults`, everything that is wrong, each with its path."""

    code = "document_faulty"
    field = "file"

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__(faults=[{"path": list(fault.path), "code": fault.code} for fault in faults])
        self.faults = faults

    def lines(self) -> list[tuple[str, str]]:
        """Each fault: where it is, as `rules/3/draft/effects/0/points`, and what is wrong."""
        code = get_language() or "en"
        return [("/".join(map(str, fault.path)), fault.message.in_language(code)) for fault in self.faults]

    def sentence(self) -> str:
        return ngettext(
            "The file has %(n)s fault and cannot be brought in.",
            "The file has %(n)s faults and cannot be brought in.",
            len(self.faults),
        ) % {"n": len(self.faults)}
