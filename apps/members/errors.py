"""What this room refuses."""

from typing import Any

from django.utils.translation import gettext as _

from apps.core.errors import LoyaltyError


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
