"""Erasing a member, with proof: one transaction empties every table that says something of them and leaves a certificate.

The row stays for the ledger's sake, under its number alone. A policy may want somebody else's yes first.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from django.db import transaction

from apps.conditions.catalogue import Field
from apps.conditions.types import Type
from apps.conditions.words import Words
from apps.core.addresses import address
from apps.core.transactions import in_transaction
from apps.members.changes import FieldChange
from apps.members.errors import Unreadable
from apps.members.identifiers import mask
from apps.members.models import Erasure, ErasureLine, Identifier, Member
from apps.members.privacy import blocks, holdings
from apps.members.privacy.errors import ErasureHindered, MemberErased, PointsRemain
from apps.members.privacy.holdings import Erasing, hindrances, left_of
from apps.members.privacy.turns import take_all
from apps.members.services.reading import birthday_of, name_of, value_of
from apps.members.services.rows import author_of, locked, record, require_seen
from apps.orgs.gate import ABOUT, Approval, Done, Effect, Line, Subject, SubjectGone, pass_gate, register
from apps.orgs.models import OrgUnit, Staff

PERMISSION = "members.erase_member"
WHYS: Mapping[str, Words] = {
    "asked": Words("the member asked for it", "会员本人要求"),
    "order": Words("an authority or a court ordered it", "主管机关或法院要求"),
    "retention": Words("the time for which data may be kept is over", "保存期限届满"),
}
TITLE = Words("Erase {member} and all that is known of them", "删除 {member} 及其全部资料")


class MemberErasure(Subject):
    """A member to be erased. It holds a number and codes: nothing that names them."""

    code: ClassVar[str] = "members.erase"
    label: ClassVar[Words] = Words("Erasure of a member", "删除会员")
    icon: ClassVar[str] = "person_remove"
    permission: ClassVar[str] = PERMISSION
    view: ClassVar[str] = "members.view_erasure"
    fields: ClassVar = (
        Field("request.points", Type.INTEGER, Words("the points that would be forfeited", "将作废的积分"), "request.points"),
        Field(
            "request.why", Type.CHOICE, Words("why they are erased", "删除原因"), "request.why",
            choices=tuple(WHYS.items()), is_closed=True,
        ),
    )  # fmt: skip
    labels: ClassVar[Mapping[str, Words]] = {
        **{f"for_{code}": words for code, words in WHYS.items()},
        "why": Words("Why", "原因"),
        "points": Words("Points that are forfeited", "作废积分"),
        "identifiers": Words("Identifiers", "标识数"),
        "home": Words("Home unit", "所属门店"),
    }

    member: int
    why: str
    forfeits: bool = False

    def _member(self) -> Member:
        member: Member | None = Member.objects.select_related("home_unit").filter(pk=self.member).first()
        if member is None:
            raise SubjectGone()
        return member

    def place(self) -> OrgUnit:
        return self._member().home_unit

    def about(self) -> str:
        return f"member:{self.member}"

    def facts(self, requester: Staff | None, when: datetime) -> dict[str, Any]:
        return {"points": left_of(self.member, when), "why": self.why}

    def effect(self, requester: Staff | None, when: datetime) -> Effect:
        member = self._member()
        identifiers = Identifier.objects.filter(member=member).count()
        lines = (
            Line("why", None, f"for_{self.why}", "words"),
            Line("identifiers", identifiers, 0, "number"),
            Line("points", left_of(self.member, when), 0, "points"),
            Line("home", member.home_unit.name, member.home_unit.name),
        )
        try:
            require_settled(member, forfeits=self.forfeits, when=when)
        except (ErasureHindered, PointsRemain, MemberErased) as refusal:
            return Effect(lines, refusal.sentence())
        return Effect(lines)

    def require_ready(self, requester: Staff | None, also: Collection[Staff], when: datetime) -> None:
        """Raises MemberErased, ErasureHindered, PointsRemain."""
        require_settled(self._member(), forfeits=self.forfeits, when=when)

    def carry_out(self, approval: Approval, when: datetime) -> Done:
        erasure = erase(
            approval.requester, self.member, why=self.why, forfeits=self.forfeits, when=when, approval=approval
        )
        return Done({"erasure": erasure.pk}, erasure)

    def title(self) -> Words:
        return TITLE.format(member=ABOUT)

    def address(self) -> str:
        return address("members_member_change", self.member)


register(MemberErasure)


def require_settled(member: Member, *, forfeits: bool, when: datetime) -> None:
    """Returns where a member can be erased now. Raises MemberErased, ErasureHindered, PointsRemain."""
    if member.state == Member.State.REMOVED:
        raise MemberErased()
    reasons = hindrances(member, when)
    if reasons:
        raise ErasureHindered(reasons=reasons)
    points = 0 if forfeits else left_of(member.pk, when)
    if points:
        raise PointsRemain(points=f"{points:,}")


@in_transaction
def erase(
    actor: Any,
    member_id: int,
    *,
    why: str,
    when: datetime,
    forfeits: bool = False,
    approval: Approval | None = None,
) -> Erasure:
    """The certificate of a member of whom nothing is left but what it lists. Files go once it is committed.

    Raises MemberErased, ErasureHindered, PointsRemain (unless `forfeits`), NoSuchMember, NotAllowed, ApprovalNeeded.
    """
    take_all()
    require_seen(actor, member_id)
    subject = MemberErasure(member=member_id, why=Erasure.Why(why).value, forfeits=forfeits)
    pass_gate(subject, actor, approval, when, reason=WHYS[subject.why].en)
    member = locked(actor, member_id, PERMISSION)
    require_settled(member, forfeits=forfeits, when=when)
    erasing = _erasing(member, actor, subject.why, when)
    blocks.block(erasing)
    # Whoever was merged into the member is the same person, and was known by what names the member now.
    for absorbed in Member.objects.select_for_update(no_key=True).filter(merged_into=member).order_by("pk"):
        own = _erasing(absorbed, actor, subject.why, when)
        _go(replace(erasing, member=absorbed, erasure=own.erasure, name=own.name, born=own.born), actor)
    _go(erasing, actor)
    transaction.on_commit(lambda: _remove_files(erasing))
    return erasing.erasure


def _go(erasing: Erasing, actor: Any) -> None:
    """Empties what there is of a member, and says so on their certificate."""
    went = _emptied(erasing)
    holdings.forfeit(erasing, actor)
    gone = FieldChange(field="state", old=Member.State.ACTIVE, new=Member.State.REMOVED)
    record(erasing.member, actor, [gone], when=erasing.when)
    ErasureLine.objects.bulk_create(_lines(erasing, went))


def _remove_files(erasing: Erasing) -> None:
    for path in erasing.files:
        Path(path).unlink(missing_ok=True)


def _erasing(member: Member, actor: Any, why: str, when: datetime) -> Erasing:
    identifiers = list(member.identifiers.all())
    erasure = Erasure.objects.create(member=member, why=why, at=when, blocked=len(identifiers), **author_of(actor))
    values = frozenset(_readable(value_of, each) for each in identifiers) - {""}
    name, born = _readable(name_of, member), _readable(birthday_of, member)
    masks = {each.masked for each in identifiers} | {
        mask(kind, text) for kind in Identifier.Kind.values for text in values
    }
    named = frozenset((each.kind, bytes(each.value_hash)) for each in identifiers)
    return Erasing(member, erasure, when, named, values, name, born.replace("-", ""), sorted(masks))


def _readable(read: Any, row: Any) -> str:
    """What no key opens any more names nobody."""
    try:
        return str(read(row) or "")
    except Unreadable:
        return ""


def _emptied(erasing: Erasing) -> dict[str, int]:
    """How many rows of each table were emptied or removed. The member's own row goes last."""
    went: dict[str, int] = {}
    for holding in holdings.holdings():
        if holding.erase is not None and holding.model is not Member:
            went[holding.relation] = holding.erase(erasing)
    for blank in holdings.doors():
        for relation, number in blank(erasing).items():
            went[relation] = went.get(relation, 0) + number
    own = next(holding for holding in holdings.holdings() if holding.model is Member)
    if own.erase is not None:
        went[own.relation] = own.erase(erasing)
    return went


def _lines(erasing: Erasing, went: Mapping[str, int]) -> list[ErasureLine]:
    """What the certificate lists; tables that held nothing are left out."""
    lines = []
    for holding in holdings.holdings():
        stayed = holding.rows(erasing.member.pk).count() if holding.stays is not None else 0
        if stayed or went.get(holding.relation):
            lines.append(
                ErasureLine(
                    erasure=erasing.erasure, relation=holding.relation, label=asdict(holding.label),
                    went=went.get(holding.relation, 0), stayed=stayed,
                    stays=asdict(holding.stays) if holding.stays is not None and stayed else {},
                )
            )  # fmt: skip
    return lines
