"""Looking: at personal data in clear, or at a list as a file. Each leaves a row first. For searches see `searching`."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from apps.conditions.catalogue import Field
from apps.conditions.types import Type
from apps.conditions.words import Words
from apps.core.addresses import address
from apps.core.scope import reach_of
from apps.core.transactions import in_transaction
from apps.members.errors import MinutesOutOfRange, ReasonMissing
from apps.members.models import Identifier, Look, Member
from apps.members.services.reading import birthday_of, name_of, value_of
from apps.members.services.rows import author_of, locked, require_seen
from apps.orgs.gate import (
    ABOUT,
    Approval,
    Done,
    Effect,
    Line,
    Subject,
    SubjectGone,
    pass_gate,
    register,
    register_names,
)
from apps.orgs.models import OrgUnit, Staff

PERMISSION = "members.reveal_member"
SHOWN_FOR = timedelta(minutes=10)
LEAST_MINUTES, MOST_MINUTES = 10, 1_440
DAYS = 30
PURPOSES = {
    "asked": Words("the member asks for it", "会员本人要求"),
    "complaint": Words("a complaint", "投诉处理"),
    "correction": Words("a correction of what is known", "更正资料"),
    "fraud": Words("a suspicion of fraud", "疑似欺诈"),
    "authority": Words("an authority asks", "主管机关要求"),
}
TITLE = Words("Personal data of {member} for {minutes} minutes", "查看 {member} 的个人信息 {minutes} 分钟")


@dataclass(frozen=True)
class RevealedIdentifier:
    id: int
    kind: str
    value: str


@dataclass(frozen=True)
class Revealed:
    """Personal data in clear, to be shown until `until`, excluded, and kept nowhere."""

    name: str
    birth_on: date | None
    identifiers: tuple[RevealedIdentifier, ...]
    until: datetime


class PersonalLook(Subject):
    """A look at one member's personal data, for some minutes from when it is let."""

    code: ClassVar[str] = "members.look"
    label: ClassVar[Words] = Words("Look at personal data", "查看个人信息")
    icon: ClassVar[str] = "visibility"
    permission: ClassVar[str] = PERMISSION
    view: ClassVar[str] = "members.view_look"
    fields: ClassVar = (
        Field("request.minutes", Type.INTEGER, Words("the number of minutes", "分钟数"), "request.minutes"),
        Field(
            "request.purpose", Type.CHOICE, Words("what it is for", "用途"), "request.purpose",
            choices=tuple(PURPOSES.items()), is_closed=True,
        ),
        Field("request.identifiers", Type.INTEGER, Words("the number of the member's identifiers", "会员标识数"), "request.identifiers"),
        Field(
            "request.looks", Type.INTEGER, Words("the requester's looks in 30 days", "申请人 30 天内的查看次数"),
            "request.looks",
        ),
    )  # fmt: skip
    labels: ClassVar[Mapping[str, Words]] = {
        **{f"for_{code}": words for code, words in PURPOSES.items()},
        "minutes": Words("Shown in clear, minutes", "明文显示（分钟）"),
        "purpose": Words("What it is for", "用途"),
        "identifiers": Words("Identifiers", "标识数"),
        "home": Words("Home unit", "所属门店"),
    }

    member: int
    minutes: int = 10
    purpose: str = ""

    def _member(self) -> Member:
        member: Member | None = Member.objects.select_related("home_unit").filter(pk=self.member).first()
        if member is None:
            raise SubjectGone()
        return member

    def place(self) -> OrgUnit:
        return self._member().home_unit

    def about(self) -> str:
        return f"member:{self.member}"

    def require_ready(self, requester: Staff | None, also: Collection[Staff], when: datetime) -> None:
        """Raises MinutesOutOfRange."""
        _check_minutes(self.minutes)

    def facts(self, requester: Staff | None, when: datetime) -> dict[str, Any]:
        looks = Look.objects.filter(kind=Look.Kind.REVEAL, actor=requester, at__gt=when - timedelta(days=DAYS))
        return {
            "minutes": self.minutes,
            "purpose": self.purpose or None,
            "identifiers": Identifier.objects.filter(member=self.member).count(),
            "looks": looks.count() if requester is not None else 0,
        }

    def effect(self, requester: Staff | None, when: datetime) -> Effect:
        member = self._member()
        identifiers = Identifier.objects.filter(member=member).count()
        lines = [
            Line("minutes", 0, self.minutes, "number"),
            Line("identifiers", identifiers, identifiers, "number"),
            Line("home", member.home_unit.name, member.home_unit.name),
        ]
        if self.purpose:
            lines.insert(1, Line("purpose", None, f"for_{self.purpose}", "words"))
        return Effect(tuple(lines))

    def carry_out(self, approval: Approval, when: datetime) -> Done:
        revealed = reveal(
            approval.requester, self.member, reason=approval.reason, when=when, minutes=self.minutes,
            purpose=self.purpose, approval=approval,
        )  # fmt: skip
        return Done({"minutes": self.minutes, "until": revealed.until.isoformat()})

    def title(self) -> Words:
        return TITLE.format(member=ABOUT, minutes=str(self.minutes))

    def address(self) -> str:
        return address("members_member_change", self.member)


