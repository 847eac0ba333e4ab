"""Reversing what was posted: an earning, a redemption or an adjustment, once."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db.models import F, Sum

from apps.approvals.models import ApprovalRequest
from apps.approvals.services.filing import File
from apps.conditions.words import Words
from apps.core.addresses import address
from apps.core.formats import signed
from apps.core.scope import require
from apps.core.transactions import in_transaction
from apps.members.models import Member
from apps.members.privacy.errors import MemberErased
from apps.orgs.gate import ABOUT, Approval, Done, Effect, Line, Subject, SubjectGone, pass_gate, register
from apps.orgs.models import OrgUnit, Staff
from apps.points.asked import FIELDS, LABELS, TITLE, account_effect, facts_of
from apps.points.book import Book
from apps.points.errors import AlreadyReversed, NotReversible, ReasonMissing
from apps.points.models import Account, Entry, Lot, Posting, PostingKind
from apps.points.services.asking import ask
from apps.points.services.ledger import (
    Opened,
    act,
    content_hash,
    lot_state,
    open_account,
    open_account_of,
    open_lots,
    post,
    posted_before,
)
from apps.points.services.merging import origins_of, roots_of

REVERSIBLE = (PostingKind.EARN, PostingKind.REDEEM, PostingKind.ADJUST)


class Reversal(Subject):
    """A posting undone."""

    code: ClassVar[str] = "points.reversal"
    label: ClassVar[Words] = Words("Reversal of a posting", "积分冲正")
    icon: ClassVar[str] = "undo"
    permission: ClassVar[str] = "points.adjust_points"
    view: ClassVar[str] = "points.view_posting"
    fields: ClassVar = FIELDS
    adds_up: ClassVar[tuple[str, ...]] = ("request.points", "request.money")
    labels: ClassVar[Mapping[str, Words]] = LABELS

    posting: int
    points: int
    """What it moved, so that the request says how much it asks for."""

    def _account(self) -> Account:
        rows = Account.objects.select_related("point_type__program", "member__home_unit")
        account = rows.filter(pk__in=Posting.objects.filter(pk=self.posting).values("account")).first()
        if account is None:
            raise SubjectGone()
        return account

    def place(self) -> OrgUnit:
        return self._account().member.home_unit

    def about(self) -> str:
        return f"member:{self._account().member_id}"

    def amount(self) -> int:
        return -self.points

    def facts(self, requester: Staff | None, when: datetime) -> dict[str, Any]:
        account = self._account()
        return facts_of(account.member, account.point_type, -self.points, when)

    def effect(self, requester: Staff | None, when: datetime) -> Effect:
        account = self._account()
        kind = account.point_type
        effect = account_effect(account, account.member, kind, -self.points, may_owe=kind.program.allows_debt)
        is_reversed = Posting.objects.filter(reverses=self.posting, kind=PostingKind.REVERSE).exists()
        obstacle = AlreadyReversed().sentence() if is_reversed else effect.obstacle
        return Effect((*effect.lines, Line("reversed", is_reversed, True)), obstacle)

    def carry_out(self, approval: Approval, when: datetime) -> Done:
        posting = reverse(
            approval.requester, self.posting, reason=approval.reason, key=approval.key, when=when, approval=approval
        )
        return Done({"points": posting.points + posting.pending_points}, posting)

    def title(self) -> Words:
        return TITLE.format(points=signed(-self.points), member=ABOUT)

    def address(self) -> str:
        return address("members_member_change", self._account().member_id)

    def form_address(self) -> str:
        return address("points_posting_reverse", self.posting)


register(Reversal)


def ask_reversal(
    actor: Staff,
    subject: Reversal,
    *,
    reason: str,
    key: str,
    when: datetime,
    files: Sequence[File] = (),
    again: int | None = None,
) -> ApprovalRequest:
    """The request to reverse, done where no policy holds it; see `ask`. Raises MemberErased, NotReversible, and what `ask` does."""

    def check(has_evidence: bool) -> None:
        kind, state = Posting.objects.values_list("kind", "member__state").get(pk=subject.posting)
        if state == Member.State.REMOVED:
            raise MemberErased()
        if kind not in REVERSIBLE:
            raise NotReversible(kind=kind)

    return ask(actor, subject, reason=reason, key=key, when=when, files=files, again=again, check=check)


@in_transaction
def reverse(
    actor: Any, posting_id: int, *, reason: str, key: str, when: datetime, approval: Approval | None = None
) -> Posting:
    """Undoes an earning, redemption or adjustment, once.

    Earned points are taken back, as debt where they are spent and the programme allows it. Spent points return to
    the lots they came from with their old expiry; where that has passed, with the programme's days of grace.
    Raises NotReversible, AlreadyReversed, MemberErased, DebtNotAllowed, ReasonMissing, KeyReused, NotAllowed,
    ApprovalNeeded.
    """
    if not reason.strip():
        raise ReasonMissing()
    target = Posting.objects.get(pk=posting_id)
    digest = content_hash("reverse", posting_id, reason.strip())
    earlier = posted_before(key, digest)
    if earlier is not None:
        require(actor, Reversal.permission, earlier.member.home_unit.path)
        return earlier
    subject = Reversal(posting=posting_id, points=target.points + target.pending_points)
    pass_gate(subject, actor, approval, when, reason=reason.strip())
    opened = _whose(target)
    earlier = posted_before(key, digest)
    if earlier is not None:
        return earlier
    if opened.row.member.state == Member.State.REMOVED:
        raise MemberErased()
    if target.kind not in REVERSIBLE:
        raise NotReversible(kind=target.kind)
    if Posting.objects.filter(reverses=target, kind=PostingKind.REVERSE).exists():
        raise AlreadyReversed()
    book = Book()
    circumstances = act(
        opened,
        key,
        when,
        unit_id=target.org_unit_id,
        actor=actor,
        reason=reason.strip(),
        digest=digest,
        reverses_id=target.pk,
    )
    moves = [
        (lot_id, points + pending)
        for lot_id, kind, points, pending in target.entries.order_by("pk").values_list(
            "lot_id", "kind", "points", "pending_points"
        )
        if kind == target.kind and lot_id
    ]
    lots = {row.pk: lot_state(row) for row in Lot.objects.filter(pk__in=[lot_id for lot_id, _ in moves])}
    if moves and moves[0][1] < 0:
        grace = opened.days_end(circumstances.day + timedelta(days=opened.program.grace_days))
        book.give_back(opened.state, circumstances, [(lots[lot_id], -points) for lot_id, points in moves], grace)
        if opened.state.lapses_at is not None and opened.state.lapses_at <= when:
            # The account lapsed by inactivity: what comes back would lapse with it.
            book.touch(opened.state, grace)
    else:
        others = open_lots([opened.state.id])
        is_moved = opened.state.id != target.account_id
        origins = origins_of([lot.id or 0 for lot in others if lot.moved_from]) if is_moved else {}
        for lot_id, points in moves:
            lot = next((other for other in others if origins.get(other.id or 0, other.id) == lot_id), lots[lot_id])
            gone = points_gone(target, lot_id)
            book.take_back(
                opened.state,
                circumstances,
                lot,
                points - gone,
                others,
                kind="reverse",
                allows_debt=opened.program.allows_debt,
            )
    return Posting.objects.get(pk=post(book)[0])


def _whose(target: Posting) -> Opened:
    """The account that answers for a posting: of the member into whom its own was merged. Locked."""
    opened = open_account(target.account_id)
    # Asked under the lock: a merge holds it, too.
    kept = Member.objects.filter(pk=target.member_id).values_list("merged_into_id", flat=True).first()
    return opened if kept is None else open_account_of(kept, opened.state.point_type_id)


def points_gone(target: Posting, lot_id: int) -> int:
    """How many points of an award expired, wherever they went with a merge, or went back with a refund: nobody takes them a
    second time."""
    expirations = Entry.objects.filter(lot__in=roots_of([lot_id]), kind=PostingKind.EXPIRE)
    expired = expirations.aggregate(total=Sum("points"))["total"]
    refunds = Posting.objects.filter(reverses=target, kind=PostingKind.CLAWBACK)
    refunded = refunds.aggregate(total=Sum(F("points") + F("pending_points")))["total"]
    return -(expired or 0) - (refunded or 0)
