"""Who a member is, as far as the reader may see it just now: masked, or in clear while a look is open."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.db.models import prefetch_related_objects

from apps.core.formats import day
from apps.members.changes import HIDDEN
from apps.members.errors import Unreadable
from apps.members.models import Member
from apps.members.page import Asked
from apps.members.querysets import definitions_of
from apps.members.services import Revealed, open_look
from apps.members.words import attributes_in_words, kind_in_words


@dataclass(frozen=True)
class Named:
    """An identifier: masked, or in clear."""

    id: int
    kind: str
    shown: str
    since: datetime
    verified: datetime | None = None
    source: str = ""


@dataclass
class Profile:
    """`name` and `birthday` are empty where nothing is known; `seconds_left` is 0 where everything is masked."""

    member: Member
    name: str
    birthday: str
    identifiers: list[Named] = field(default_factory=list)
    attributes: list[tuple[str, str]] = field(default_factory=list)
    referrer: Member | None = None
    """Who brought them, where the reader may see that member, too."""
    seconds_left: int = 0
    fault: str = ""

    @property
    def minutes_left(self) -> int:
        return -(-self.seconds_left // 60)

    @property
    def is_closed(self) -> bool:
        return self.member.state == Member.State.CLOSED


def profile_of(asked: Asked, may_reveal: bool) -> Profile:
    """The profile of a member's page. Three queries, and one more where somebody brought them."""
    member = asked.member
    profile = Profile(member, member.masked_name, HIDDEN if member.birth_on_cipher else "")
    profile.attributes = attributes_in_words(definitions_of(member), member.attributes)
    prefetch_related_objects([member], "identifiers")
    profile.identifiers = [
        Named(each.pk, kind_in_words(each.kind), each.masked, each.created_at, each.verified_at, each.source)
        for each in sorted(member.identifiers.all(), key=lambda each: (each.kind, each.pk))
    ]
    if member.brought_by_id:
        profile.referrer = Member.objects.visible_to(asked.person).filter(pk=member.brought_by_id).first()
    if may_reveal:
        try:
            revealed = open_look(asked.person, member, when=asked.when)
        except Unreadable as fault:
            profile.fault = fault.sentence()
        else:
            _uncover(profile, revealed, asked.when)
    return profile


def _uncover(profile: Profile, revealed: Revealed | None, when: datetime) -> None:
    if revealed is None:
        return
    profile.name = revealed.name
    profile.birthday = day(revealed.birth_on) if revealed.birth_on else ""
    clear = {each.id: each.value for each in revealed.identifiers}
    profile.identifiers = [replace(each, shown=clear[each.id]) for each in profile.identifiers]
    profile.seconds_left = max(1, (revealed.until - when) // timedelta(seconds=1))
