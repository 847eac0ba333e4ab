"""What is refused about the quality of data."""

from django.utils.translation import gettext as _

from apps.core.errors import LoyaltyError


class QualityUnitUnfit(LoyaltyError):
    code = "quality_unit_unfit"
    field = "unit"

    def sentence(self) -> str:
        return _("Rules of data quality are for the members of a company, or of the whole group.")


class QualityCheckUnfit(LoyaltyError):
    code = "quality_check_unfit"
    field = "check_code"

    def sentence(self) -> str:
        return _("This cannot be asked about that field.")


class QualityFieldUnknown(LoyaltyError):
    code = "quality_field_unknown"
    field = "field"

    def sentence(self) -> str:
        return _("The members of %(unit)s have no such field.") % self.data


class QualityRuleTaken(LoyaltyError):
    code = "quality_rule_taken"
    field = "check_code"

    def sentence(self) -> str:
        return _("There is such a rule for these members already.")


class QualityShareImpossible(LoyaltyError):
    code = "quality_share_impossible"
    field = "wanted_pct"

    def sentence(self) -> str:
        return _("A share is a whole number from 1 to 100.")


class QualityBelowGate(LoyaltyError):
    """A file would bring the accuracy of a programme below what it wants, and nobody said why it is to come in all the same."""

    code = "quality_below_gate"

    def sentence(self) -> str:
        return (
            _("With this file the accuracy of the data would be %(after)s %%, and the programme wants %(wanted)s %%. Say why it is to come in all the same.")
            % self.data
        )  # fmt: skip
