"""Columns of figures and instants: written for people on the page, exported as the values they are."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.utils.html import format_html

from apps.core import formats

Value = Callable[[Any], int | Decimal | datetime | None]


def figure(
    description: Any, value: Callable[[Any], int | Decimal | None], *, signed: bool = False
) -> Callable[..., Any]:
    """A column: `points_figure = figure(_("points"), lambda row: row.points, signed=True)`. Names end in `_figure`."""

    @admin.display(description=description)
    def column(self: Any, row: Any) -> str:
        number = value(row)
        if number is None:
            return ""
        if isinstance(number, Decimal):
            return formats.number(number, 2)
        if not signed:
            return formats.number(number)
        tone = "plus" if number > 0 else "minus" if number < 0 else "zero"
        return format_html('<span class="studio-{}">{}</span>', tone, formats.signed(number))

    column.plain = value  # type: ignore[attr-defined]
    return column


def local(description: Any, value: Callable[[Any], datetime | None], zone: Callable[[Any], str]) -> Callable[..., Any]:
    """A column with an instant as the clocks of its programme show it; `zone` gives the name of the time zone."""

    @admin.display(description=description)
    def column(self: Any, row: Any) -> str:
        instant = value(row)
        return "" if instant is None else formats.moment(instant, ZoneInfo(zone(row)))

    column.plain = value  # type: ignore[attr-defined]
    return column


def plain_value(model_admin: Any, column: Any) -> Value | None:
    """How a column of figures gives its number; None for other columns."""
    owner = getattr(type(model_admin), column, None) if isinstance(column, str) else column
    found: Value | None = getattr(owner, "plain", None)
    return found
