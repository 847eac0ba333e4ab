"""Why two members cannot become one, or not be taken apart."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from apps.core.errors import LoyaltyError


class SameMember(LoyaltyError):
    code = "same_member"

    def sentence(self) -> str:
        return _("A member cannot be merged with itself.")


class MemberMerged(LoyaltyError):
    """`member` is part of `into` now."""

    code = "member_merged"
    field = "member"

    def sentence(self) -> str:
        return _("Member #%(member)s was merged into #%(into)s.") % self.data


class MemberRemoved(LoyaltyError):
    """Nothing of the person is left. `member`."""

    code = "member_removed"
    field = "member"

    def sentence(self) -> str:
        return _("Of member #%(member)s nothing is left that could be merged.") % self.data


class MemberClosed(LoyaltyError):
    """`member`, who would be kept."""

    code = "member_closed"
    field = "member"

    def sentence(self) -> str:
        return _("Member #%(member)s is closed. Reopen it, or keep the other one.") % self.data


class MergeRefused(LoyaltyError):
    """Everything that is in the way; `parts` says what."""

    code = "merge_refused"

    def __init__(self, parts: Sequence[LoyaltyError]) -> None:
        super().__init__(codes=[part.code for part in parts])
        self.parts = tuple(parts)

    def sentence(self) -> str:
        return " ".join(part.sentence() for part in self.parts)


class AlreadyUndone(LoyaltyError):
    code = "already_undone"

    def sentence(self) -> str:
        return _("This merge was undone before.")


class MergedOn(LoyaltyError):
    """The kept member was merged itself, `into` another."""

    code = "merged_on"

    def sentence(self) -> str:
        return _("The kept member was merged into #%(into)s since. Undo that merge first.") % self.data


class LeftNameless(LoyaltyError):
    code = "left_nameless"

    def sentence(self) -> str:
        return _("The kept member would be left without any identifier. Add one to it first.")


class NotMerged(LoyaltyError):
    """The merged member is no longer as the merge left it."""

    code = "not_merged"

    def sentence(self) -> str:
        return _("Of the merged member nothing is left that could be taken apart again.")


class AlreadyJudged(LoyaltyError):
    """Somebody merged the two, or said that they are not one person."""

    code = "already_judged"

    def sentence(self) -> str:
        return _("Somebody has decided on these two already.")
