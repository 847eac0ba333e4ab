"""What this room holds of a member."""

from collections.abc import Mapping
from typing import Any

from django.db import connection

from apps.activity.models import Event
from apps.conditions.words import Words
from apps.members.privacy.holdings import FIGURES, Erasing, Holding, door, of_member, register, removed, through
from apps.rules.models import (
    CodeGuess,
    CodeUse,
    Counter,
    DayWaiting,
    FriendWaiting,
    HeldDecision,
    HeldEvent,
    Outcome,
    Progress,
    UnitCounter,
)


def _outcome(row: Outcome) -> Mapping[Words, Any]:
    return {
        Words("event", "事件"): row.event_id, Words("points", "积分"): row.points,
        Words("awards", "奖励明细"): [
            f"{each.get('rule')}: {each.get('points')}" for each in row.answer.get("awards", ())
        ],
    }  # fmt: skip


def _held(row: HeldEvent) -> Mapping[Words, Any]:
    return {Words("event", "事件"): row.event_id, Words("reason", "原因"): row.reason}


def _decision(row: HeldDecision) -> Mapping[Words, Any]:
    return {
        Words("event", "事件"): row.held_event_id, Words("decision", "处理结果"): row.get_verdict_display(),
        Words("reason", "原因"): row.reason, Words("when", "时间"): row.decided_at,
    }  # fmt: skip


def _code(row: CodeUse) -> Mapping[Words, Any]:
    return {Words("batch of codes", "兑换码批次"): str(row.batch), Words("prize", "奖品"): row.prize}


def _gathered(row: Progress) -> Mapping[Words, Any]:
    return {
        Words("rule", "规则"): str(row.rule), Words("since", "自"): row.start, Words("gathered", "累计"): row.value,
    }  # fmt: skip


@door
def blank(erasing: Erasing) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM rules_blank(%s)", [erasing.member.pk])
        return dict(cursor.fetchall())


def _remove_devices(erasing: Erasing) -> int:
    """What was counted for devices that nobody else has used. Runs while events still tell their devices."""
    own = set(Event.objects.filter(member=erasing.member).exclude(device="").values_list("device", flat=True))
    shared = Event.objects.filter(device__in=own).exclude(member=erasing.member).values_list("device", flat=True)
    return int(UnitCounter.objects.filter(device__in=own - set(shared)).delete()[0])


register(
    Holding(Outcome, Words("What events came to", "事件结果"), of_member(Outcome), _outcome, stays=FIGURES),
    Holding(HeldEvent, Words("Events held for review", "待审核事件"), of_member(HeldEvent), _held, stays=FIGURES),
    Holding(
        HeldDecision, Words("Decisions on such events", "待审核事件的处理"), through(HeldDecision, "held_event__member"), _decision,
        stays=Words("The decision stays, for the points it moved; the words are gone", "处理结果因涉及积分予以保留；文字内容已清除"),
    ),
    Holding(CodeUse, Words("Codes redeemed", "已兑换的兑换码"), of_member(CodeUse, "batch"), _code, stays=FIGURES),
    Holding(Counter, Words("What limits counted", "限额计数"), of_member(Counter), stays=FIGURES),
    Holding(Progress, Words("Progress towards goals", "目标进度"), of_member(Progress, "rule"), _gathered, stays=FIGURES),
    Holding(
        UnitCounter, Words("What limits counted for their devices", "其设备的限额计数"),
        lambda member_id: UnitCounter.objects.none(), erase=_remove_devices,
    ),
    Holding(CodeGuess, Words("Codes that were wrong", "错误的兑换码尝试"), of_member(CodeGuess), erase=removed(of_member(CodeGuess))),
    Holding(DayWaiting, Words("Days to be told", "待通知的日子"), of_member(DayWaiting), erase=removed(of_member(DayWaiting))),
    Holding(
        FriendWaiting, Words("Friends’ acts to be told", "待通知的好友行为"), through(FriendWaiting, "referrer"),
        erase=removed(through(FriendWaiting, "referrer")),
    ),
)  # fmt: skip
