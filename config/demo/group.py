"""Who and what there is before the first member: units, programmes, points, people, and the rules of the year."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from apps.orgs.models import OrgUnit, Program, Staff
from apps.orgs.services import create_program, create_special_day, create_staff, create_unit, grant_role
from apps.points.models import PointType
from apps.points.services.types import create_point_type
from apps.rules.overriding import override_rule
from apps.rules.publishing import send_publication
from apps.rules.services import change_rule, create_rule, publish_version, save_draft, start_draft
from config.demo.attributes import define_attributes

PASSWORD = "coffee-and-points"  # noqa: S105 -- printed with the sign-ins; production asks for another

GROUP = ("SHANHAI", "山海咖啡集团 Shanhai Coffee")

UNITS = [
    ("EAST", "SHANHAI", "company", "东岸咖啡 East Coast Coffee"),
    ("EAST-SH", "EAST", "region", "上海 Shanghai"),
    ("EAST-JS", "EAST", "region", "江苏 Jiangsu"),
    ("EAST-ZJ", "EAST", "region", "浙江 Zhejiang"),
    ("RIVER", "SHANHAI", "company", "江畔茶饮 Riverside Tea"),
    ("RIVER-SC", "RIVER", "region", "四川 Sichuan"),
    ("RIVER-CQ", "RIVER", "region", "重庆 Chongqing"),
    ("S101", "EAST-SH", "store", "静安寺店 Jing'an Temple"),
    ("S102", "EAST-SH", "store", "陆家嘴店 Lujiazui"),
    ("S103", "EAST-SH", "store", "徐家汇店 Xujiahui"),
    ("S104", "EAST-SH", "store", "五角场店 Wujiaochang"),
    ("S105", "EAST-SH", "store", "虹桥站店 Hongqiao Station"),
    ("S106", "EAST-SH", "store", "新天地店 Xintiandi"),
    ("S201", "EAST-JS", "store", "新街口店 Xinjiekou"),
    ("S202", "EAST-JS", "store", "夫子庙店 Confucius Temple"),
    ("S203", "EAST-JS", "store", "苏州中心店 Suzhou Center"),
    ("S204", "EAST-JS", "store", "无锡三阳店 Wuxi Sanyang"),
    ("S301", "EAST-ZJ", "store", "湖滨店 Hubin"),
    ("S302", "EAST-ZJ", "store", "武林店 Wulin"),
    ("S303", "EAST-ZJ", "store", "宁波天一店 Ningbo Tianyi"),
    ("S304", "EAST-ZJ", "store", "温州五马店 Wenzhou Wuma"),
    ("R101", "RIVER-SC", "store", "春熙路店 Chunxi Road"),
    ("R102", "RIVER-SC", "store", "太古里店 Taikoo Li"),
    ("R103", "RIVER-SC", "store", "宽窄巷子店 Kuanzhai Alley"),
    ("R104", "RIVER-SC", "store", "绵阳店 Mianyang"),
    ("R201", "RIVER-CQ", "store", "解放碑店 Jiefangbei"),
    ("R202", "RIVER-CQ", "store", "观音桥店 Guanyinqiao"),
    ("R203", "RIVER-CQ", "store", "沙坪坝店 Shapingba"),
]

PROGRAMS = [("east", "EAST", "东岸会 East Club", True), ("river", "RIVER", "江畔会 Riverside Club", False)]
"""Code, unit, name, and whether a refund of spent points becomes debt."""

POINT_TYPES: list[tuple[str, str, dict[str, Any]]] = [
    ("east", "points", {
        "name": "东岸积分 Points", "pending_days": 7, "unit_cost_micros": 10_000,
        "expiry": {"kind": "end_of", "period": "quarter", "plus_days": 90},
    }),
    ("east", "stars", {
        "name": "星星 Stars", "kind": "status", "unit_cost_micros": 0,
        "expiry": {"kind": "end_of", "period": "year", "plus_years": 1},
    }),
    ("river", "leaves", {
        "name": "茶叶 Leaves", "unit_cost_micros": 20_000, "expiry": {"kind": "inactivity", "days": 90},
    }),
    ("river", "drops", {
        "name": "活动水滴 Drops", "unit_cost_micros": 5_000, "expiry": {"kind": "after_days", "days": 30},
    }),
]  # fmt: skip

PEOPLE = [
    ("marketing", "林悦", "marketing", "EAST"),
    ("campaigns", "高原", "marketing", "EAST"),
    ("finance", "陈思远", "finance", "EAST"),
    ("regional_manager", "周海涛", "regional_manager", "EAST-SH"),
    ("vice_president", "方国栋", "vice_president", "SHANHAI"),
    ("marketing_head", "叶蓁", "marketing_head", "EAST"),
    ("service", "吴晓雯", "service", "EAST"),
    ("shop", "许佳", "shop", "S101"),
    ("auditor", "郑明", "auditor", "SHANHAI"),
    ("integrator", "何志强", "integrator", "EAST"),
    ("administrator", "沈若兰", "administrator", "SHANHAI"),
    ("river_marketing", "罗丹", "marketing", "RIVER"),
    ("river_finance", "唐伟", "finance", "RIVER"),
    ("river_regional_manager", "曾莉", "regional_manager", "RIVER-SC"),
    ("river_service", "蒋琳", "service", "RIVER"),
    ("river_shop", "秦越", "shop", "R101"),
    ("river_integrator", "邓超", "integrator", "RIVER"),
]


def _is(kind: str, *more: dict[str, Any]) -> dict[str, Any]:
    return {"all": [{"field": "event.kind", "op": "eq", "value": kind}, *more]}


def _per(point_type: str, points: str, per: str, lines: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "effect": "points_per_amount", "point_type": point_type, "points": points, "per": per, "rounding": "down",
        "lines": lines,
    }  # fmt: skip


def _fixed(point_type: str, points: int) -> dict[str, Any]:
    return {"effect": "fixed_points", "point_type": point_type, "points": points}


SPECIAL_DAYS = [
    ("east", "member-day", "会员日 Member day", {"kind": "each_month", "day": 8}),
    ("east", "coffee-day", "国际咖啡日 Coffee day", {"kind": "each_year", "month": 10, "day": 1}),
    ("river", "tea-tuesday", "茶友日 Tea Tuesday", {"kind": "each_week", "weekday": 2}),
]


def _rule(condition: dict[str, Any], *effects: dict[str, Any], cap: int = 0, budget: int = 0) -> dict[str, Any]:
    """`cap` is what a member gets in a day at most, `budget` what everybody gets in a year."""
    limits = [
        {"per": per, "period": period, "of": "points", "most": most}
        for per, period, most in (("member", "day", cap), ("programme", "year", budget))
        if most
    ]
    return {"condition": condition, "effects": list(effects), "limits": limits}


BEANS = {"all": [{"field": "line.category", "op": "eq", "value": "beans"}]}
WEEKEND = {"field": "event.weekday", "op": "in", "value": [6, 7]}
AFTERNOON = {"field": "event.hour", "op": "between", "value": [14, 16]}
IN_THE_APP = {"field": "event.channel", "op": "eq", "value": "app"}
MEMBER_DAY = {"field": "event.special_days", "op": "has_any", "value": ["member-day"]}
FRIENDS_FIRST = _is(
    "friend", {"field": "event.friend", "op": "eq", "value": "purchase"},
    {"field": "event.friend_orders", "op": "eq", "value": 1},
)  # fmt: skip
BROUGHT_FIRST = _is(
    "purchase", {"field": "member.was_brought", "op": "is_true"},
    {"field": "event.order_number", "window": "ever", "op": "eq", "value": 1},
)  # fmt: skip
STAMPS = {
    "of": "pieces", "at": "10", "fires": "step", "period": "ever",
    "lines": {"all": [{"field": "line.category", "op": "eq", "value": "coffee"}]},
}  # fmt: skip
UNUSUAL = {
    "any": [
        {"field": "event.amount", "op": "ge", "value": "1200"},
        {"field": "recent.device_events", "window": 10, "op": "ge", "value": 5},
    ]
}
"""An amount that no ordinary order of the year reaches."""

RULES = [
    ("east", "EAST", "base", "每消费 1 元得 1 分 A point per yuan",
     _rule(_is("purchase"), _per("points", "1", "1"), _per("stars", "1", "10"))),
    ("east", "EAST", "beans", "咖啡豆双倍 Double on beans",
     _rule(_is("purchase"), _per("points", "1", "1", BEANS), cap=300)),
    ("east", "EAST", "weekend", "周末 App 加赠 Weekend in the app",
     _rule(_is("purchase", WEEKEND, IN_THE_APP), _per("points", "0.5", "1"), cap=100)),
    ("east", "EAST-SH", "afternoon", "上海下午茶 Shanghai afternoons",
     _rule(_is("purchase", AFTERNOON, {"field": "event.amount", "op": "ge", "value": "40"}), _fixed("points", 20), cap=20)),
    ("east", "EAST", "check-in", "每日签到 Daily check-in", _rule(_is("check_in"), _fixed("points", 5), cap=5)),
    ("east", "EAST", "welcome", "入会礼 Welcome", _rule(_is("registration"), _fixed("points", 100), budget=100_000)),
    ("east", "EAST", "stamps", "集点卡：每满 10 杯 Stamp card", _rule(_is("purchase"), _fixed("points", 30)) | {"accumulator": STAMPS}),
    ("east", "EAST", "member-day", "会员日三倍 Triple on member day",
     _rule(_is("purchase", MEMBER_DAY), {"effect": "multiply", "point_type": "points", "times": "3", "of": "base"})),
    ("east", "EAST", "friends-first", "好友首单 A friend's first order",
     _rule(FRIENDS_FIRST, _fixed("points", 80)) | {"validity": {"pending": {"days": 7}}}),
    ("east", "EAST", "friend-welcome", "好友见面礼 Welcome of a friend", _rule(BROUGHT_FIRST, _fixed("points", 50))),
    ("east", "EAST", "unusual", "异常订单审核 Unusual orders",
     _rule(UNUSUAL, {"effect": "hold_for_review", "reason": "金额异常，或同一设备短时间内多次 Large, or many from one device"})),
    ("river", "RIVER", "base", "每消费 2 元得 1 片 A leaf per two yuan",
     _rule(_is("purchase"), _per("leaves", "1", "2"))),
    ("river", "RIVER", "drops", "活动日水滴 Drops on Tuesdays",
     _rule(_is("purchase", {"field": "event.weekday", "op": "eq", "value": 2}), _fixed("drops", 30), cap=30)),
    ("river", "RIVER", "check-in", "每日签到 Daily check-in", _rule(_is("check_in"), _fixed("drops", 3), cap=3)),
    ("river", "RIVER", "referral", "推荐有礼 Bring a friend", _rule(_is("referral"), _fixed("leaves", 50), cap=150)),
]  # fmt: skip

LATER_BASE = _rule(_is("purchase"), _per("leaves", "1", "2"), _per("drops", "1", "10"))
"""The second version of Riverside's base rule, from half way on."""
BEANS_DRAFT = _rule(_is("purchase"), _per("points", "2", "1", BEANS), cap=500)
CHILDREN_DRAFT = _rule(
    _is("purchase", {"field": "event.amount", "op": "ge", "value": "88"}, WEEKEND), _fixed("points", 188), cap=188
)

