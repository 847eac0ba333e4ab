"""Opening balances: what another system's members bring along, as lots with their own day, expiry and cost."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import orjson
from django.db import connection
from django.db.models import Q

from apps.conditions.words import Words
from apps.core.clock import local_day, start_of_day
from apps.core.formats import MICROS, money_of_micros, number
from apps.members.importing.cleaning import day, whole_number
from apps.members.importing.models import MemberImport
from apps.members.importing.parts import Brought, Part, Read, Texts, later_life, register
from apps.members.merging.models import Merge
from apps.orgs.gate import Line
from apps.points.book import MOST_COST_MICROS, MOST_POINTS, Book, Origin
from apps.points.expiry import expires_at, lapses_at, parse_policy
from apps.points.models import PointType, Posting, PostingKind
from apps.points.services.ledger import act, open_account_of, open_lots, post
from apps.points.services.merging import origins_of

CALLED = (
    "当前积分", "积分", "积分余额", "可用积分", "会员积分", "points", "balance", "pointsbalance", "currentpoints", "openingpoints",
)  # fmt: skip
CALLED_EXPIRY = (
    "积分有效期",
    "积分到期日",
    "积分失效日期",
    "pointsexpire",
    "pointsexpireon",
    "pointsexpiry",
    "expirydate",
)
CALLED_EARNED = ("积分获得日期", "积分日期", "pointsearnedon", "earnedon")
EARNED, EXPIRES = "points_earned_on", "points_expire_on"
EARLIEST, NEVER = date(1900, 1, 1), 9999
"""No points were earned before that day; old systems write the last year there is for those that never expire."""


class OpeningPoints(Part):
    """Columns `points:TYPE`, and for all of them the days `points_earned_on` and `points_expire_on`.

    Where the file tells no such day, points count as earned on `options["earned"]`: `import` (the day they are brought,
    as usual) or `joined`; and they last as their point type says, or to the end of `options["expires_on"]`. Those that last
    to a day of the year 9999 never expire.
    `options["cost_micros"]` is what one costs, in millionths; else what their point type says.
    """

    code: ClassVar[str] = "points"
    label: ClassVar[Words] = Words("Opening points", "期初积分")
    labels: ClassVar[Mapping[str, Words]] = {
        "opening_points": Words("Opening points", "期初积分"),
        "opening_cost": Words("What they add to the liability", "增加的负债"),
        "points": Words("Points taken back", "收回的积分"),
        "points_lost": Words("Points spent meanwhile, which are lost", "期间已消费、无法收回的积分"),
    }

    def takes(self, target: str) -> bool:
        return target in (EARNED, EXPIRES) or re.fullmatch(r"points:[\w-]{1,40}", target) is not None

    def targets(self, program: Any) -> Sequence[tuple[str, Words]]:
        types = PointType.objects.filter(program=program).order_by("pk")
        return [
            *((f"points:{t.code}", Words(f"Opening balance: {t.name}", f"期初余额：{t.name}")) for t in types),
            (EARNED, Words("Points earned on", "积分获得日期")),
            (EXPIRES, Words("Last day of the points", "积分最后有效日")),
        ]

    def called(self, name: str, program: Any) -> str:
        if name in CALLED:
            kinds = PointType.objects.filter(program=program, kind=PointType.Kind.REWARD).order_by("pk")
            code = kinds.values_list("code", flat=True).first()
            return f"points:{code}" if code else ""
        return EXPIRES if name in CALLED_EXPIRY else EARNED if name in CALLED_EARNED else ""

    def reader(self, job: MemberImport, options: Mapping[str, Any], when: datetime) -> Read:
        types = {t.code: t for t in PointType.objects.filter(program_id=job.program_id)}
        zone = ZoneInfo(job.program.time_zone)
        today = local_day(when, zone)
        fixed = date.fromisoformat(options["expires_on"]) if options.get("expires_on") else None
        cost = options.get("cost_micros")
        from_joining = options.get("earned") == "joined"

        @lru_cache(maxsize=65_536)
        def instants(code: str, earned: date, last: date | None) -> dict[str, Any]:
            policy = parse_policy(types[code].expiry)
            if last is None:
                ends = expires_at(policy, earned, zone)
            else:
                ends = None if last.year == NEVER else start_of_day(last + timedelta(days=1), zone)
            lapses = lapses_at(policy, today, zone)
            return {
                "cost": types[code].unit_cost_micros if cost is None else int(cost),
                "earned_at": start_of_day(earned, zone).isoformat(), "expires_at": ends.isoformat() if ends else None,
                "lapses_at": lapses.isoformat() if lapses else None,
            }  # fmt: skip

        def read(texts: Texts, joined: date) -> tuple[dict[str, Any], dict[str, str], list[str]]:
            amounts: dict[str, Any] = {}
            findings: dict[str, str] = {}
            notes: list[str] = []
            earned, last = day(texts.get(EARNED, "")), day(texts.get(EXPIRES, ""))
            earned_on = min(earned.value or (joined if from_joining else today), today)
            if earned.fault or last.fault or earned_on < EARLIEST:
                findings["points_date"] = ""
            for target, text in texts.items():
                code = target.removeprefix("points:")
                if target == code or code not in types:
                    continue
                cell = whole_number(text)
                if cell.fault:
                    findings["points_malformed"] = ""
                    continue
                if cell.value is None:
                    notes.append("points_none")
                    continue
                if cell.repair:
                    notes.append(cell.repair)
                amount = instants(code, max(earned_on, EARLIEST), last.value or fixed)
                if abs(cell.value) > MOST_POINTS or abs(cell.value) * amount["cost"] > MOST_COST_MICROS:
                    findings["points_too_many"] = ""
                elif cell.value < 0:
                    findings["points_negative"] = ""
                if cell.value:
                    amounts[code] = {"points": cell.value, **amount}
            return amounts, findings, notes

        return read

    def totals(self, job: MemberImport) -> dict[str, Any]:
        """By point type: the points and their cost, in millionths, of the rows that come in; `stated`: of all rows."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT a.key, sum((a.value->>'points')::numeric) FILTER (WHERE r.state IN ('new', 'changed', 'same')),"
                " sum((a.value->>'points')::numeric * (a.value->>'cost')::numeric)"
                "   FILTER (WHERE r.state IN ('new', 'changed', 'same')), sum((a.value->>'points')::numeric)"
                " FROM members_memberrow r, LATERAL jsonb_each(r.amounts) AS a WHERE r.job_id = %s GROUP BY 1",
                [job.pk],
            )
            rows = cursor.fetchall()
        return {
            "types": {code: {"points": int(points or 0), "cost_micros": int(cost or 0)} for code, points, cost, _all in rows},
            "stated": {code: int(all_points) for code, _points, _cost, all_points in rows},
        }  # fmt: skip

    def facts(self, job: MemberImport) -> dict[str, Any]:
        points, cost = _sums(job)
        return {"points": points, "money": cost}

    def lines(self, job: MemberImport) -> Sequence[Line]:
        points, cost = _sums(job)
        currency = job.program.currency
        return (
            Line("opening_points", 0, points, "points"),
            Line("opening_cost", f"{currency} 0", f"{currency} {cost:f}", "money"),
        )

    def brought(self, job: MemberImport) -> Sequence[Brought]:
        names, currency = _names(job), job.program.currency
        return [
            Brought(names.get(code, code), each["points"], money_of_micros(each["cost_micros"], currency))
            for code, each in sorted(job.totals.get("points", {}).get("types", {}).items())
        ]

    def stateable(self, program: Any) -> Sequence[tuple[str, Words]]:
        types = PointType.objects.filter(program=program).order_by("pk")
        return [(f"points:{t.code}", Words(f"Sum of {t.name}", f"{t.name}合计")) for t in types]

    def in_row(self, job: MemberImport) -> Callable[[Mapping[str, Any]], str]:
        names = _names(job)
        is_one = len(job.totals.get("points", {}).get("types", {})) < 2

        def told(amounts: Mapping[str, Any]) -> str:
            held = [(code, number(each["points"])) for code, each in amounts.items() if code in names]
            return " · ".join(text if is_one else f"{names[code]} {text}" for code, text in held)

        return told

    def take(self, job: MemberImport, first: int, last: int, when: datetime) -> None:
        today = local_day(when, ZoneInfo(job.program.time_zone))
        with connection.cursor() as cursor:
            cursor.execute("SELECT points_open_balances(%s, %s, %s, %s, %s)", [job.pk, first, last, when, today])
        _pay_debts(job, first, last, when)

    def take_back(self, job: MemberImport, first: int, last: int, when: datetime) -> dict[str, int]:
        today = local_day(when, ZoneInfo(job.program.time_zone))
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT taken, lost FROM points_take_openings_back(%s, %s, %s, %s, %s)",
                [job.pk, first, last, when, today],
            )
            taken, lost = cursor.fetchone()
        moved = _take_from_heirs(job, first, last, when)
        return {"points": taken + moved, "points_lost": lost - moved}


