"""What a member has done since a file brought them: who has, does not go when the file is taken back."""

from collections.abc import Sequence

from apps.activity.models import Event
from apps.members.importing.parts import later_life
from apps.members.models import MemberImport


@later_life
def has_events_since(members: Sequence[int], job: MemberImport) -> set[int]:
    """Who did something that was received after the file was taken in."""
    since = Event.objects.filter(member_id__in=members, received_at__gte=job.started_at)
    return set(since.order_by().values_list("member_id", flat=True).distinct())
