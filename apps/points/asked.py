"""What a request about a member's points tells: what policies may ask about it, and what it would do to the account."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from apps.activity.models import Event
from apps.conditions.catalogue import Field
from apps.conditions.types import Type
from apps.conditions.words import Words
from apps.core.clock import local_day
from apps.core.formats import MICROS
from apps.members.models import Member, MemberChange
from apps.orgs.gate import Effect, Line
from apps.orgs.services.tree import PROGRAM_FIELD as PROGRAM_FIELD
from apps.points.errors import NotEnoughPoints
from apps.points.expiry import AfterDays, last_good_day, parse_policy
from apps.points.models import Account, PointType, Posting, PostingKind, ReasonCode

DAYS = 30
MANY = 3
FLAGS = {
    "new_member": Words("joined in the last 30 days", "入会不足 30 天"),
    "no_purchases": Words("has never bought anything", "从未消费"),
    "moved": Words("came to this home unit in the last 30 days", "30 天内更换过所属门店"),
    "many_adjustments": Words("was adjusted 3 times or more in 30 days", "30 天内已调整 3 次以上"),
}
DIRECTIONS = {"add": Words("points are added", "增加积分"), "take": Words("points are taken", "扣减积分")}

MONEY_FIELD = Field("request.money", Type.NUMBER, Words("what the points cost", "积分成本"), "request.money")
FLAGS_FIELD = Field(
    "request.flags", Type.TAGS, Words("what looks risky", "风险标记"), "request.flags", choices=tuple(FLAGS.items()),
    is_closed=True,
)  # fmt: skip
FIELDS = (
    Field("request.points", Type.INTEGER, Words("the number of points", "积分数"), "request.points"),
    MONEY_FIELD,
    Field(
        "request.direction", Type.CHOICE, Words("direction", "方向"), "request.direction",
        choices=tuple(DIRECTIONS.items()), is_closed=True,
    ),
    Field("request.point_type", Type.TEXT, Words("point type", "积分类型"), "request.point_type"),
    PROGRAM_FIELD,
    FLAGS_FIELD,
    Field("request.balance", Type.INTEGER, Words("the member's balance", "会员余额"), "request.balance"),
)  # fmt: skip
"""Points are counted without their sign; `direction` has it."""
REASON_FIELD = Field("request.reason_code", Type.TEXT, Words("reason code", "原因代码"), "request.reason_code")

LABELS: Mapping[str, Words] = {
    "balance": Words("Balance", "余额"),
    "pending": Words("Pending", "待生效"),
    "debt": Words("Debt", "欠分"),
    "cost": Words("Cost to the programme", "计划承担的成本"),
    "lasts": Words("Days for which the new points are good", "新积分有效天数"),
    "expires": Words("Last day of the new points", "新积分最后有效日"),
    "home": Words("Home unit", "所属门店"),
    "reason": Words("Reason code", "原因代码"),
    "reversed": Words("Reversed", "已冲正"),
}
TITLE = Words("{points} points for {member}", "{member}：{points} 积分")


def facts_of(member: Member, point_type: PointType, points: int, when: datetime) -> dict[str, Any]:
    """The facts of a request to move `points` of a member. Five queries."""
    account = Account.objects.filter(member=member, point_type=point_type).first()
    day = local_day(when, ZoneInfo(point_type.program.time_zone))
    adjusted = Posting.objects.filter(member=member, kind=PostingKind.ADJUST, posted_at__gt=when - timedelta(days=DAYS))
    flags = {
        "new_member": (day - member.joined_on).days < DAYS,
        "no_purchases": not Event.objects.filter(member=member, kind="purchase").exists(),
        # Who may change a member could else choose the unit whose policy asks less.
        "moved": MemberChange.objects.filter(
            member=member, at__gt=when - timedelta(days=DAYS), changes__contains=[{"field": "home_unit"}]
        )
        .exclude(kind=MemberChange.Kind.CREATED)
        .exists(),
        "many_adjustments": adjusted.count() >= MANY,
    }
    return {
        "points": abs(points),
        "money": Decimal(abs(points) * point_type.unit_cost_micros) / MICROS,
        "direction": "add" if points > 0 else "take",
        "point_type": point_type.code,
        "program": point_type.program.code,
        "flags": tuple(name for name, is_set in flags.items() if is_set),
        "balance": account.balance if account is not None else 0,
    }


def account_effect(
    account: Account | None,
    member: Member,
    point_type: PointType,
    points: int,
    when: datetime | None = None,
    *,
    may_owe: bool = False,
) -> Effect:
    """What moving `points` would do to the account, which may not be there yet; `when` tells when they would expire.

    Taking more than there is to spend is refused, or becomes debt where the member `may_owe`.
    """
    balance, pending, debt, available = (
        (account.balance, account.pending, account.debt, account.available) if account is not None else (0, 0, 0, 0)
    )
    owed = debt - min(debt, points) if points > 0 else debt
    if may_owe and points < 0:
        owed = max(debt, -(balance + points))
    cost = Decimal(points * point_type.unit_cost_micros) / MICROS
    lines = [
        Line("balance", balance, balance + points, "points"),
        Line("debt", debt, owed, "points"),
        Line("pending", pending, pending, "points"),
        Line("cost", f"{point_type.program.currency} 0", f"{point_type.program.currency} {cost:f}", "money"),
        Line("home", member.home_unit.name, member.home_unit.name),
    ]
    if points > 0 and when is not None:
        lines.append(_validity(point_type, when))
    is_short = points < 0 and available < -points and not may_owe
    obstacle = NotEnoughPoints(available=available, wanted=-points).sentence() if is_short else ""
    return Effect(tuple(lines), obstacle)


def _validity(point_type: PointType, when: datetime) -> Line:
    """How long new points are good for. Where that is so many days it tells these: the last of them moves on each day, and
    nobody could decide tomorrow on what they saw today."""
    policy = parse_policy(point_type.expiry)
    if isinstance(policy, AfterDays):
        return Line("lasts", None, policy.days, "number")
    last = last_good_day(policy, local_day(when, ZoneInfo(point_type.program.time_zone)))
    return Line("expires", None, last.isoformat() if last is not None else None, "day")


def reason_line(program_id: int, code: str) -> tuple[Line, ...]:
    """The reason code by its name; nothing where none is given. One query."""
    if not code:
        return ()
    named = ReasonCode.objects.filter(program=program_id, code=code).values_list("name", flat=True).first()
    return (Line("reason", None, named or code),)


def codes_offered(principal: Any, reason_field: str) -> dict[str, list[str]]:
    """The codes that a policy about points may want to ask for, as far as `principal` sees them."""
    kinds = PointType.objects.visible_to(principal).select_related("program").order_by("pk")
    codes = ReasonCode.objects.visible_to(principal).filter(is_active=True).order_by("code")
    return {
        "request.point_type": list(dict.fromkeys(kind.code for kind in kinds)),
        "request.program": list(dict.fromkeys(kind.program.code for kind in kinds)),
        reason_field: list(dict.fromkeys(codes.values_list("code", flat=True))),
    }