def _names(job: MemberImport) -> dict[str, str]:
    """The point types of its programme, by code."""
    return dict(PointType.objects.filter(program_id=job.program_id).values_list("code", "name"))


def _sums(job: MemberImport) -> tuple[int, Decimal]:
    """The points of all types that a file brings, and what they cost."""
    types = job.totals.get("points", {}).get("types", {}).values()
    return sum(each["points"] for each in types), Decimal(sum(each["cost_micros"] for each in types)) / MICROS


_OWING = """
SELECT r.member_id, a.key, points_opening_key(j.source, t.id, r.member_id) || coalesce((
           SELECT max(back.id)::text FROM points_posting back JOIN points_posting p ON p.id = back.reverses_id
           WHERE back.kind = 'reverse' AND p.account_id = owed.id AND p.kind = 'opening'), ''), a.value::text
FROM members_memberimport j
JOIN members_memberrow r ON r.job_id = j.id AND r.number BETWEEN %(first)s AND %(last)s AND r.is_done
CROSS JOIN LATERAL jsonb_each(r.amounts) AS a(key, value)
JOIN points_pointtype t ON t.program_id = j.program_id AND t.code = a.key
JOIN points_account owed ON owed.member_id = r.member_id AND owed.point_type_id = t.id AND owed.debt > 0
WHERE j.id = %(job)s AND r.state <> 'new' AND (a.value->>'points')::bigint > 0 AND NOT EXISTS (
    SELECT FROM points_posting p
    WHERE p.account_id = owed.id AND p.kind = 'opening'
      AND starts_with(p.key, points_opening_key(j.source, t.id, r.member_id))
      AND NOT EXISTS (SELECT FROM points_posting b WHERE b.reverses_id = p.id AND b.kind = 'reverse'))
ORDER BY r.member_id
"""


