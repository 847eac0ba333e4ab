"""Approvals: the policies in force at the end of the story, and requests in every state, so that each inbox lives."""

from datetime import datetime, timedelta
from typing import Any

from apps.approvals.models import ApprovalRequest
from apps.approvals.services.asking import comment, delegate
from apps.approvals.services.deciding import decide
from apps.approvals.services.policies import create_policy, publish_policy
from apps.approvals.services.sending import send
from apps.members.models import Member
from apps.orgs.services.hours import create_working_time
from apps.points import services as points
from apps.points.models import Account
from apps.points.services.adjusting import Adjustment
from apps.rules.models import RuleVersion
from apps.rules.publishing import send_publication
from config.demo.group import GROUP, Group

HOURS = {
    "week": {str(day): [["09:00", "12:00"], ["13:00", "18:00"]] for day in range(1, 6)},
    "closed": [{"first": "2026-10-01", "last": "2026-10-07"}, {"first": "2027-02-05", "last": "2027-02-11"}],
    "moved": [{"on": "2026-10-10", "as": 3}, {"on": "2027-02-14", "as": 4}],
}
"""Weekdays with a break at noon, the National Day and Spring Festival weeks, and the days worked for them."""


def _role(code: str, need: Any = "any") -> dict[str, Any]:
    return {"who": {"kind": "role", "role": code}, "need": need}


def _step(*parties: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"parties": list(parties), **more}


def _at_least(field: str, value: Any) -> dict[str, Any]:
    return {"field": field, "op": "ge", "value": value}


def _is_one_of(field: str, *values: str) -> dict[str, Any]:
    return {"field": field, "op": "in", "value": list(values)}


MANAGER = _step(_role("regional_manager"), hours=8, remind=4, escalate=[{"kind": "role", "role": "vice_president"}])
POLICIES: list[tuple[str, str, dict[str, Any]]] = [
    ("points.adjustment", "EAST", {"bands": [
        {"name": "大额 5,000 分起", "when": _at_least("request.points", 5000),
         "why": "五千分以上是真金白银，三级审批。 From 5,000 points it is real money: three people look.",
         "steps": [MANAGER, _step(_role("finance"), hours=16), _step(_role("vice_president"))]},
        {"name": "中额 1,000 分起", "when": _at_least("request.points", 1000), "steps": [MANAGER]},
        {"name": "可疑小额", "when": {"field": "request.flags", "op": "has_any", "value": ["no_purchases"]},
         "why": "从未消费的会员也要有人看一眼。 Somebody looks where nothing was ever bought.", "steps": [MANAGER]},
    ], "otherwise": "at_once"}),
    ("points.adjustment", "RIVER", {"bands": [
        {"name": "500 起", "when": _at_least("request.points", 500), "steps": [_step(_role("regional_manager"), hours=8)]},
    ], "otherwise": "at_once"}),
    ("members.erase", "EAST", {"bands": [
        {"name": "一律审批", "when": {"all": []},
         "why": "删除无法撤销，须由区域经理确认。 It cannot be undone: a second person looks.", "steps": [MANAGER]},
    ], "otherwise": "at_once"}),
    ("points.bulk", GROUP[0], {"bands": [
        {"name": "全部", "when": {"all": []},
         "why": "批量调整一律由财务与副总裁同时审批。 Finance and the vice president look at every file.",
         "steps": [_step(_role("finance"), _role("vice_president"))]},
    ], "otherwise": "refused"}),
    ("rules.publication", "EAST", {"bands": [
        {"name": "重大变更", "when": _is_one_of("request.change", "new", "major"),
         "why": "新规则与重大变更须市场、财务、区域三方同意。 New rules and major changes: marketing, finance and the region.",
         "steps": [_step(_role("marketing_head"), _role("finance"), _role("regional_manager"))]},
        {"name": "小改动", "when": {"all": []}, "steps": [_step(_role("marketing_head"))]},
    ], "otherwise": "at_once"}),
    ("members.look", "EAST", {"bands": [
        {"name": "超过 30 分钟", "when": _at_least("request.minutes", 31), "steps": [_step(_role("regional_manager"))]},
    ], "otherwise": "at_once"}),
    ("members.import", "EAST", {"bands": [
        {"name": "大批会员", "when": {"any": [_at_least("request.new", 1000), _at_least("request.points", 100_000)]},
         "why": "期初积分是负债，财务先看。 Opening points are a liability: finance looks first.",
         "steps": [_step(_role("finance"))]},
    ], "otherwise": "at_once"}),
    ("orgs.role", GROUP[0], {"bands": [
        {"name": "可动积分的角色", "when": {"field": "request.changes_money", "op": "is_true"},
         "steps": [_step(_role("vice_president"))]},
    ], "otherwise": "at_once"}),
]  # fmt: skip

