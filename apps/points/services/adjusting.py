"""Adjusting by hand: one member's points, up or down, for a reason."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from apps.approvals.models import ApprovalRequest
from apps.approvals.services.filing import File
from apps.conditions.words import Words
from apps.core.addresses import address
from apps.core.formats import signed
from apps.core.scope import require
from apps.core.transactions import in_transaction
from apps.members.models import Member
from apps.orgs.gate import ABOUT, Approval, Done, Effect, Subject, SubjectGone, pass_gate, register
from apps.orgs.models import OrgUnit, Staff
from apps.points.asked import (
    FIELDS,
    LABELS,
    REASON_FIELD,
    TITLE,
    account_effect,
    codes_offered,
    facts_of,
    reason_line,
)
from apps.points.book import AccountState, Act, Book, LotState, Origin
from apps.points.errors import PointsMustBePositive, ReasonMissing
from apps.points.models import Account, PointType, Posting
from apps.points.services.asking import ask
from apps.points.services.ledger import act, content_hash, open_account_of, open_lots, post, posted_before
from apps.points.services.reasons import check_reason

PERMISSION = "points.adjust_points"


class Adjustment(Subject):
    """Points added to a member, or taken where `points` is negative."""

    code: ClassVar[str] = "points.adjustment"
    label: ClassVar[Words] = Words("Points adjustment", "积分调整")
    icon: ClassVar[str] = "exposure"
    permission: ClassVar[str] = PERMISSION
    view: ClassVar[str] = "points.view_posting"
    fields: ClassVar = (*FIELDS, REASON_FIELD)
    adds_up: ClassVar[tuple[str, ...]] = ("request.points", "request.money")
    labels: ClassVar[Mapping[str, Words]] = LABELS

    member: int
    point_type: int
    points: int
    reason_code: str = ""

    def _member(self) -> Member:
        member = Member.objects.select_related("home_unit").filter(pk=self.member).first()
        if member is None or member.state != Member.State.ACTIVE:
            raise SubjectGone()
        return member

    def read_point_type(self) -> PointType:
        """Raises SubjectGone."""
        kind = PointType.objects.select_related("program").filter(pk=self.point_type).first()
        if kind is None:
            raise SubjectGone()
        return kind

    def place(self) -> OrgUnit:
        return self._member().home_unit

    def about(self) -> str:
        return f"member:{self.member}"

    def amount(self) -> int:
        return self.points

    def facts(self, requester: Staff | None, when: datetime) -> dict[str, Any]:
        return {
            **facts_of(self._member(), self.read_point_type(), self.points, when),
            "reason_code": self.reason_code or None,
        }

    def effect(self, requester: Staff | None, when: datetime) -> Effect:
        account = Account.objects.filter(member=self.member, point_type=self.point_type).first()
        point_type = self.read_point_type()
        effect = account_effect(account, self._member(), point_type, self.points, when)
        return Effect((*effect.lines, *reason_line(point_type.program_id, self.reason_code)), effect.obstacle)

    def require_ready(self, requester: Staff | None, also: Collection[Staff], when: datetime) -> None:
        check_reason(self.read_point_type(), self.points, self.reason_code, has_evidence=True)

    def carry_out(self, approval: Approval, when: datetime) -> Done:
        posting = adjust(
            approval.requester, self.member, self.point_type, self.points, reason=approval.reason, key=approval.key,
            when=when, reason_code=self.reason_code, approval=approval,
        )  # fmt: skip
        return Done({"points": posting.points, "posting": posting.pk}, posting)

    def title(self) -> Words:
        return TITLE.format(points=signed(self.points), member=ABOUT)

    def address(self) -> str:
        return address("members_member_change", self.member)

    def form_address(self) -> str:
        return address("points_account_adjust", self.member)

    @classmethod
    def suggestions(cls, principal: Any) -> dict[str, list[str]]:
        return codes_offered(principal, "request.reason_code")


register(Adjustment)


def ask_adjustment(
    actor: Staff,
    subject: Adjustment,
    *,
    reason: str,
    key: str,
    when: datetime,
    files: Sequence[File] = (),
    again: int | None = None,
) -> ApprovalRequest:
    """The request to adjust, done where no policy holds it; see `ask`.

    Raises PointsMustBePositive (for zero), ReasonCodeNeeded, ReasonCodeUnknown, EvidenceNeeded, and what `ask` does.
    """
    if subject.points == 0:
        raise PointsMustBePositive()

    def check(has_evidence: bool) -> None:
        check_reason(subject.read_point_type(), subject.points, subject.reason_code, has_evidence=has_evidence)

    return ask(actor, subject, reason=reason, key=key, when=when, files=files, again=again, check=check)


@in_transaction
def adjust(
    actor: Any,
    member_id: int,
    point_type_id: int,
    points: int,
    *,
    reason: str,
    key: str,
    when: datetime,
    reason_code: str = "",
    approval: Approval | None = None,
) -> Posting:
    """Adds points, or takes them where `points` is negative, by hand and for a reason.

    Raises PointsMustBePositive (for zero), ReasonMissing, ReasonCodeNeeded, ReasonCodeUnknown, EvidenceNeeded,
    NotEnoughPoints, KeyReused, NotAllowed, ApprovalNeeded.
    """
    if points == 0:
        raise PointsMustBePositive()
    if not reason.strip():
        raise ReasonMissing()
    subject = Adjustment(member=member_id, point_type=point_type_id, points=points, reason_code=reason_code)
    if Posting.objects.filter(key=key).exists():  # sent again: what was answered first is answered below
        require(actor, PERMISSION, subject.place().path)
    else:
        if approval is None and actor is not None:
            require(actor, PERMISSION, subject.place().path)
            check_reason(subject.read_point_type(), points, reason_code, has_evidence=False)
        pass_gate(subject, actor, approval, when, reason=reason.strip())
    opened = open_account_of(member_id, point_type_id)
    if opened.row.member.state == Member.State.MERGED:
        raise SubjectGone()
    home = opened.row.member.home_unit
    digest = content_hash("adjust", opened.state.id, points, reason.strip())
    earlier = posted_before(key, digest)
    if earlier is not None:
        return earlier
    book = Book()
    circumstances = act(opened, key, when, actor=actor, reason=reason.strip(), digest=digest)
    origin = Origin(home.pk, opened.point_type.funder_id or home.pk, opened.point_type.unit_cost_micros)
    move_by_hand(
        book, opened.state, circumstances, origin, points, open_lots([opened.state.id]),
        opened.expires_at(circumstances.day), opened.lapses_at(circumstances.day),
    )  # fmt: skip
    return Posting.objects.get(pk=post(book)[0])


def move_by_hand(
    book: Book,
    account: AccountState,
    act: Act,
    origin: Origin,
    points: int,
    lots: Sequence[LotState],
    expires: datetime | None,
    lapses: datetime | None,
) -> None:
    """Adds `points`, or takes them, in the book; `lots` are those of the account that still hold points. Raises
    NotEnoughPoints, TooManyPoints."""
    if points > 0:
        book.lapse(account, act, lots)
        book.earn(account, act, origin, points, kind="adjust", expires_at=expires)
        book.touch(account, lapses)
    else:
        book.redeem(account, act, lots, -points, kind="adjust")
