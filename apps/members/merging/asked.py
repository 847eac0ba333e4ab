"""What is told of a merge and of undoing one, before either is done: a policy may hold both."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from apps.conditions.catalogue import Field
from apps.conditions.types import Type
from apps.conditions.words import Words
from apps.core.addresses import address
from apps.members.merging.models import Merge
from apps.members.merging.parts import LABELS, parts
from apps.members.models import Identifier, Member
from apps.orgs.gate import ABOUT, Line, Subject, SubjectGone
from apps.orgs.models import OrgUnit, Staff

PERMISSION = "members.add_merge"
FIELDS = (
    Field("request.points", Type.INTEGER, Words("the points that move", "转移的积分"), "request.points"),
    Field("request.money", Type.NUMBER, Words("what the points that move cost", "转移积分的成本"), "request.money"),
    Field("request.identifiers", Type.INTEGER, Words("the number of identifiers that move", "转移的标识数"), "request.identifiers"),
)  # fmt: skip
LABELS |= {
    "kept": Words("The member that stays", "保留的会员"),
    "gone": Words("The member that becomes part of it", "并入的会员"),
    "identifiers": Words("Identifiers of the member that stays", "保留会员的标识数"),
}
TITLE = Words("Merge {gone} into {kept}", "将{gone}并入{kept}")
TITLE_BACK = Words("Take {gone} out of {kept} again", "将{gone}从{kept}中拆出")


class OfTwo(Subject):
    """Two members, the one that stays first."""

    permission: ClassVar[str] = PERMISSION
    view: ClassVar[str] = "members.view_merge"
    fields: ClassVar = FIELDS
    labels: ClassVar[Mapping[str, Words]] = LABELS

    def pair(self) -> tuple[int, int]:
        """Their ids. Raises SubjectGone."""
        raise NotImplementedError

    def read(self) -> tuple[Member, Member]:
        """Raises SubjectGone."""
        kept, gone = self.pair()
        found = Member.objects.select_related("home_unit").in_bulk([kept, gone])
        if len(found) < 2:
            raise SubjectGone()
        return found[kept], found[gone]

    def place(self) -> OrgUnit:
        return self.read()[0].home_unit

    def about(self) -> str:
        return f"member:{self.pair()[0]}"

    def amount(self) -> int | None:
        return int(self._facts().get("points", 0))

    def facts(self, requester: Staff | None, when: datetime) -> dict[str, Any]:
        return {**self._facts(), "identifiers": self.identifiers()}

    def _facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = {}
        for part in parts():
            facts |= part.facts(*self._moving())
        return facts

    def _moving(self) -> tuple[int, int, Merge | None]:
        """Whose things move, to whom, and the merge that is undone."""
        kept, gone = self.pair()
        return gone, kept, None

    def identifiers(self) -> int:
        """How many would move."""
        return Identifier.objects.filter(member=self.pair()[1]).count()

    def lines(self, sign: int) -> tuple[Line, ...]:
        kept, gone = self.read()
        named = Identifier.objects.filter(member=kept).count()
        lines = [
            Line("kept", _numbered(kept), _numbered(kept)),
            Line("gone", _numbered(gone), _numbered(gone)),
            Line("identifiers", named, named + sign * self.identifiers(), "number"),
        ]
        for part in parts():
            lines += part.lines(*self._moving())
        return tuple(lines)

    def title(self) -> Words:
        _kept, gone = self.read()
        return self.told().format(kept=ABOUT, gone=_numbered(gone))

    def told(self) -> Words:
        return TITLE

    def address(self) -> str:
        return address("members_member_change", self.pair()[0])


def _numbered(member: Member) -> str:
    """Requests stay when a member is erased: they hold no name, not even a masked one."""
    return f"#{member.pk}"
