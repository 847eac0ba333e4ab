"""What this room refuses."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.core.errors import LoyaltyError
from apps.members.allowed import allowed, listed

if TYPE_CHECKING:
    from apps.members.models import AttributeDefinition


class NoSuchMember(LoyaltyError):
    """Missing, or beyond the reach of who asks: the two look alike."""

    code = "no_such_member"
    field = "member"

    def sentence(self) -> str:
        return _("There is no such member.")


class _OfIdentifier(LoyaltyError):
    """Stands at the field named like the identifier's `kind`."""

    def __init__(self, *, kind: str, **data: Any) -> None:
        super().__init__(kind=kind, **data)
        self.field = kind


class UnknownIdentifierKind(_OfIdentifier):
    code = "unknown_identifier_kind"

    def sentence(self) -> str:
        return _("A kind of identifier has up to 40 small letters, digits and the signs _ : . -")


class IdentifierMalformed(_OfIdentifier):
    code = "identifier_malformed"

    def sentence(self) -> str:
        if self.data["kind"] == "phone":
            return _("A phone number has 7 to 15 digits, for example 138 1234 1234 or +44 20 7946 0000.")
        if self.data["kind"] == "email":
            return _("An e-mail address looks like name@example.com.")
        return _("An identifier has 1 to 120 characters that can be printed.")


class IdentifierTaken(_OfIdentifier):
    """Says not whose it is: that member may be beyond the reach of who asks."""

    code = "identifier_taken"

    def sentence(self) -> str:
        return {
            "phone": _("This phone number already names a member of the group."),
            "email": _("This e-mail address already names a member of the group."),
            "card": _("This card already names a member of the group."),
        }.get(self.data["kind"], _("This identifier already names a member of the group."))


class IdentifierMissing(LoyaltyError):
    code = "identifier_missing"
    field = "identifiers"

    def sentence(self) -> str:
        return _("A member needs at least one identifier: a card, a phone number, an e-mail address.")


class NoSuchIdentifier(LoyaltyError):
    code = "no_such_identifier"
    field = "identifier"

    def sentence(self) -> str:
        return _("The member has no such identifier.")


class NameMalformed(LoyaltyError):
    code = "name_malformed"
    field = "name"

    def sentence(self) -> str:
        return _("A name has up to 120 characters, in one line.")


class BirthdayImpossible(LoyaltyError):
    code = "birthday_impossible"
    field = "birth_on"

    def sentence(self) -> str:
        return _("A birthday lies between 1900 and today.")


class JoinedInFuture(LoyaltyError):
    code = "joined_in_future"
    field = "joined_on"

    def sentence(self) -> str:
        return _("The joining date lies in the future.")


class AttributesMalformed(LoyaltyError):
    code = "attributes_malformed"
    field = "attributes"

    def sentence(self) -> str:
        return _(
            "Up to 50 attributes, each a name of up to 60 characters and a text of up to 500, a number, yes or no, or up "
            "to 50 texts."
        )


class AttributeRefused(LoyaltyError):
    """A value that the attribute's definition does not allow. `key`; the sentence names the label and what is allowed."""

    code = "attribute_refused"

    def __init__(self, definition: "AttributeDefinition") -> None:
        super().__init__(key=definition.key)
        self.definition, self.field = definition, f"attributes.{definition.key}"

    def sentence(self) -> str:
        return allowed(self.definition, get_language() or "en")


class AttributesRefused(LoyaltyError):
    """Every value of a member that a definition does not allow; `parts` says which."""

    code = "attributes_refused"
    field = "attributes"

    def __init__(self, parts: Sequence[AttributeRefused]) -> None:
        super().__init__(keys=[part.data["key"] for part in parts])
        self.parts = tuple(parts)

    def sentence(self) -> str:
        return " ".join(part.sentence() for part in self.parts)