EVENING_DRAFT = _rule(
    _is("purchase", {"field": "event.hour", "op": "between", "value": [18, 20]}), _fixed("points", 15), cap=15
)
"""Written by a colleague and sent to review."""
ZHEJIANG_CHECK_IN = _rule(_is("check_in"), _fixed("points", 8), cap=8)
"""In the place of the company's rule, from half way on."""


@dataclass(frozen=True)
class Group:
    """What was made, by code."""

    units: dict[str, OrgUnit]
    programs: dict[str, Program]
    point_types: dict[tuple[str, str], PointType]
    people: dict[str, Staff]

    def stores(self, company: str) -> list[OrgUnit]:
        above = self.units[company].path
        return [unit for unit in self.units.values() if unit.kind == "store" and unit.path.startswith(above)]


def make_group(start: datetime, end: datetime, password: str) -> Group:
    """The group as it is on the eve of `start`; a rule changes half way to `end`, and drafts wait there."""
    eve = start - timedelta(days=1)
    code, name = GROUP
    units = {code: create_unit(None, "group", code, name)}
    for code, parent, kind, name in UNITS:
        units[code] = create_unit(units[parent], kind, code, name, opened_on=eve.date() if kind == "store" else None)
    programs = {
        code: create_program(
            units[unit], code=code, name=name, currency="CNY", time_zone="Asia/Shanghai", allows_debt=allows_debt
        )
        for code, unit, name, allows_debt in PROGRAMS
    }
    point_types = {
        (program, code): create_point_type(programs[program], code=code, **values)
        for program, code, values in POINT_TYPES
    }
    for program, code, name, days in SPECIAL_DAYS:
        create_special_day(programs[program], code=code, name=name, days=days)
    define_attributes(units)
    group = Group(units, programs, point_types, dict(_make_people(units, password)))
    _make_rules(group, eve, start, start + (end - start) / 2, end)
    return group


