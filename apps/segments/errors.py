"""What this room refuses."""

from collections.abc import Sequence

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.conditions.tree import Fault
from apps.core.errors import LoyaltyError


class KeyMalformed(LoyaltyError):
    code = "tag_key_malformed"
    field = "key"

    def sentence(self) -> str:
        return _("A key has up to 60 letters a to z, figures and the signs “-” and “_”.")


class KeyTaken(LoyaltyError):
    """Says not by which company below: the two may know nothing of each other. `key`."""

    code = "tag_key_taken"
    field = "key"

    def sentence(self) -> str:
        return _("“%(key)s” is already taken for these members. Choose another key.") % self.data


class AskedAlready(LoyaltyError):
    """`names` are published rules."""

    code = "tag_asked_already"
    field = "condition"

    def sentence(self) -> str:
        return _(
            "Published rules ask for this key already: %(names)s. Define the tag without a condition first; to give it one "
            "then is a change, which may need a yes."
        ) % {"names": ", ".join(self.data["names"])}


class Unlabelled(LoyaltyError):
    code = "tag_unlabelled"
    field = "label"

    def sentence(self) -> str:
        return _("Say what people read: a label in English, in Chinese, or both.")


class Fixed(LoyaltyError):
    """What stays once it is made: programme, key, place in the tree, and what the studio wrote."""

    code = "tag_fixed"

    def sentence(self) -> str:
        return _("This stays as it was made.")


class ConditionFaulty(LoyaltyError):
    """`faults` are all of them, each with the path of the row at fault."""

    code = "condition_faulty"
    field = "condition"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(paths=["/".join(map(str, fault.path)) for fault in faults])
        self.faults = tuple(faults)

    def sentence(self) -> str:
        first = self.faults[0].message.in_language(get_language() or "en") if self.faults else ""
        return _("Mend the condition: %(fault)s") % {"fault": first}


class TooDeep(LoyaltyError):
    code = "tag_too_deep"
    field = "parent"

    def sentence(self) -> str:
        return _("The tree of tags has three levels. Choose a place higher up.")


class ParentElsewhere(LoyaltyError):
    code = "tag_parent_elsewhere"
    field = "parent"

    def sentence(self) -> str:
        return _("A tag stands below one of the same programme.")


class ParentIsHeld(LoyaltyError):
    code = "tag_parent_is_held"
    field = "parent"

    def sentence(self) -> str:
        return _("Members hold that tag themselves, so nothing can stand below it. Take its condition away first.")


class FolderHasNoCondition(LoyaltyError):
    code = "tag_folder_has_no_condition"
    field = "condition"

    def sentence(self) -> str:
        return _("Other tags stand below this one, so it has no condition of its own.")


class KeptInExclusive(LoyaltyError):
    code = "tag_kept_in_exclusive"
    field = "kept_days"

    def sentence(self) -> str:
        return _("Of its group a member holds one tag at most, so none is kept when another begins. Set the days to 0.")


class KeptBelow(LoyaltyError):
    """`names` are tags."""

    code = "tag_kept_below"
    field = "is_exclusive"

    def sentence(self) -> str:
        return _(
            "Of these a member would hold one at most, yet some are kept for days: %(names)s. Set their days to 0."
        ) % {"names": ", ".join(self.data["names"])}


class AsksItself(LoyaltyError):
    code = "tag_asks_itself"
    field = "condition"

    def sentence(self) -> str:
        return _("The condition of a tag cannot ask whether the member has that very tag.")


class HasChildren(LoyaltyError):
    code = "tag_has_children"

    def sentence(self) -> str:
        return _("Other tags stand below this one. Delete them first.")


class InUse(LoyaltyError):
    """`names` are what asks for it."""

    code = "tag_in_use"

    def sentence(self) -> str:
        return _("It is in use: %(names)s. Take it out there first.") % {"names": ", ".join(self.data["names"])}


class OthersInUse(LoyaltyError):
    """`names` are published rules."""

    code = "tag_others_in_use"

    def sentence(self) -> str:
        return _(
            "Published rules ask for tags that members get or lose with this one: %(names)s. Change those tags, or take the "
            "condition of this one away, first: that is a change, which may need a yes."
        ) % {"names": ", ".join(self.data["names"])}


class HasMoves(LoyaltyError):
    code = "segment_has_moves"

    def sentence(self) -> str:
        return _("Members have entered and left this segment, which stays on record. Stop keeping track instead.")


class WindowOutOfRange(LoyaltyError):
    code = "rfm_window_out_of_range"
    field = "window_days"

    def sentence(self) -> str:
        return _("Look at 30 to 3,650 days.")


class AlreadySetUp(LoyaltyError):
    code = "tags_already_set_up"

    def sentence(self) -> str:
        return _("The programme has these tags already.")


class NotByHand(LoyaltyError):
    code = "tag_not_by_hand"

    def sentence(self) -> str:
        return _(
            "Choose a tag that can be given by hand: one of this member’s programmes that no condition and no score gives."
        )


class HeldAlready(LoyaltyError):
    """`tag`."""

    code = "tag_held_already"

    def sentence(self) -> str:
        return _("The member holds “%(tag)s” already: it was given by hand.") % self.data


class OneAtMost(LoyaltyError):
    """`tag` is what the member holds of the group."""

    code = "tag_one_at_most"

    def sentence(self) -> str:
        return _("Of this group a member holds one tag at most, and this one holds “%(tag)s”.") % self.data


class NotHeldByHand(LoyaltyError):
    code = "tag_not_held_by_hand"

    def sentence(self) -> str:
        return _("Nobody gave the member this tag by hand, or it was taken away meanwhile.")