ASKED: list[tuple[int, int, str, tuple[tuple[str, str, str], ...]]] = [
    (53, 3000, "会员因系统故障错过双倍日，补发差额。 Missed double day through an outage of ours.",
     (("regional_manager", "approved", "情况属实。 Checked with the store."),)),
    (44, -1200, "重复入账，扣回多记的积分。 Booked twice; the second is taken back.",
     (("regional_manager", "rejected", "流水里只有一笔，请核对。 There is only one in the ledger."),)),
    (30, 2400, "开业活动漏登记。 Not entered at the opening event.",
     (("regional_manager", "returned", "请附上签到表。 Attach the list of those who signed in, please."),)),
    (27, 7500, "企业客户年会采购，合同约定补积分。 Company order; the contract promises these points.",
     (("regional_manager", "approved", "合同已核。 The contract says so."), ("finance", "approved", "预算内。 Within budget."))),
    (26, 6000, "投诉升级：咖啡机烫伤，门店承诺补偿。 Complaint: a burn; the store promised to make good.", ()),
    (22, 5500, "老会员转店，旧店积分未随迁。 A member of many years moved stores; the old points stayed behind.",
     (("regional_manager", "approved", "旧系统截图已核。 Checked against the old system."),)),
    (20, 1500, "生日礼遇未到账。 Birthday treat never arrived.", ()),
    (5, 1800, "门店搬迁致歉。 An apology for moving the store.", ()),
]  # fmt: skip
"""Hours before the end, points, why, and what was decided since."""
IN_PARTS = ((50, 450), (49, 450), (3, 450))


def ask_for_approval(group: Group, end: datetime) -> int:
    """Publishes the policies two weeks before `end` and has service ask since; how many requests there are."""
    administrator = group.people["administrator"]
    since = end - timedelta(days=14)
    create_working_time(group.units[GROUP[0]], time_zone="Asia/Shanghai", hours=HOURS, actor=administrator)
    for kind, unit, definition in POLICIES:
        draft = create_policy(administrator, group.units[unit], kind, definition=definition, when=since)
        publish_policy(administrator, draft, when=since)
    accounts = Account.objects.filter(
        point_type=group.point_types["east", "points"], member__home_unit__path__startswith=group.units["EAST-SH"].path
    )
    rich = accounts.select_related("member").order_by("-balance", "pk")[:20]
    members = [account.member for account in rich]
    for number, (hours, amount, reason, decisions) in enumerate(ASKED):
        asked = _ask(group, members[number % len(members)], amount, reason, end - timedelta(hours=hours))
        for step, (who, verdict, said) in enumerate(decisions, 1):
            _decide(group, who, asked, verdict, said, end - timedelta(hours=hours - step))
    for hours, amount in IN_PARTS:
        _ask(group, members[-1], amount, "补偿。 Compensation.", end - timedelta(hours=hours))
    _and_then(group, members, end)
    return ApprovalRequest.objects.count()


def _and_then(group: Group, members: list[Member], end: datetime) -> None:
    """What happens meanwhile: a balance changes, somebody asks back, somebody is away."""
    large = ApprovalRequest.objects.get(key=f"demo:approval:{members[3 % len(members)].pk}:7500")
    account = Account.objects.get(member=members[3 % len(members)], point_type=group.point_types["east", "points"])
    points.redeem(
        None, account.pk, 30, key="demo:meanwhile", unit=group.units["S101"], when=end - timedelta(hours=2),
        reason="中杯升大杯 A larger cup",
    )  # fmt: skip
    comment(
        group.people["finance"],
        large.pk,
        "余额今天有变动，请留意。 The balance moved today.",
        when=end - timedelta(hours=1),
    )
    send_publication(
        group.people["marketing"],
        RuleVersion.objects.get(rule__program=group.programs["east"], rule__code="beans", state="draft"),
        starts_at=end + timedelta(days=14), key="demo:beans", when=end,
        reason="咖啡豆毛利够高，想提高倍数。 Beans earn enough to give more for them.",
    )  # fmt: skip
    delegate(
        group.people["finance"], group.people["finance"], group.people["marketing_head"],
        starts_at=end + timedelta(days=7), ends_at=end + timedelta(days=14), reason="年假 Annual leave", when=end,
    )  # fmt: skip


def _ask(group: Group, member: Member, amount: int, reason: str, when: datetime) -> ApprovalRequest:
    subject = Adjustment(member=member.pk, point_type=group.point_types["east", "points"].pk, points=amount)
    key = f"demo:approval:{member.pk}:{amount}" + ("" if abs(amount) > 450 else f":{when:%d%H}")
    return send(group.people["service"], subject, reason=reason, key=key, when=when)


def _decide(group: Group, who: str, request: ApprovalRequest, verdict: str, said: str, when: datetime) -> None:
    seen = request.seal(request.read_subject().effect(request.requester, when))
    decide(group.people[who], request.pk, verdict, seen=seen, comment=said, when=when)