class AttributeKeyTaken(LoyaltyError):
    """Says not by which company below: the two may know nothing of each other. `key`."""

    code = "attribute_key_taken"
    field = "key"

    def sentence(self) -> str:
        return _("“%(key)s” already means something for these members. Choose another key.") % self.data


class AttributeKeyMalformed(LoyaltyError):
    code = "attribute_key_malformed"
    field = "key"

    def sentence(self) -> str:
        return _("A key has up to 60 letters a to z, figures and the signs “-” and “_”.")


class AttributeUnitUnfit(LoyaltyError):
    code = "attribute_unit_unfit"
    field = "unit"

    def sentence(self) -> str:
        return _("Attributes are defined for the members of a company, or of the whole group.")


class AttributeUnlabelled(LoyaltyError):
    code = "attribute_unlabelled"
    field = "label"

    def sentence(self) -> str:
        return _("Say what people read: a label in English, in Chinese, or both.")


class AttributeLimitsImpossible(LoyaltyError):
    code = "attribute_limits_impossible"
    field = "most"

    def sentence(self) -> str:
        return _("The largest number that is allowed lies below the smallest.")


class AttributeLongestImpossible(LoyaltyError):
    code = "attribute_longest_impossible"
    field = "longest"

    def sentence(self) -> str:
        return _("A text may have 1 to 500 characters.")


class ChoicesMalformed(LoyaltyError):
    code = "choices_malformed"
    field = "choices"

    def sentence(self) -> str:
        return _(
            "A list has 1 to 100 choices, each with a value of its own of up to 60 characters and a label of up to 80, in "
            "English, in Chinese, or both."
        )


class AttributeFixed(LoyaltyError):
    code = "attribute_fixed"

    def sentence(self) -> str:
        return _("The key, the type and whose members have the attribute stay as they are. Define another one.")


class _InUse(LoyaltyError):
    """`names` of whatever names it."""

    @property
    def named(self) -> str:
        return listed([f"“{name}”" for name in self.data["names"]], get_language() or "en")


class AttributeInUse(_InUse):
    code = "attribute_in_use"

    def sentence(self) -> str:
        return _(
            "These rules ask for it: %(rules)s. Take it out of use instead: it is then offered nowhere, and the rules go on."
        ) % {"rules": self.named}


class ChoiceInUse(_InUse):
    """`names`, and the `choice`."""

    code = "choice_in_use"
    field = "choices"

    def sentence(self) -> str:
        told = {"choice": self.data["choice"], "rules": self.named}
        return _("The choice “%(choice)s” must stay: these rules ask for it: %(rules)s.") % told


class ReasonMissing(LoyaltyError):
    code = "reason_missing"
    field = "reason"

    def sentence(self) -> str:
        return _("Say why: the reason stays beside what you did for ever.")


class Unreadable(LoyaltyError):
    """A cipher text that no key of the ring opens: another installation's, or tampered with."""

    code = "personal_data_unreadable"

    def sentence(self) -> str:
        return _("The personal data cannot be read with the keys of this installation. Tell whoever runs it.")


class ReferrerUnknown(LoyaltyError):
    """Says not whether that member exists and is closed, or never did."""

    code = "referrer_unknown"
    field = "referrer"

    def sentence(self) -> str:
        return _("Nobody is named so who could have recommended the group.")


class ReferrerImpossible(LoyaltyError):
    code = "referrer_impossible"
    field = "referrer"

    def sentence(self) -> str:
        return _("Two members cannot have brought each other, and nobody brings themselves.")


class MinutesOutOfRange(LoyaltyError):
    code = "minutes_out_of_range"
    field = "minutes"

    def sentence(self) -> str:
        return _("Personal data is shown for %(least)s to %(most)s minutes.") % self.data


class TooManySearches(LoyaltyError):
    code = "too_many_searches"

    def sentence(self) -> str:
        return _("You have searched for very many members just now. Wait a few minutes, then go on.")
