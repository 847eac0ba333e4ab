"""What the member page offers of tags: the button that leads to those given by hand."""

from django.utils.translation import gettext as _

from apps.core.addresses import address
from apps.members.page import Action, Asked, action
from apps.segments.services.giving import PERMISSION


@action(order=60, permission=PERMISSION)
def by_hand(asked: Asked) -> Action:
    return Action(_("Tags by hand"), address("segments_tag_of", asked.member.pk), "new_label")
