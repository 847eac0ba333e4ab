"""Expiry policies as sentences, in both languages: the form shows them while the policy is being chosen. Pure."""

from typing import Any

from django.utils.translation import get_language

from apps.conditions.words import Words
from apps.points.expiry import AfterDays, EndOf, Inactivity, parse_policy

SENTENCES: dict[str, Words] = {
    "never": Words("Points never expire.", "积分永不过期。"),
    "after_days": Words(
        "Points can be spent for {days} after the day they were earned, to the end of the last one.",
        "积分自获得次日起 {days}内可用，最后一天结束时过期。",
    ),
    "end_of": Words("Points expire at the end of the {period} in which they were earned.", "积分在获得{period}过期。"),
    "end_of_years": Words(
        "Points expire {years} after the end of the {period} in which they were earned.",
        "积分在获得{period}之后再过 {years}过期。",
    ),
    "end_of_days": Words(
        "Points expire {days} after the end of the {period} in which they were earned.",
        "积分在获得{period}之后再过 {days}过期。",
    ),
    "end_of_years_days": Words(
        "Points expire {years} and {days} after the end of the {period} in which they were earned.",
        "积分在获得{period}之后再过 {years} {days}过期。",
    ),
    "inactivity": Words(
        "All points expire when the member has earned and redeemed nothing for {days}.",
        "会员连续 {days}没有获得或兑换积分时，全部积分过期。",
    ),
}
PERIODS = {
    "month": Words("month", "当月月底"),
    "quarter": Words("quarter", "当季季末"),
    "year": Words("year", "当年年底"),
}
DAY, DAYS = Words("{n} day", "{n} 天"), Words("{n} days", "{n} 天")
YEAR, YEARS = Words("{n} year", "{n} 年"), Words("{n} years", "{n} 年")


def policy_sentence(data: Any, language: str | None = None) -> str:
    """The policy that a point type's JSON describes, in `language` or the one in force."""
    code = language or get_language() or "en"

    def count(n: int, one: Words, many: Words) -> str:
        return (one if n == 1 else many).in_language(code).format(n=n)

    policy = parse_policy(data)
    name: str = policy.kind
    slots: dict[str, str] = {}
    if isinstance(policy, AfterDays | Inactivity):
        slots = {"days": count(policy.days, DAY, DAYS)}
    elif isinstance(policy, EndOf):
        name += ("_years" if policy.plus_years else "") + ("_days" if policy.plus_days else "")
        slots = {
            "period": PERIODS[policy.period].in_language(code),
            "years": count(policy.plus_years, YEAR, YEARS),
            "days": count(policy.plus_days, DAY, DAYS),
        }
    return SENTENCES[name].in_language(code).format(**slots)


def templates(language: str) -> dict[str, Any]:
    """Everything a page needs to write the sentence itself while somebody types."""
    return {
        "sentences": {name: words.in_language(language) for name, words in SENTENCES.items()},
        "periods": {name: words.in_language(language) for name, words in PERIODS.items()},
        "day": [DAY.in_language(language), DAYS.in_language(language)],
        "year": [YEAR.in_language(language), YEARS.in_language(language)],
    }


FAULTS: dict[str, Words] = {
    "no_member": Words("The row names no member.", "该行没有写明会员。"),
    "kind": Words("There is no such kind of identifier.", "没有这种标识类型。"),
    "unknown_member": Words("No member within your reach has this identifier.", "您的管辖范围内没有该标识的会员。"),
    "elsewhere": Words(
        "The member belongs to another of your regions: send these rows as a file of their own.",
        "该会员属于您管辖的另一区域：请将这些行单独成文件提交。",
    ),
    "member_closed": Words("The member has left the programme.", "该会员已注销。"),
    "point_type": Words("The programme has no such point type.", "本计划没有这种积分类型。"),
    "not_whole": Words("The points are not a whole number.", "积分不是整数。"),
    "zero": Words("Zero points change nothing.", "积分为零，不产生任何变动。"),
    "too_many": Words("This is more points at once than can be entered.", "单次积分数超出上限。"),
    "reason_needed": Words("The row lacks a reason code.", "该行缺少原因代码。"),
    "reason_code": Words(
        "The programme has no such reason code for this direction.", "本计划没有可用于此方向的该原因代码。"
    ),
    "note": Words("The note is too long or cannot be printed.", "备注过长或含有无法显示的字符。"),
    "duplicate": Words(
        "The member stands in the file more than once for this point type.", "该会员的此类积分在文件中出现多次。"
    ),
    "not_enough": Words("The member has fewer points to spend.", "该会员的可用积分不足。"),
}
"""What is wrong with a row of a file of adjustments."""


def fault_sentence(code: str) -> str:
    """A code without words stands for itself."""
    return FAULTS[code].in_language(get_language() or "en") if code in FAULTS else code
