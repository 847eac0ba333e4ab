"""What the scores of recency, frequency and money add up to: eleven groups, by one table. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from apps.conditions.words import Words

SCORES = (1, 2, 3, 4, 5)
"""Five is the best."""


@dataclass(frozen=True)
class Group:
    """A group of members: its code, what it is called, and what is worth doing."""

    code: str
    words: Words
    advice: Words

    @property
    def key(self) -> str:
        """The key of the tag that its members hold."""
        return f"rfm-{self.code.replace('_', '-')}"


GROUPS: Mapping[str, Group] = {
    group.code: group
    for group in (
        Group("champions", Words("Champions", "重要价值会员"),
              Words("Bought lately, often and much. Reward them first, and ask them to bring friends.", "最近来过，买得勤，花得多。优先奖励，请他们推荐好友。")),
        Group("loyal", Words("Loyal", "忠诚会员"),
              Words("Buy often. Offer more of what they like.", "经常购买。推荐更多他们喜欢的商品。")),
        Group("potential", Words("Potential loyalists", "潜力会员"),
              Words("Bought lately, and more than once. Give them a reason to make it a habit.", "最近来过，且不止一次。给他们养成习惯的理由。")),
        Group("new", Words("New", "新客"),
              Words("Bought for the first time of late. Make the second order easy.", "刚刚首次购买。让第二单变得容易。")),
        Group("promising", Words("Promising", "有望会员"),
              Words("Came rather lately and spent little. Show them what else there is.", "近期来过，花费不多。让他们看到更多选择。")),
        Group("need_attention", Words("Need attention", "需要关注"),
              Words("In the middle of everything. A small offer decides which way they go.", "各项居中。一个小优惠决定去留。")),
        Group("about_to_sleep", Words("About to sleep", "即将沉睡"),
              Words("Come more rarely. Remind them before they forget.", "来得越来越少。在被遗忘前提醒他们。")),
        Group("at_risk", Words("At risk", "流失风险"),
              Words("Bought often once, but long ago. Write to them in person.", "曾经常购买，但已很久没来。请一对一联系。")),
        Group("cannot_lose", Words("Cannot lose them", "不可流失"),
              Words("Once among the best, gone for long. Win them back before anybody else.", "曾是最好的会员，久未光顾。优先挽回。")),
        Group("hibernating", Words("Hibernating", "沉睡会员"),
              Words("Long ago, and little. Try once in a while.", "很久以前来过，花费不多。偶尔尝试唤醒。")),
        Group("lost", Words("Lost", "已流失"),
              Words("Lowest in everything. Spend nothing on them that others need.", "各项最低。不必把预算花在这里。")),
    )
}  # fmt: skip
TABLE: Mapping[int, tuple[str, str, str, str, str]] = {
    5: ("new", "potential", "potential", "champions", "champions"),
    4: ("promising", "potential", "loyal", "loyal", "champions"),
    3: ("about_to_sleep", "need_attention", "need_attention", "loyal", "loyal"),
    2: ("hibernating", "about_to_sleep", "at_risk", "at_risk", "cannot_lose"),
    1: ("lost", "hibernating", "at_risk", "cannot_lose", "cannot_lose"),
}
"""By recency, then by half of frequency and money together, rounded up: from 1 to 5."""


def group_of(recency: int, frequency: int, money: int) -> str:
    """The code of the group.

    >>> group_of(5, 5, 4), group_of(1, 1, 1), group_of(5, 1, 1)
    ('champions', 'lost', 'new')
    """
    return TABLE[recency][worth_of(frequency, money) - 1]


def worth_of(frequency: int, money: int) -> int:
    """Half of both together, rounded up."""
    return (frequency + money + 1) // 2
