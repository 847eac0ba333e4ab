"""What is refused about consents, erasures and blocked identifiers."""

from django.utils.translation import gettext as _

from apps.core.errors import LoyaltyError


class MemberErased(LoyaltyError):
    """Nothing of the person is left: erased, or their file was taken back."""

    code = "member_erased"
    field = "member"

    def sentence(self) -> str:
        return _("Nothing is left of this member: they were erased, or the file that brought them was taken back.")


class ErasureHindered(LoyaltyError):
    """`reasons` are sentences: what must be settled first."""

    code = "erasure_hindered"

    def sentence(self) -> str:
        return " ".join(self.data["reasons"])


class PointsRemain(LoyaltyError):
    """`points` that nobody has said are forfeited."""

    code = "points_remain"
    field = "forfeits"

    def sentence(self) -> str:
        return (
            _("This member still has %(points)s points. Let them be spent first, or say that they are forfeited.")
            % self.data
        )


class IdentifierBlocked(LoyaltyError):
    """It named somebody who was erased. `kind`."""

    code = "identifier_blocked"

    def __init__(self, *, kind: str) -> None:
        super().__init__(kind=kind)
        self.field = kind

    def sentence(self) -> str:
        return _(
            "This named somebody who was erased and may not come back unasked. When they come themselves, the block can be "
            "lifted for them."
        )


class NothingBlocked(LoyaltyError):
    code = "nothing_blocked"
    field = "value"

    def sentence(self) -> str:
        return _("This is not blocked.")


class PurposeUnknown(LoyaltyError):
    code = "purpose_unknown"
    field = "purpose"

    def sentence(self) -> str:
        return _("Members of this unit are not asked for that purpose.")


class PurposeRetired(LoyaltyError):
    code = "purpose_retired"
    field = "purpose"

    def sentence(self) -> str:
        return _("This purpose is no longer in use: consent to it can be withdrawn, not given.")


class ChannelUnknown(LoyaltyError):
    code = "channel_unknown"
    field = "channel"

    def sentence(self) -> str:
        return _("A channel is one of: sms, email, phone, wechat, post, app.")


class ProofMissing(LoyaltyError):
    code = "proof_missing"
    field = "proof"

    def sentence(self) -> str:
        return _("Say what proves it: the number of the signed form, the recording, the message.")


class WordingMissing(LoyaltyError):
    code = "wording_missing"
    field = "wording"

    def sentence(self) -> str:
        return _("Say in both languages what people agree to.")


class PurposeMissing(LoyaltyError):
    code = "purpose_missing"
    field = "purpose"

    def sentence(self) -> str:
        return _("Say what it is for.")
