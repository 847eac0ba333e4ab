"""What moved a member's points beside events: moments of the member's timeline, each with its reason and its lots."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core.addresses import address
from apps.core.clock import local_day
from apps.members.models import Member
from apps.members.page import Asked
from apps.members.timeline import Moment, Moved, Row, Source, called, register
from apps.points.member_page import accounts_on, last_day
from apps.points.models import Account, Entry, Posting, PostingKind

ADJUST = "points.adjust_points"
REVERSIBLE = (PostingKind.EARN, PostingKind.REDEEM, PostingKind.ADJUST)
SHOWN_LOTS = 12
ICONS = {
    PostingKind.EARN: "add_circle", PostingKind.OPENING: "flag", PostingKind.RELEASE: "lock_open",
    PostingKind.REDEEM: "redeem", PostingKind.ADJUST: "exposure", PostingKind.EXPIRE: "hourglass_disabled",
    PostingKind.REVERSE: "undo", PostingKind.CLAWBACK: "assignment_return", PostingKind.REPAY: "price_check",
}  # fmt: skip


@dataclass(frozen=True)
class FromLot:
    """What moved of one lot: when that was earned, and its last day, where it has one."""

    points: int
    earned_on: date
    last_on: date | None


class Purses:
    """A member's accounts by their id, and what to call points of a type where there are several."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self.by_id = {account.pk: account for account in accounts}
        types = [account.point_type for account in self.by_id.values()]
        many = Counter(each.program_id for each in types)
        self.names = {(each.program_id, each.code): each.name for each in types if many[each.program_id] > 1}

    def moved(self, points: int, program_id: int, code: str) -> Moved:
        return Moved(points, self.names.get((program_id, code), ""))

    def moved_by(self, account: int, kind: str, points: int, pending: int) -> Moved:
        """What is released was counted when it was earned, so that only what became spendable is told."""
        type_ = self.by_id[account].point_type
        return self.moved(points + (0 if kind == PostingKind.RELEASE else pending), type_.program_id, type_.code)


def purses_on(asked: Asked) -> Purses:
    """The accounts that a member's page shows; for `asked.once`."""
    return Purses(asked.once(accounts_on))


REVERSALS = Posting.objects.filter(reverses=OuterRef("pk"), kind=PostingKind.REVERSE)
MADE_BY_EVENT = ArraySubquery(
    Posting.objects.filter(~Exists(REVERSALS), event=OuterRef("pk"), member=OuterRef("member"), kind__in=REVERSIBLE)
    .order_by("pk")
    .values(told=JSONObject(id="pk", account="account_id", kind="kind", points="points", pending="pending_points"))
)
"""Of events, what they gave the member and nobody has reversed."""


def _may_reverse(asked: Asked) -> bool:
    return asked.member.state != Member.State.REMOVED and asked.person.has_perm(ADJUST, asked.member)


def reversals_of(asked: Asked, made: Iterable[dict[str, Any]]) -> list[tuple[Moved, str]]:
    """Where the reader may reverse what an event gave. Who may adjust points of a member may reverse what any store gave
    them."""
    if not _may_reverse(asked):
        return []
    purses = asked.once(purses_on)
    return [
        (purses.moved_by(each["account"], each["kind"], each["points"], each["pending"]), address("points_posting_reverse", each["id"]))
        for each in made
        if each["account"] in purses.by_id
    ]  # fmt: skip


def postings_of(asked: Asked) -> "QuerySet[Any]":
    """What an event moved stands under the event."""
    return Posting.objects.visible_to(asked.person).filter(member=asked.member, event__isnull=True)


def tell_postings(asked: Asked, rows: list[Row]) -> Iterable[Moment]:
    """No query beside the accounts that the page shows anyway."""
    purses = asked.once(purses_on)
    may_reverse = _may_reverse(asked)
    for row in rows:
        facts = row.facts
        account = purses.by_id.get(facts["account"])
        if account is None:
            continue
        kind = PostingKind(facts["kind"])
        moved = purses.moved_by(account.pk, kind, facts["points"], facts["pending"])
        is_open = may_reverse and kind in REVERSIBLE and not facts["reversal"]
        yield Moment(
            row, _act_in_words(kind, account.point_type.name), detail=facts["reason"], place=facts["place"],
            who=facts["who"] or "", moved=[moved], icon=ICONS[kind], address=address("points_posting_change", row.id),
            reversals=[(moved, address("points_posting_reverse", row.id))] if is_open else (),
            template="points/moment_lots.html" if facts["lots"] else "",
            more=[_from_lot(each, ZoneInfo(account.point_type.program.time_zone), kind) for each in facts["lots"] or ()],
        )  # fmt: skip


def _from_lot(told: dict[str, Any], zone: ZoneInfo, kind: str) -> FromLot:
    expires_at = datetime.fromisoformat(told["expires_at"]) if told["expires_at"] else None
    points = told["points"] + (0 if kind == PostingKind.RELEASE else told["pending"])
    return FromLot(points, local_day(datetime.fromisoformat(told["earned_at"]), zone), last_day(expires_at, zone))


def _act_in_words(kind: str, point_type: str) -> str:
    """What a movement was; of what happens by itself, what it means for the points."""
    if kind == PostingKind.RELEASE:
        return _("Pending points became spendable: %(point_type)s") % {"point_type": point_type}
    if kind == PostingKind.EXPIRE:
        return _("Points expired: %(point_type)s") % {"point_type": point_type}
    return str(PostingKind(kind).label)


LOTS = ArraySubquery(
    Entry.objects.filter(posting=OuterRef("pk"), lot__isnull=False)
    .order_by("pk")
    .values(
        told=JSONObject(
            points="points", pending="pending_points", earned_at="lot__earned_at", expires_at="lot__expires_at"
        )
    )[:SHOWN_LOTS]
)

# Whether it was reversed is asked of each row that is shown: `EXISTS` among the facts would be hashed from all postings.
register(
    Source(
        "points", gettext_lazy("Points"), "database", "points.view_posting", postings_of, "posted_at",
        {
            "kind": "kind", "points": "points", "pending": "pending_points", "account": "account_id", "reason": "reason",
            "who": called("actor"), "place": "org_unit__name", "reversal": Subquery(REVERSALS.values("pk")[:1]), "lots": LOTS,
        },
        tell_postings, 20,
    )
)  # fmt: skip
