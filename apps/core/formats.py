"""How figures and dates read: separators, a real minus sign, the programme's currency, the language's dates. Pure."""

import math
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from django.utils.formats import date_format

MINUS = "−"
MICROS = Decimal(1_000_000)
SYMBOLS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "HKD": "HK$", "JPY": "JP¥", "CAD": "CA$"}
WHOLE = frozenset({"JPY", "KRW", "VND"})
"""Currencies without a smaller unit."""


def number(value: Decimal | int | float, places: int = 0) -> str:
    """`value` with separators and, below zero, a minus sign.

    >>> number(-1234567), number(Decimal("12.5"), 2)
    ('−1,234,567', '12.50')
    """
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return f"{rounded:,f}".replace("-", MINUS) if rounded else f"{abs(rounded):,f}"


def signed(value: int) -> str:
    """`value` with its sign; zero has none.

    >>> signed(37), signed(-1200), signed(0)
    ('+37', '−1,200', '0')
    """
    return f"+{value:,}" if value > 0 else number(value)


def percent(value: float) -> str:
    """Of a hundred, with one decimal; what is not whole never reads as whole.

    >>> percent(97.25), percent(99.99), percent(100.0)
    ('97.2 %', '99.9 %', '100.0 %')
    """
    return f"{math.floor(value * 10) / 10:.1f} %"


def money(amount: Decimal | int, currency: str) -> str:
    """An amount of `currency`, the sign before the symbol.

    >>> money(Decimal("-1234.5"), "CNY"), money(7, "CHF")
    ('−¥1,234.50', 'CHF 7.00')
    """
    text = number(abs(Decimal(amount)), 0 if currency in WHOLE else 2)
    minus = MINUS if amount < 0 else ""
    return f"{minus}{SYMBOLS.get(currency, currency + ' ')}{text}"


def money_of_micros(micros: int, currency: str) -> str:
    """Millionths of `currency`, as money.

    >>> money_of_micros(12_345_678, "CNY")
    '¥12.35'
    """
    return money((Decimal(micros) / MICROS).quantize(Decimal("0.01"), ROUND_HALF_UP), currency)


def day(value: date | datetime, zone: ZoneInfo | None = None) -> str:
    """A date as the language in force writes it; of an instant, the local day of `zone`."""
    if isinstance(value, datetime) and zone is not None:
        value = value.astimezone(zone)
    return date_format(value, "DATE_FORMAT")


def moment(value: datetime, zone: ZoneInfo) -> str:
    """An instant as the clocks of `zone` show it."""
    return date_format(value.astimezone(zone), "DATETIME_FORMAT")


def clock(value: datetime, zone: ZoneInfo) -> str:
    """The time of day of an instant as the clocks of `zone` show it."""
    return date_format(value.astimezone(zone), "H:i")


def month(value: date) -> str:
    return date_format(value, "YEAR_MONTH_FORMAT")