def _make_people(units: dict[str, OrgUnit], password: str) -> Iterator[tuple[str, Staff]]:
    for username, name, role, unit in PEOPLE:
        person = create_staff(username, unit=units[unit], password=password, first_name=name)
        grant_role(None, person, role, units[unit])
        yield username, person


def _make_rules(group: Group, eve: datetime, start: datetime, half_way: datetime, end: datetime) -> None:
    for program, unit, code, name, definition in RULES:
        author = group.people["marketing" if program == "east" else "river_marketing"]
        version = create_rule(
            author, group.programs[program], group.units[unit], code=code, name=name, definition=definition, when=eve
        )
        version = publish_version(author, version, starts_at=start, when=eve)
        if (program, code) == ("river", "base"):
            later = save_draft(author, start_draft(author, version, when=eve), LATER_BASE, when=eve)
            publish_version(author, later, starts_at=half_way, when=eve)
        if (program, code) == ("east", "beans"):
            save_draft(author, start_draft(author, version, when=end), BEANS_DRAFT, when=end)
        if (program, code) == ("east", "check-in"):
            change_rule(author, version.rule, name=name, allows_override=True)
            own = override_rule(author, version.rule, group.units["EAST-ZJ"], when=half_way)
            own = save_draft(author, own, ZHEJIANG_CHECK_IN, when=half_way)
            publish_version(author, own, starts_at=half_way + timedelta(days=1), when=half_way)
    create_rule(
        group.people["marketing"], group.programs["east"], group.units["EAST"], code="weekend-family",
        name="周末家庭日 Family weekends", definition=CHILDREN_DRAFT, when=end,
    )  # fmt: skip
    evening = create_rule(
        group.people["campaigns"], group.programs["east"], group.units["EAST-SH"], code="evening",
        name="上海晚间加赠 Shanghai evenings", definition=EVENING_DRAFT, when=end,
    )  # fmt: skip
    send_publication(
        group.people["campaigns"], evening, starts_at=end + timedelta(days=30), key="demo:evening",
        reason="晚间客流偏低，想先在上海试行一个月。 Evenings are quiet; a month in Shanghai first.",
        also=[group.people["marketing"]], when=end,
    )  # fmt: skip


def sign_ins() -> list[tuple[str, str, str]]:
    """Who can sign in: user name, name and job, and where."""
    names = dict([GROUP, *((code, name) for code, _, _, name in UNITS)])
    return [(username, f"{name}, {role.replace('_', ' ')}", names[unit]) for username, name, role, unit in PEOPLE]
