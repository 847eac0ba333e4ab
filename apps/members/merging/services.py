"""Merging two members, and undoing it. Whoever does either, through whichever door, comes through here."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from django.db.models import Q

from apps.conditions.words import Words
from apps.core.addresses import address
from apps.core.errors import LoyaltyError
from apps.core.scope import require
from apps.core.transactions import in_transaction
from apps.members.changes import FieldChange
from apps.members.errors import NoSuchMember, ReasonMissing
from apps.members.merging import choosing, moving
from apps.members.merging.asked import PERMISSION, TITLE_BACK, OfTwo
from apps.members.merging.errors import (
    AlreadyUndone,
    LeftNameless,
    MemberClosed,
    MemberMerged,
    MemberRemoved,
    MergedOn,
    MergeRefused,
    NotMerged,
    SameMember,
)
from apps.members.merging.models import DuplicatePair, Merge
from apps.members.merging.moving import Moved
from apps.members.merging.parts import parts
from apps.members.models import Identifier, Member
from apps.members.services.rows import record
from apps.orgs.gate import Approval, Done, Effect, SubjectGone, pass_gate, register
from apps.orgs.models import Staff

State = Member.State


class MembersMerged(OfTwo):
    """Two members become one."""

    code: ClassVar[str] = "members.merge"
    label: ClassVar[Words] = Words("Merging two members", "合并会员")
    icon: ClassVar[str] = "merge"

    kept: int
    gone: int
    choices: dict[str, str] = {}

    def pair(self) -> tuple[int, int]:
        return self.kept, self.gone

    def effect(self, requester: Staff | None, when: datetime) -> Effect:
        found = obstacles(*self.read(), when)
        return Effect(self.lines(1), MergeRefused(found).sentence() if found else "")

    def carry_out(self, approval: Approval, when: datetime) -> Done:
        made = merge(
            approval.requester, self.kept, self.gone, choices=self.choices, reason=approval.reason, when=when,
            approval=approval,
        )  # fmt: skip
        return Done({"merge": made.pk}, made)

    def form_address(self) -> str:
        return address("members_merge_beside", self.kept, self.gone)


class MergeUndone(OfTwo):
    """Two members that were merged are taken apart again."""

    code: ClassVar[str] = "members.unmerge"
    label: ClassVar[Words] = Words("Undoing a merge of members", "撤销会员合并")
    icon: ClassVar[str] = "call_split"

    merge: int

    def made(self) -> Merge:
        """Raises SubjectGone."""
        made = Merge.objects.filter(pk=self.merge).first()
        if made is None:
            raise SubjectGone()
        return made

    def pair(self) -> tuple[int, int]:
        made = self.made()
        return made.kept_id, made.gone_id

    def _moving(self) -> tuple[int, int, Merge | None]:
        made = self.made()
        return made.kept_id, made.gone_id, made

    def identifiers(self) -> int:
        made = self.made()
        return Identifier.objects.filter(pk__in=made.moved["members"]["identifiers"], member=made.kept_id).count()

    def told(self) -> Words:
        return TITLE_BACK

    def effect(self, requester: Staff | None, when: datetime) -> Effect:
        found = obstacles_back(self.made(), *self.read(), when)
        return Effect(self.lines(-1), MergeRefused(found).sentence() if found else "")

    def carry_out(self, approval: Approval, when: datetime) -> Done:
        made = unmerge(approval.requester, self.merge, reason=approval.reason, when=when, approval=approval)
        return Done({"merge": made.pk}, made)

    def address(self) -> str:
        return address("members_merge_change", self.merge)

    def form_address(self) -> str:
        return self.address()


register(MembersMerged, MergeUndone)


@in_transaction
def merge(
    actor: Any,
    kept_id: int,
    gone_id: int,
    *,
    choices: Mapping[str, str] | None = None,
    reason: str,
    when: datetime,
    approval: Approval | None = None,
) -> Merge:
    """Makes the member `gone_id` part of `kept_id`: what names it names that one, its points move as entries, and so on.
    `choices` says by field whose particular is taken (`choosing.usual` where it says nothing).

    Raises NoSuchMember for one of the two that `actor` does not see, SameMember, MergeRefused with everything that is in
    the way, ReasonMissing, Unreadable, NotAllowed, ApprovalNeeded.
    """
    if kept_id == gone_id:
        raise SameMember()
    subject = MembersMerged(kept=kept_id, gone=gone_id, choices=dict(choices or {}))
    require_both_seen(actor, kept_id, gone_id)
    pass_gate(subject, actor, approval, when, reason=reason.strip())
    kept, gone = _locked(actor, kept_id, gone_id)
    if not reason.strip():
        raise ReasonMissing()
    _refuse(obstacles(kept, gone, when))
    since = moving.told_since(kept, gone)
    sides = moving.side_of(kept, since[0]), moving.side_of(gone, since[1])
    made = Merge(
        kept=kept, gone=gone, at=when, author=actor if isinstance(actor, Staff) else None, reason=reason.strip()[:500],
        choices=choosing.chosen(*sides, choices or {}),
    )  # fmt: skip
    moved = Moved(gone_state=gone.state)
    changes = moving.take_particulars(made, kept, gone, moved)
    identifiers = moving.move_rows(kept, gone, moved)
    gone.state, gone.merged_into, gone.name_grams = State.MERGED, kept, None
    kept.save(update_fields=moving.TAKEN)
    gone.save(update_fields=["state", "merged_into", "name_grams"])
    made.save(force_insert=True)
    made.moved = {"members": moved.model_dump()} | {part.code: part.move(made, actor, when) for part in parts()}
    made.save(update_fields=["moved"])
    _judge(made, DuplicatePair.State.MERGED, made.author, made.reason, when)
    came = [FieldChange(field=f"identifier:{each.kind}", new=each.masked) for each in identifiers]
    went = [FieldChange(field=f"identifier:{each.kind}", old=each.masked) for each in identifiers]
    told: Any = {"when": when, "reason": made.reason}
    record(kept, actor, [FieldChange(field="merged_from", new=str(gone.pk)), *changes, *came], **told)
    record(gone, actor, [FieldChange(field="merged_into", new=str(kept.pk)), *went], **told)
    return made


@in_transaction
def unmerge(actor: Any, merge_id: int, *, reason: str, when: datetime, approval: Approval | None = None) -> Merge:
    """Takes two members apart again: what moved goes back, as far as it is still there and was not changed since. What
    happened meanwhile stays with the kept member.

    Raises NoSuchMember, MergeRefused with everything that is in the way, ReasonMissing, Unreadable, NotAllowed,
    ApprovalNeeded.
    """
    made = Merge.objects.get(pk=merge_id)
    require_both_seen(actor, made.kept_id, made.gone_id)
    pass_gate(MergeUndone(merge=merge_id), actor, approval, when, reason=reason.strip())
    kept, gone = _locked(actor, made.kept_id, made.gone_id)
    made.refresh_from_db()
    if not reason.strip():
        raise ReasonMissing()
    _refuse(obstacles_back(made, kept, gone, when))
    moved = Moved.model_validate(made.moved["members"])
    changes, stayed = moving.put_back(made, kept, gone, moved)
    identifiers = moving.give_rows_back(made, moved)
    gone.state, gone.merged_into = moved.gone_state, None
    moving.found_by_name_again(gone)
    kept.save(update_fields=moving.TAKEN)
    gone.save(update_fields=["state", "merged_into", "name_grams"])
    returned = {"stayed": stayed, "identifiers": len(identifiers)}
    made.returned = {"members": returned} | {part.code: part.move_back(made, actor, when) for part in parts()}
    made.undone_at, made.undone_by = when, actor if isinstance(actor, Staff) else None
    made.undo_reason = reason.strip()[:500]
    made.save(update_fields=["returned", "undone_at", "undone_by", "undo_reason"])
    _judge(made, DuplicatePair.State.DIFFERENT, made.undone_by, made.undo_reason, when)
    went = [FieldChange(field=f"identifier:{each.kind}", old=each.masked) for each in identifiers]
    came = [FieldChange(field=f"identifier:{each.kind}", new=each.masked) for each in identifiers]
    told: Any = {"when": when, "reason": made.undo_reason}
    record(kept, actor, [FieldChange(field="merged_from", old=str(gone.pk)), *changes, *went], **told)
    record(gone, actor, [FieldChange(field="merged_into", old=str(kept.pk)), *came], **told)
    return made


def _judge(made: Merge, state: str, who: Staff | None, why: str, when: datetime) -> None:
    """What the board says of the two from now on; what else it asked about the gone member is no question any more."""
    pair = sorted((made.kept_id, made.gone_id))
    DuplicatePair.objects.filter(first=pair[0], second=pair[1]).update(
        state=state, decided_by=who, decided_at=when, why=why, merge=made
    )
    if state == DuplicatePair.State.MERGED:
        of_gone = DuplicatePair.objects.filter(
            Q(first=made.gone_id) | Q(second=made.gone_id), state=DuplicatePair.State.OPEN
        )
        of_gone.delete()


def require_both_seen(actor: Any, *members: int) -> None:
    """Raises NoSuchMember."""
    seen = Member.objects.all() if actor is None else Member.objects.visible_to(actor)
    if seen.filter(pk__in=members).count() < len(members):
        raise NoSuchMember()


def _locked(actor: Any, kept_id: int, gone_id: int) -> tuple[Member, Member]:
    """Both under a lock, in the order in which everybody locks members. Raises NotAllowed."""
    rows = Member.objects.select_for_update(no_key=True, of=("self",)).select_related("home_unit")
    members = {member.pk: member for member in rows.filter(pk__in=[kept_id, gone_id]).order_by("pk")}
    for member in members.values():
        require(actor, PERMISSION, member.home_unit.path)
    return members[kept_id], members[gone_id]


def obstacles(kept: Member, gone: Member, when: datetime) -> list[LoyaltyError]:
    """Everything that is in the way of merging them."""
    found: list[LoyaltyError] = []
    for member in (kept, gone):
        if member.state == State.MERGED:
            found.append(MemberMerged(member=member.pk, into=member.merged_into_id))
        elif member.state == State.REMOVED:
            found.append(MemberRemoved(member=member.pk))
    if kept.state == State.CLOSED:
        found.append(MemberClosed(member=kept.pk))
    for part in parts():
        found += part.obstacles(kept.pk, gone.pk, when)
    return found


def obstacles_back(made: Merge, kept: Member, gone: Member, when: datetime) -> list[LoyaltyError]:
    """Everything that is in the way of undoing the merge."""
    if made.undone_at is not None:
        return [AlreadyUndone()]
    found: list[LoyaltyError] = []
    if kept.state == State.MERGED:
        found.append(MergedOn(into=kept.merged_into_id))
    if gone.state != State.MERGED or kept.state == State.REMOVED:
        found.append(NotMerged())
    moved = Moved.model_validate(made.moved["members"])
    if (
        kept.state != State.MERGED
        and not Identifier.objects.filter(member=kept).exclude(pk__in=moved.identifiers).exists()
    ):
        found.append(LeftNameless())
    for part in parts():
        found += part.obstacles_back(made, when)
    return found


def _refuse(found: list[LoyaltyError]) -> None:
    if found:
        raise MergeRefused(found)
