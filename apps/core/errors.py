"""Refusals: what the studio says when something may not be done. Each has a stable code and its data."""

from typing import Any

from django.utils.translation import gettext as _


class LoyaltyError(Exception):
    """A refusal. Raised by services, shown by the doors, swallowed by nobody.

    `code` never changes and is what programs read; `sentence()` is what people read, in the language in
    force; `data` holds the values the sentence names; `field` names the input at fault, if one is.
    """

    code = "refused"
    field: str | None = None
    parts: "tuple[LoyaltyError, ...]" = ()
    """What is refused one by one, each at its own field; empty for one refusal."""

    def __init__(self, **data: Any) -> None:
        super().__init__(self.code, data)
        self.data = data

    def sentence(self) -> str:
        return _("This cannot be done.")

    def __str__(self) -> str:
        return self.sentence()


class NotAllowed(LoyaltyError):
    """The actor's roles do not reach this; `who` says which role would, when known."""

    code = "not_allowed"

    def sentence(self) -> str:
        return _("Your roles do not allow this here.")


class ChangedMeanwhile(LoyaltyError):
    """Somebody else changed the row since it was read."""

    code = "changed_meanwhile"

    def sentence(self) -> str:
        return _("Somebody changed this since you opened it. Reload it to see what changed.")