def _pay_debts(job: MemberImport, first: int, last: int, when: datetime) -> None:
    """Opens the balances of members who owe points: what they bring pays that off first."""
    types = {t.code: t for t in PointType.objects.filter(program_id=job.program_id)}
    with connection.cursor() as cursor:
        cursor.execute(
            _OWING,
            {"job": job.pk, "first": first, "last": last},
        )
        owing = cursor.fetchall()
    for member, code, key, amount in owing:
        amount = orjson.loads(amount)
        opened = open_account_of(member, types[code].pk)
        unit = opened.row.member.home_unit_id
        origin = Origin(unit, types[code].funder_id or unit, amount["cost"])
        book = Book()
        ends = amount["expires_at"]
        book.earn(
            opened.state,
            act(opened, key, when, actor=job.created_by, reason=job.file_name),
            origin, amount["points"], kind="opening", earned_at=datetime.fromisoformat(amount["earned_at"]),
            expires_at=datetime.fromisoformat(ends) if ends else None,
        )  # fmt: skip
        post(book)


def _take_from_heirs(job: MemberImport, first: int, last: int, when: datetime) -> int:
    """Takes what is left of opening balances whose members became one with another since: there their points go on. How many."""
    if job.started_at is None or not Merge.objects.filter(at__gte=job.started_at, undone_at=None).exists():
        return 0
    rows = job.staged.filter(number__range=(first, last), is_done=True, member__merged_into__isnull=False)
    opened_by = Posting.objects.filter(
        member__in=rows.values("member"), kind=PostingKind.OPENING, posted_at__gte=job.started_at, reason=job.file_name,
        account__point_type__program=job.program_id,
    ).exclude(reversals__kind=PostingKind.REVERSE)  # fmt: skip
    taken = 0
    for opening in opened_by.select_related("member", "account").order_by("member__merged_into", "pk"):
        opened, book = open_account_of(opening.member.merged_into_id or 0, opening.account.point_type_id), Book()
        others = open_lots([opened.state.id])
        origins = origins_of([lot.id or 0 for lot in others if lot.moved_from])
        lots = set(opening.entries.values_list("lot_id", flat=True))
        heirs = [lot for lot in others if origins.get(lot.id or 0) in lots and lot.is_spendable(when)]
        if heirs:
            told = act(opened, f"opening-back:{opening.pk}", when, unit_id=opening.org_unit_id, reverses_id=opening.pk)
            left = sum(lot.free for lot in heirs)
            book.take_back(opened.state, told, heirs[0], left, heirs, kind="reverse", allows_debt=False)
            post(book)
            taken += left
    return taken


@later_life
def has_points_since(members: Sequence[int], job: MemberImport) -> set[int]:
    """Whose points moved by anything but an opening balance and its way back."""
    moved = Posting.objects.filter(account__member_id__in=members, posted_at__gte=job.started_at).exclude(
        Q(kind=PostingKind.OPENING) | Q(kind=PostingKind.REVERSE, reverses__kind=PostingKind.OPENING)
    )
    return set(moved.values_list("member_id", flat=True))


register(OpeningPoints())
