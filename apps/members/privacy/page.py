"""What the member page shows of privacy: the buttons that lead to consents, to a member's own data and to erasing, and,
where nothing is left of a member, the certificate."""

from django.utils.translation import gettext as _

from apps.core.addresses import address
from apps.members.models import Erasure, Member
from apps.members.page import Action, Asked, Block, action, block
from apps.members.privacy.erasing import PERMISSION as ERASE
from apps.members.privacy.own_data import PERMISSION as HAND_OUT
from apps.members.timeline import zone_on


@block(order=1, permission="members.view_erasure")
def erasure(asked: Asked) -> Block | None:
    if asked.member.state != Member.State.REMOVED:
        return None
    made = (
        Erasure.objects.visible_to(asked.person).filter(member=asked.member).select_related("actor", "client").first()
    )
    if made is None:
        return None
    return Block(_("Erased"), "members/erased.html", {"erasure": made, "zone": str(asked.once(zone_on))})


@action(order=70, permission="members.view_consent")
def consents(asked: Asked) -> Action:
    """On a page of its own: the member's page asks as little as it did."""
    return Action(_("Consents"), address("members_consent_of", asked.member.pk), "handshake")


@action(order=80, permission=HAND_OUT)
def handing_out(asked: Asked) -> Action:
    return Action(_("Own data as a file"), address("members_erasure_own_data", asked.member.pk), "download")


@action(order=90, permission=ERASE)
def erasing(asked: Asked) -> Action:
    return Action(_("Erase"), address("members_erasure_erase", asked.member.pk), "person_remove")
