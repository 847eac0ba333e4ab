"""Figures, signs and dates in templates; see `apps.core.formats`."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from apps.core import formats

register = template.Library()


@register.filter
def number(value: Any) -> str:
    """`{{ account.balance|number }}`"""
    return "" if value is None else formats.number(value)


@register.filter
def percent(value: float | None) -> str:
    """`{{ share.pct|percent }}`: of a hundred, with one decimal."""
    return "" if value is None else formats.percent(value)


@register.filter
def percent_plain(value: float) -> str:
    """`{{ share.pct|percent_plain }}`: as an attribute takes it."""
    return f"{value:.1f}"


@register.filter
def points(value: Any) -> SafeString:
    """`{{ posting.points|points }}`: signed, and coloured as the sign says."""
    tone = "plus" if value > 0 else "minus" if value < 0 else "zero"
    return format_html('<span class="studio-number studio-{}">{}</span>', tone, formats.signed(value))


@register.filter
def money(value: Any, currency: str) -> str:
    """`{{ event.amount|money:program.currency }}`"""
    return "" if value is None else formats.money(value, currency)


@register.filter
def cost(micros: Any, currency: str) -> str:
    """`{{ row.cost_micros|cost:program.currency }}`"""
    return "" if micros is None else formats.money_of_micros(micros, currency)


@register.filter
def day(value: Any, zone: str = "") -> str:
    """`{{ lot.expires_at|day:program.time_zone }}`"""
    return "" if value is None else formats.day(value, ZoneInfo(zone) if zone else None)


@register.filter
def moment(value: datetime | None, zone: str = "UTC") -> SafeString | str:
    """`{{ event.occurred_at|moment:program.time_zone }}`, readable by machines too."""
    if value is None:
        return ""
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), formats.moment(value, ZoneInfo(zone)))


@register.filter
def clock(value: datetime, zone: str) -> str:
    """`{{ moment.at|clock:program.time_zone }}`: the time of day, where the day stands beside it."""
    return formats.clock(value, ZoneInfo(zone))


@register.filter
def worded(value: Any) -> str:
    """`{{ holding.label|worded }}`: a text that is kept in both languages, in the one in force."""
    return str(value.in_language(get_language() or "en"))


@register.filter
def person(value: Any) -> str:
    """`{{ version.published_by|person }}`: the full name, or the name to sign in with where there is none."""
    return str(value.get_full_name() or value.get_username())
