"""What the tree, its programmes, its people and its API clients refuse."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core.errors import LoyaltyError


class UnitMisplaced(LoyaltyError):
    """A unit of this kind does not go there: group, company, regions, store."""

    code = "unit_misplaced"
    field = "kind"

    def sentence(self) -> str:
        if self.data["parent"] is None:
            return _("Only a group stands at the top; choose the unit that this one belongs to.")
        return _("A unit of kind “%(kind)s” cannot stand below one of kind “%(parent)s”.") % self.data


class CodeTaken(LoyaltyError):
    code = "code_taken"
    field = "code"

    def sentence(self) -> str:
        return _("The code “%(value)s” is already in use.") % self.data


class ProgramMisplaced(LoyaltyError):
    """Programmes belong to a company or to the group, and each of these has one at most."""

    code = "program_misplaced"
    field = "unit"

    def sentence(self) -> str:
        if self.data["taken"]:
            return _("%(unit)s already has a programme.") % self.data
        return _("A programme belongs to a company or to the group, not to %(unit)s.") % self.data


class ProgramFixed(LoyaltyError):
    """What past points were counted in cannot change under them."""

    code = "program_fixed"

    def sentence(self) -> str:
        return _("Org unit, code, currency and time zone of a programme stay as they were when it was made.")


class UnknownCurrency(LoyaltyError):
    code = "unknown_currency"
    field = "currency"

    def sentence(self) -> str:
        return _("“%(value)s” is no currency code. Three capital letters, for example CNY.") % self.data


class UnknownTimeZone(LoyaltyError):
    code = "unknown_time_zone"
    field = "time_zone"

    def sentence(self) -> str:
        return _("“%(value)s” is no time zone. An example: Asia/Shanghai.") % self.data


class OwnRoles(LoyaltyError):
    code = "own_roles"

    def sentence(self) -> str:
        return _("Nobody changes their own roles. Ask another administrator.")


class ManagerOfSelf(LoyaltyError):
    code = "manager_of_self"
    field = "manager"

    def sentence(self) -> str:
        return _("Nobody is their own manager.")


class OwnManager(LoyaltyError):
    """Who names their own manager chooses who decides on their requests."""

    code = "own_manager"
    field = "manager"

    def sentence(self) -> str:
        return _("Nobody names their own manager. Ask another administrator.")


class WorkingTimeExists(LoyaltyError):
    code = "working_time_exists"
    field = "unit"

    def sentence(self) -> str:
        return _("%(unit)s has a working time already.") % self.data


class BeyondReach(LoyaltyError):
    """Somebody who works beyond the actor's reach is not theirs to change."""

    code = "beyond_reach"

    def sentence(self) -> str:
        return _("This person also works where you are not an administrator. An administrator of the group can do it.")


class LastAdministrator(LoyaltyError):
    code = "last_administrator"

    def sentence(self) -> str:
        return _("%(unit)s would be left without an administrator. Name another one first.") % self.data


class UnknownRole(LoyaltyError):
    code = "unknown_role"
    field = "role"

    def sentence(self) -> str:
        return _("There is no role “%(value)s”.") % self.data


class UnknownScope(LoyaltyError):
    code = "unknown_scope"
    field = "scopes"

    def sentence(self) -> str:
        return _("There is no scope “%(value)s”.") % self.data


class PersonalScope(LoyaltyError):
    """A key that reads personal data is an administrator's to give."""

    code = "personal_scope"
    field = "scopes"

    def sentence(self) -> str:
        return _("A key that reads personal data can only be made by an administrator.")


class WrongPassword(LoyaltyError):
    """Says the same of an unknown name, a wrong password and a person who is shut out."""

    code = "wrong_password"
    field = "password"

    def sentence(self) -> str:
        return _("This name and password do not fit together.")


class WrongOwnPassword(LoyaltyError):
    code = "wrong_own_password"
    field = "password"

    def sentence(self) -> str:
        return _("This is not your present password.")


class WrongCode(LoyaltyError):
    code = "wrong_code"
    field = "code"

    def sentence(self) -> str:
        return _("This code does not fit. Take the one that the app shows now; each works once.")


class TooManyTries(LoyaltyError):
    """Too many wrong guesses; `minutes` says when the next is taken, `seconds` tells programs."""

    code = "too_many_tries"

    def sentence(self) -> str:
        minutes = self.data["minutes"]
        return ngettext(
            "Too many wrong tries. Try again in %(minutes)d minute.",
            "Too many wrong tries. Try again in %(minutes)d minutes.",
            minutes,
        ) % {"minutes": minutes}


class SecondStepIsOn(LoyaltyError):
    code = "second_step_is_on"

    def sentence(self) -> str:
        return _("The second step is on already.")


class NoSecondStep(LoyaltyError):
    code = "no_second_step"

    def sentence(self) -> str:
        return _("There is no second step to turn off.")


class ScopeMissing(LoyaltyError):
    """`scope` that the key lacks."""

    code = "scope_missing"

    def sentence(self) -> str:
        return _("This key lacks the scope %(scope)s.") % self.data


class IdempotencyKeyReused(LoyaltyError):
    """The same key came before with another body; nothing was changed."""

    code = "key_reused"

    def sentence(self) -> str:
        return _("This Idempotency-Key was used before with another request. Nothing was changed.")


class UnknownUnit(LoyaltyError):
    code = "unknown_unit"
    field = "home_unit"

    def sentence(self) -> str:
        return _("There is no such unit within reach.")


class ReasonMissing(LoyaltyError):
    code = "reason_missing"
    field = "reason"

    def sentence(self) -> str:
        return _("Give a reason: it is on record.")


class ReviewOpen(LoyaltyError):
    """One review of a unit's roles at a time."""

    code = "review_open"

    def sentence(self) -> str:
        return _("A review of the roles of this unit is open already.")


class LineDecided(LoyaltyError):
    code = "line_decided"

    def sentence(self) -> str:
        return _("This role was decided on already.")
