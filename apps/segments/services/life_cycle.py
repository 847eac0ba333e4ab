"""The stage of a member's life with a programme: four tags of which a member holds one, by conditions that people may
change."""

from typing import Any

from apps.conditions.words import Words
from apps.core.transactions import in_transaction
from apps.orgs.models import Program
from apps.segments.errors import AlreadySetUp
from apps.segments.models import Tag
from apps.segments.services.defining import create_tag

PARENT = "life-cycle"


def _orders(window: Any, op: str, value: int) -> dict[str, Any]:
    return {"field": "history.orders", "window": window, "op": op, "value": value}


STAGES: tuple[tuple[str, str, str, Words, dict[str, Any]], ...] = (
    ("stage-new", "New", "新会员",
     Words("First order within 60 days, or none yet in the first year", "首单在 60 天内，或入会不满一年且尚未购买"),
     {"any": [{"all": [_orders("ever", "eq", 1), _orders(60, "ge", 1)]},
              {"all": [_orders("ever", "eq", 0), {"field": "member.years", "op": "eq", "value": 0}]}]}),
    ("stage-active", "Active", "活跃会员", Words("Ordered within 90 days", "90 天内有购买"), {"all": [_orders(90, "ge", 1)]}),
    ("stage-dormant", "Dormant", "沉睡会员", Words("Ordered within a year", "一年内有购买"), {"all": [_orders(365, "ge", 1)]}),
    ("stage-lost", "Lost", "流失会员", Words("Everybody else", "其余会员"), {"all": []}),
)  # fmt: skip


@in_transaction
def set_up_stages(actor: Any, program: Program) -> Tag:
    """The tag above the four stages of the programme's members. Raises AlreadySetUp, KeyTaken, NotAllowed."""
    if Tag.objects.filter(program=program, key=PARENT).exists():
        raise AlreadySetUp()
    above = create_tag(
        actor, program, key=PARENT, kind=Tag.Kind.BEHAVIOUR, label="Life-cycle stage", label_zh="生命周期阶段",
        is_exclusive=True, refresh=Tag.Refresh.BY_HAND,
    )  # fmt: skip
    for number, (key, label, label_zh, definition, condition) in enumerate(STAGES, 1):
        create_tag(
            actor, program, key=key, parent=above, label=label, label_zh=label_zh, definition=f"{definition.zh} {definition.en}",
            condition=condition, position=number, refresh=Tag.Refresh.AT_ONCE,
        )  # fmt: skip
    return above
