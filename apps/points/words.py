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
