"""Deciding on two members who may be one person: proposing them, and saying that they are not. Merging is in `services`."""

from datetime import datetime
from typing import Any

from apps.core.errors import LoyaltyError
from apps.core.scope import require
from apps.core.transactions import in_transaction
from apps.members.errors import NoSuchMember, ReasonMissing
from apps.members.merging.errors import AlreadyJudged, MemberMerged, MemberRemoved, SameMember
from apps.members.merging.models import DuplicatePair
from apps.members.models import Member
from apps.members.services.rows import require_seen
from apps.orgs.models import OrgUnit, Staff
from apps.orgs.querysets import paths_above

PROPOSE, JUDGE = "members.add_duplicatepair", "members.change_duplicatepair"
CERTAIN = 100


@in_transaction
def propose(actor: Any, one: int, other: int, *, note: str, when: datetime) -> DuplicatePair:
    """Puts two members on the board, for whoever may merge them. Raises SameMember, MemberMerged, MemberRemoved,
    AlreadyJudged, ReasonMissing, NoSuchMember, NotAllowed."""
    if one == other:
        raise SameMember()
    if not note.strip():
        raise ReasonMissing()
    for pk in (one, other):
        require_seen(actor, pk)
    members = [_standing(pk, actor) for pk in sorted((one, other))]
    told = {"proposed_by": actor if isinstance(actor, Staff) else None, "note": note.strip()[:500], "score": CERTAIN}
    pair, is_new = DuplicatePair.objects.get_or_create(
        first=members[0], second=members[1],
        defaults={**told, "unit": nearest_above(*(each.home_unit for each in members)), "found_at": when, "seen_at": when},
    )  # fmt: skip
    if not is_new:
        if pair.state != DuplicatePair.State.OPEN:
            raise AlreadyJudged()
        DuplicatePair.objects.filter(pk=pair.pk).update(**told)
        pair.refresh_from_db()
    return pair


def _standing(pk: int, actor: Any) -> Member:
    member = Member.objects.select_related("home_unit").filter(pk=pk).first()
    if member is None:
        raise NoSuchMember()
    require(actor, PROPOSE, member.home_unit.path)
    refusal: LoyaltyError | None = None
    if member.state == Member.State.MERGED:
        refusal = MemberMerged(member=pk, into=member.merged_into_id)
    elif member.state == Member.State.REMOVED:
        refusal = MemberRemoved(member=pk)
    if refusal is not None:
        raise refusal
    return member


def nearest_above(*units: OrgUnit) -> OrgUnit:
    """The nearest unit above all of them, or the one they are."""
    shared = set.intersection(*({*paths_above(unit.path)} for unit in units))
    found: OrgUnit = OrgUnit.objects.filter(path__in=shared).order_by("-depth")[0]
    return found


@in_transaction
def are_different(actor: Any, pair_id: int, *, why: str, when: datetime) -> DuplicatePair:
    """The two are not one person, and are found no more. Raises AlreadyJudged, ReasonMissing, NotAllowed."""
    pair = DuplicatePair.objects.select_for_update(no_key=True, of=("self",)).select_related("unit").get(pk=pair_id)
    require(actor, JUDGE, pair.unit.path)
    if not why.strip():
        raise ReasonMissing()
    if pair.state != DuplicatePair.State.OPEN:
        raise AlreadyJudged()
    pair.state, pair.why, pair.decided_at = DuplicatePair.State.DIFFERENT, why.strip()[:500], when
    pair.decided_by = actor if isinstance(actor, Staff) else None
    pair.save(update_fields=["state", "why", "decided_at", "decided_by"])
    return pair
