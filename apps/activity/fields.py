"""What conditions may ask about an event, its lines, and what its member did before."""

from apps.activity.models import Event
from apps.conditions.catalogue import Family, Field, Lines
from apps.conditions.types import Type
from apps.conditions.words import Words

KINDS = (
    (Event.Kind.PURCHASE.value, Words("a purchase", "消费")),
    (Event.Kind.REFUND.value, Words("a refund", "退款")),
    (Event.Kind.CHECK_IN.value, Words("a check-in", "签到")),
    (Event.Kind.REVIEW.value, Words("a review", "评价")),
    (Event.Kind.REFERRAL.value, Words("a referral", "推荐")),
    (Event.Kind.REGISTRATION.value, Words("a registration", "注册")),
    (Event.Kind.BIRTHDAY.value, Words("a birthday", "生日")),
    (Event.Kind.CODE.value, Words("a code", "兑换码")),
    (Event.Kind.DAY.value, Words("a new day", "每日")),
    (Event.Kind.FRIEND.value, Words("an act of a friend they brought", "其推荐的好友的行为")),
)

FRIENDS_ACTS = tuple(
    (code, words) for code, words in KINDS if code not in (Event.Kind.REFUND, Event.Kind.DAY, Event.Kind.FRIEND)
)
"""What a member's friend may have done, of which the member who brought them hears."""

EVENT_FIELDS = (
    Field(
        "event.kind", Type.CHOICE, Words("the event", "事件类型"), "event.kind", KINDS, others="[a-z][a-z0-9_]{0,39}"
    ),
    Field("event.amount", Type.NUMBER, Words("the amount", "金额"), "event.amount"),
    Field("event.store", Type.UNIT, Words("the store", "门店"), "event.unit_path"),
    Field("event.channel", Type.TEXT, Words("the channel", "渠道"), "event.channel"),
    Field("event.device", Type.TEXT, Words("the device", "设备"), "event.device"),
    Field("event.weekday", Type.WEEKDAY, Words("the day of the week", "星期"), "event.weekday"),
    Field("event.hour", Type.HOUR, Words("the hour", "小时"), "event.hour"),
    Field("event.date", Type.DATE, Words("the date", "日期"), "event.date"),
    Field(
        "event.order_number",
        Type.INTEGER,
        Words("the number of this order", "本单序号"),
        "member.history.order_numbers",
        windowed=True,
        clauses={
            "eq": Words("this is the member's {nth} order{within}", "这是会员{within}的第{value}单"),
            "ne": Words("this is not the member's {nth} order{within}", "这不是会员{within}的第{value}单"),
            "ge": Words(
                "this is the member's {nth} order{within} or a later one", "这是会员{within}的第{value}单或之后的订单"
            ),
            "le": Words(
                "this is one of the member's first {value} orders{within}", "这是会员{within}的前{value}单之一"
            ),
            "is_set": Words("this is an order", "这是一笔订单"),
            "is_not_set": Words("this is no order", "这不是订单"),
        },
    ),
    Field("event.code_batch", Type.TEXT, Words("the batch of the code", "兑换码批次"), "event.code_batch"),
    Field("event.prize", Type.TEXT, Words("the prize that the code drew", "兑换码抽中的奖项"), "event.prize"),
    Field(
        "event.special_days",
        Type.TAGS,
        Words("the special day", "特殊日期"),
        "event.special_days",
        clauses={
            "has_any": Words("the day is {value}", "当天是{value}之一"),
            "has_any one": Words("the day is {value}", "当天是{value}"),
            "has_all": Words("the day is {value}", "当天同时是{value}"),
            "has_all one": Words("the day is {value}", "当天是{value}"),
            "has_none": Words("the day is none of {value}", "当天不是{value}中的任何一个"),
            "has_none one": Words("the day is not {value}", "当天不是{value}"),
            "is_set": Words("it is a special day", "当天是特殊日期"),
            "is_not_set": Words("it is no special day", "当天不是特殊日期"),
        },
    ),
)
FRIEND_FIELDS = (
    Field("event.friend", Type.CHOICE, Words("what the friend did", "好友的行为"), "event.attributes", FRIENDS_ACTS,
          key="friend"),
    Field("event.friend_orders", Type.INTEGER, Words("the number of the friend's order", "好友的第几单"), "event.attributes",
          key="friend_orders",
          clauses={"eq 1": Words("it is the friend's first order", "这是好友的首单"),
                   "eq": Words("it is order number {value} of the friend", "这是好友的第{value}单"),
                   "le": Words("it is one of the friend's first {value} orders", "这是好友的前{value}单之一")}),
)  # fmt: skip
EVENT_FAMILIES = (Family("event.attributes", Words("the event's", "事件的"), "event.attributes"),)
EVENT_LINES = Lines(
    read="event.lines",
    fields=(
        Field("line.sku", Type.TEXT, Words("the article", "商品编码"), "line.sku"),
        Field("line.category", Type.TEXT, Words("the category", "品类"), "line.category"),
        Field("line.brand", Type.TEXT, Words("the brand", "品牌"), "line.brand"),
        Field("line.quantity", Type.NUMBER, Words("the quantity", "数量"), "line.quantity"),
        Field("line.amount", Type.NUMBER, Words("the line amount", "行金额"), "line.amount"),
    ),
    sums=("line.quantity", "line.amount"),
)
HISTORY_FIELDS = (
    Field("history.orders", Type.INTEGER, Words("the number of orders", "订单数"), "member.history.orders",
          windowed=True, gathered="sum(purchases)"),
    Field("history.spent", Type.NUMBER, Words("the net amount spent", "净消费额"), "member.history.spent",
          windowed=True, gathered="sum(spent - refunded)"),
    Field("history.visits", Type.INTEGER, Words("the number of days with a visit", "到店天数"), "member.history.visits",
          windowed=True, gathered="count(*) FILTER (WHERE purchases > 0 OR check_ins > 0)"),
    Field("history.check_ins", Type.INTEGER, Words("the number of check-ins", "签到次数"), "member.history.check_ins",
          windowed=True, gathered="sum(check_ins)"),
    Field("history.days_since_order", Type.INTEGER, Words("the number of days since the last order", "距上次下单的天数"),
          "member.history.days_since_order",
          clauses={"is_set": Words("there was an order before", "此前下过单"),
                   "is_not_set": Words("there was no order before", "此前没有下过单")},
          gathered="min(as_of - day) FILTER (WHERE purchases > 0)"),
)  # fmt: skip
"""What happened in the programme before the event at hand (earlier, or at the same instant and told earlier), that event
not included; over all members, until the end of the day asked about."""

RECENT_FIELDS = (
    Field("recent.events", Type.INTEGER, Words("the number of the member's events", "该会员的事件数"),
          "member.history.events", windowed=True, is_short=True),
    Field("recent.device_events", Type.INTEGER, Words("the number of events from the same device", "同一设备的事件数"),
          "member.history.device_events", windowed=True, is_short=True),
)  # fmt: skip
"""The same, in the minutes before the event at hand, or on its day; of the device, whoever's events they are."""
