"""What the two members of a possible merge have done. Events stay where they happened; a merge moves none."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import Count, Max

from apps.activity.models import Event
from apps.conditions.words import Words
from apps.core.formats import day, number
from apps.members.merging.parts import Beside, Part, register


class Deeds(Part):
    code: ClassVar[str] = "activity"

    def beside(self, person: Any, members: Sequence[int]) -> Sequence[Beside]:
        seen = Event.objects.visible_to(person).filter(member__in=members).order_by()
        rows = list(seen.values_list("member").annotate(events=Count("pk"), last=Max("day")))
        return [
            Beside(Words("Events", "事件数"), {member: number(events) for member, events, _last in rows}),
            Beside(Words("Last event", "最近事件"), {member: day(last) for member, _events, last in rows}),
        ]


register(Deeds())
