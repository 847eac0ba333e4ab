"""Tags and segments of the demo: what marketing of the east coast made of its members."""

from datetime import datetime, timedelta
from typing import Any

from apps.members.models import Member
from apps.orgs.models import Program
from apps.segments.models import Segment, Tag
from apps.segments.services import life_cycle, scoring, tracking
from apps.segments.services.defining import create_tag
from apps.segments.services.giving import give_tag
from apps.segments.services.refreshing import refresh_tag
from config.demo.group import Group


def _asks(field: str, op: str, value: Any, window: Any = None) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value} | ({"window": window} if window else {})


REGULAR = {"all": [_asks("history.orders", "ge", 4, 30)]}
GOLD = {"all": [_asks("member.attributes.legacy_level", "eq", "gold")]}
BIRTHDAY = {"all": [_asks("member.days_to_birthday", "le", 14)]}
SLIPPING = {"all": [_asks("history.orders", "ge", 3, 365), _asks("history.orders", "eq", 0, 60)]}
SPENDERS = {"all": [_asks("history.spent", "ge", "500", 90)]}


def make_segments(group: Group, end: datetime) -> None:
    """Tags of all three kinds, the stages of a member's life, scores, and two segments of which one is tracked."""
    person, program = group.people["marketing"], group.programs["east"]
    attributes = create_tag(person, program, key="who", label="Who they are", label_zh="会员属性", kind="attribute")
    create_tag(
        person, program, parent=attributes, key="old-gold", label="Gold card of before", label_zh="原金卡会员",
        condition=GOLD, owner=person, refresh="weekly", definition="旧系统的金卡会员 Held a gold card before the move",
        purpose="老会员关怀 Care for the old ones",
    )  # fmt: skip
    create_tag(
        person, program, parent=attributes, key="birthday-soon", label="Birthday soon", label_zh="即将生日",
        condition=BIRTHDAY, owner=person, definition="14 天内生日 Birthday within 14 days",
    )  # fmt: skip
    habits = create_tag(
        person, program, key="habits", label="Habits", label_zh="消费习惯", kind="behaviour", position=1
    )
    create_tag(
        person, program, parent=habits, key="regular", label="Regulars", label_zh="常客", condition=REGULAR,
        owner=group.people["campaigns"], refresh="at_once", kept_days=7,
        definition="30 天内下单 4 次以上 Four orders and more in 30 days", purpose="周末活动 Weekend offers",
    )  # fmt: skip
    create_tag(
        person, program, parent=attributes, key="press", label="Press and friends", label_zh="媒体与友人", owner=person,
        position=2, refresh="by_hand", definition="由客服手动添加 Given by hand by customer service",
        purpose="新品品鉴会 Tastings of new products",
    )  # fmt: skip
    life_cycle.set_up_stages(person, program)
    scoring.set_up(person, program, when=end)
    tracking.create_segment(
        person, program, key="slipping", label="Slipping away", label_zh="正在流失", condition=SLIPPING,
        keeps_track=True, description="一年内买过三次，近 60 天没来 Three orders in a year, none in 60 days",
    )  # fmt: skip
    tracking.create_segment(
        person, program, key="spenders", label="Spenders", label_zh="高消费会员", condition=SPENDERS,
        description="90 天内净消费满 500 元 CNY 500 net in 90 days",
    )  # fmt: skip
    _by_hand(group, program, end - timedelta(days=3))
    for when in (end - timedelta(days=1), end):
        refresh_all(program.pk, when)


def _by_hand(group: Group, program: Program, when: datetime) -> None:
    tag = Tag.objects.get(program=program, key="press")
    home = Member.objects.filter(state=Member.State.ACTIVE, home_unit__path__startswith=program.unit.path)
    for pk in home.order_by("pk").values_list("pk", flat=True)[:2]:
        give_tag(group.people["service"], pk, tag.pk, reason="写咖啡专栏 Writes a column about coffee", when=when)


def refresh_all(program_id: int, when: datetime) -> None:
    """What the clock would have brought up to date."""
    scoring.score(program_id, when)
    done: set[int] = set()
    for pk in (
        Tag.objects.filter(program=program_id, condition__isnull=False).order_by("pk").values_list("pk", flat=True)
    ):
        if pk not in done:
            done |= refresh_tag(pk, when).keys()
    for segment in Segment.objects.filter(program=program_id, keeps_track=True):
        tracking.refresh_segment(segment.pk, when)
