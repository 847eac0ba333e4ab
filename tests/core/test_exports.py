"""Promise S6: what a spreadsheet would run is quoted, numbers stay numbers, and importing gives the value back."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from tablib import Dataset

from apps.core.exports import SafeResource, csv_lines, quoted, unquoted, xlsx_file
from apps.orgs.models import Program
from tests.factories import CoffeeGroup

DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "'=1"]


@given(st.text() | st.sampled_from(DANGEROUS) | st.from_regex(r"'*[=+@-].*"))
def test_importing_gives_back_what_was_exported(value: str) -> None:
    assert unquoted(quoted(value)) == value
    assert not quoted(value).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_numbers_and_dates_stay_what_they_are() -> None:
    row = [-5, Decimal("-1.50"), date(2026, 5, 4), datetime(2026, 5, 4, 12, 30, tzinfo=UTC), "-5", None, True]
    text = b"".join(csv_lines(["=a", "b", "c", "d", "e", "f", "g"], [row])).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text))) == [
        ["'=a", "b", "c", "d", "e", "f", "g"],
        ["-5", "-1.50", "2026-05-04", "2026-05-04T12:30:00+00:00", "'-5", "", "True"],
    ]
    book = load_workbook(io.BytesIO(xlsx_file(["a", "b", "c", "d", "e", "f", "g"], [row])))
    cells = [cell.value for cell in book.active[2]]
    assert cells == [-5, -1.5, datetime(2026, 5, 4), datetime(2026, 5, 4, 12, 30), "'-5", None, True]


@pytest.mark.parametrize("value", DANGEROUS)
def test_a_resource_quotes_on_the_way_out_and_not_on_the_way_in(group: CoffeeGroup, value: str) -> None:
    class Programs(SafeResource):
        class Meta:
            model = Program
            fields = ("id", "name", "grace_days")

    group.east.name = value
    group.east.save()
    table: Any = Programs().export(Program.objects.filter(pk=group.east.pk))
    assert table.dict[0]["name"] == f"'{value}"
    assert str(table.dict[0]["grace_days"]) == "30"
    group.east.name = "Something else"
    group.east.save()
    result = Programs().import_data(Dataset().load(table.csv, format="csv"), raise_errors=True)
    assert result.totals["update"] == 1
    group.east.refresh_from_db()
    assert group.east.name == value
