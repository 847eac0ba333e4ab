"""The cost report as a workbook: a sheet a table, numbers as numbers, totals as formulas that equal them."""

from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import xlsxwriter
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from xlsxwriter.utility import xl_col_to_name

from apps.core.exports import quoted
from apps.core.formats import WHOLE, moment, month
from apps.reports.questions import Question
from apps.reports.tables import Table

POINTS = '#,##0;"−"#,##0'
MONEY = '#,##0.00;"−"#,##0.00'
MONTHS = {"zh-hans": 'yyyy"年"m"月"', "en": "mmmm yyyy"}


def workbook(question: Question, tables: list[Table], made_at: datetime) -> bytes:
    """The file's bytes; the last sheet tells what was asked, and when."""
    file = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(file, options) as book:
        for table in tables:
            _write(book, table)
        sheet = book.add_worksheet(_("About"))
        sheet.set_column(0, 0, 18)
        sheet.set_column(1, 1, 60)
        for row, (name, value) in enumerate(_about(question, made_at)):
            sheet.write_string(row, 0, name, book.add_format({"bold": True}))
            sheet.write_string(row, 1, quoted(value))
    return file.getvalue()


def _write(book: Any, table: Table) -> None:
    money = POINTS if table.currency in WHOLE else MONEY
    heading = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
    months = book.add_format({"num_format": MONTHS.get(get_language() or "en", "yyyy-mm"), "align": "left"})
    points, cost = book.add_format({"num_format": POINTS}), book.add_format({"num_format": money})
    total_points, total_cost, total = (
        book.add_format({"bold": True, "top": 1, **extra})
        for extra in ({"num_format": POINTS}, {"num_format": money}, {})
    )
    sheet = book.add_worksheet(table.title[:31])
    sheet.freeze_panes(1, 1)
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, len(table.header()) - 1, 15)
    sheet.write_row(0, 0, [quoted(name) for name in table.header()], heading)
    for row, line in enumerate(table.lines, start=1):
        if isinstance(line.about, date):
            sheet.write_datetime(row, 0, datetime(line.about.year, line.about.month, 1), months)  # noqa: DTZ001
        else:
            sheet.write_string(row, 0, quoted(line.about))
        for column, value in enumerate(line.cells(), start=1):
            sheet.write_number(row, column, value, cost if isinstance(value, Decimal) else points)
    last = len(table.lines)
    sheet.write_string(last + 1, 0, table.total.name, total)
    for column, value in enumerate(table.total.cells(), start=1):
        name = xl_col_to_name(column)
        form = total_cost if isinstance(value, Decimal) else total_points
        sheet.write_formula(last + 1, column, f"=SUM({name}2:{name}{last + 1})", form, value)


def _about(question: Question, made_at: datetime) -> list[tuple[str, str]]:
    program = question.program
    rows = [
        (_("Programme"), str(program)),
        (_("Currency"), program.currency),
        (_("From"), month(question.first)),
        (_("To"), month(question.last)),
        (_("Org unit"), str(question.unit) if question.unit else _("Everything you see")),
    ]
    if question.point_type is not None:
        rows.append((_("Point type"), str(question.point_type)))
    return [*rows, (_("Made at"), f"{moment(made_at, ZoneInfo(program.time_zone))} ({program.time_zone})")]