register(PersonalLook)


def names_shown(pks: Collection[int]) -> dict[int, str]:
    """What members are called in lists, masked. One query."""
    rows = Member.objects.filter(pk__in=pks).only("masked_name", "state")
    return {member.pk: str(member) for member in rows}


register_names("member", names_shown)


@in_transaction
def reveal(
    actor: Any,
    member_id: int,
    *,
    reason: str,
    when: datetime,
    minutes: int = 10,
    purpose: str = "",
    approval: Approval | None = None,
) -> Revealed:
    """The member's personal data, for a reason and for some minutes, on record in the same transaction.

    Raises ReasonMissing, MinutesOutOfRange, Unreadable, NoSuchMember, NotAllowed, ApprovalNeeded.
    """
    require_seen(actor, member_id)
    subject = PersonalLook(member=member_id, minutes=minutes, purpose=purpose if purpose in PURPOSES else "")
    if actor is not None:
        pass_gate(subject, actor, approval, when, reason=reason.strip())
    member = locked(actor, member_id, PERMISSION)
    if not reason.strip():
        raise ReasonMissing()
    _check_minutes(minutes)
    until = when + timedelta(minutes=minutes)
    revealed = _read(member, until)
    record_look(
        actor, Look.Kind.REVEAL, member.home_unit,
        member=member, what=_fields(revealed), reason=reason.strip()[:500], until=until,
    )  # fmt: skip
    return revealed


def _check_minutes(minutes: int) -> None:
    if not LEAST_MINUTES <= minutes <= MOST_MINUTES:
        raise MinutesOutOfRange(least=LEAST_MINUTES, most=MOST_MINUTES)


def open_look(actor: Any, member: Member, *, when: datetime) -> Revealed | None:
    """What `actor` was let see of the member and may still see; None when there was no look or its time is over, for
    whoever only sees the studio as they would, and for what was let before they were signed out everywhere."""
    if hasattr(actor, "seen_by") or not reach_of(actor, PERMISSION).covers(member.home_unit.path):
        return None
    looks = Look.objects.filter(kind=Look.Kind.REVEAL, member=member, until__gt=when, **author_of(actor))
    signed_out = getattr(actor, "signed_out_at", None)
    if signed_out is not None:
        looks = looks.filter(at__gt=signed_out)
    look = looks.order_by("-until").first()
    return _read(member, look.until) if look is not None and look.until else None


@in_transaction
def record_export(actor: Any, what: str, member: Member | None = None) -> None:
    """A list of members, or what happened with one, is about to leave as a file; `what` says which."""
    unit = member.home_unit if member is not None else place_of(actor)
    record_look(actor, Look.Kind.EXPORT, unit, what=what[:200], member=member)


@in_transaction
def record_matching(actor: Any, what: str, found: int) -> None:
    """A list of identifiers was held against the members; `what` says which, `found` how many it named."""
    record_look(actor, Look.Kind.SEARCH, place_of(actor), what=what[:200], found=found)


def record_look(actor: Any, kind: str, unit: OrgUnit, **more: Any) -> None:
    Look.objects.create(kind=kind, unit=unit, **author_of(actor), **more)


def place_of(actor: Any) -> OrgUnit:
    """Where who looks belongs; the whole group where that is not said."""
    unit: OrgUnit | None = getattr(actor, "unit", None)
    return unit or OrgUnit.objects.get(depth=1)


def _read(member: Member, until: datetime) -> Revealed:
    named = sorted(member.identifiers.all(), key=lambda each: (each.kind, each.pk))
    identifiers = tuple(RevealedIdentifier(each.pk, each.kind, value_of(each)) for each in named)
    return Revealed(name_of(member), birthday_of(member), identifiers, until)


def _fields(revealed: Revealed) -> str:
    """Which fields a look showed, by their codes."""
    own = [name for name, value in (("name", revealed.name), ("birth_on", revealed.birth_on)) if value]
    return ", ".join([*own, *(each.kind for each in revealed.identifiers)])[:200]
