"""The pages of reports: who opens them, what they say, what they export, and how many queries they ask."""

import csv
from datetime import UTC, datetime
from io import BytesIO, StringIO
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.points.models import Account
from apps.reports.ledger_page import IN_WORDS
from apps.reports.models import LedgerCheck
from apps.reports.services import check_ledger
from tests.factories import Cast, CoffeeGroup
from tests.reports.conftest import NOW
from tests.rules.conftest import make_till, purchase

COST, LEDGER = "/reports/dailyfact/cost/", "/reports/dailyfact/ledger/"
JUNE = datetime(2026, 6, 2, tzinfo=UTC)


def client_of(person: Any, language: str = "en") -> Client:
    client = Client()
    client.force_login(person, backend="apps.orgs.auth.RoleBackend")
    client.cookies["django_language"] = language
    return client


def text_of(answer: Any) -> str:
    return answer.content.decode()


def test_finance_reads_a_question_a_finding_and_that_it_ties(history: CoffeeGroup, cast: Cast) -> None:
    page = text_of(client_of(cast.finance).get(COST))
    assert "What did points cost from March 2026 to May 2026?" in page
    assert "¥0.70: ¥0.90 were given, ¥0.20 came back with refunds." in page
    assert "Ties to the ledger: difference 0. Held against 5 entries on" in page
    assert "East North" in page
    assert "−20" in page


def test_the_page_speaks_chinese(history: CoffeeGroup, cast: Cast) -> None:
    page = text_of(client_of(cast.finance, "zh-hans").get(COST))
    assert "2026年3月至2026年5月，积分成本是多少？" in page
    assert "What did" not in page


def test_a_regional_manager_gets_the_region_and_404_beyond(history: CoffeeGroup, cast: Cast) -> None:
    client = client_of(cast.regional_manager)
    page = text_of(client.get(COST))
    assert "Lakeside" in page
    assert "East South" not in page
    beyond, nowhere, other = (
        client.get(COST, asked) for asked in ({"unit": "S003"}, {"unit": "X9"}, {"program": "west"})
    )
    assert (beyond.status_code, nowhere.status_code, other.status_code) == (404, 404, 404)
    assert client.get(COST, {"unit": "S003", "format": "xlsx"}).status_code == 404


def test_where_nothing_moved_the_page_says_so(history: CoffeeGroup, cast: Cast) -> None:
    outsider = text_of(client_of(cast.outsider).get(COST))
    assert "No points have moved yet." in outsider
    assert client_of(cast.outsider).get(COST, {"format": "csv"}).status_code == 404
    filtered = text_of(client_of(cast.finance).get(COST, {"from": "2020-01", "to": "2020-02"}))
    assert "Nothing moved in these months at the place you chose." in filtered


def test_a_csv_holds_what_the_table_shows_and_its_total(history: CoffeeGroup, cast: Cast) -> None:
    answer = client_of(cast.finance).get(COST, {"format": "csv", "table": "units"})
    rows = list(csv.reader(StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][:4] == ["Org unit", "Entries", "Given, points", "Given, cost in CNY"]
    assert [[row[0], row[1], row[2], row[3], row[-2], row[-1]] for row in rows[1:]] == [
        ["East North", "3", "50", "0.50", "47", "0.47"],
        ["East South", "2", "40", "0.40", "20", "0.20"],
        ["Total", "5", "90", "0.90", "67", "0.67"],
    ]
    assert answer["Content-Disposition"] == 'attachment; filename="points-cost-east-2026-03-2026-05-units.csv"'


def test_a_workbook_has_frozen_headers_formats_and_totals_that_are_formulas(history: CoffeeGroup, cast: Cast) -> None:
    unit = history["EAST-N"]
    unit.name = "=cmd|x"
    unit.save()
    content = client_of(cast.finance).get(COST, {"format": "xlsx"}).content
    book, values = openpyxl.load_workbook(BytesIO(content)), openpyxl.load_workbook(BytesIO(content), data_only=True)
    assert book.sheetnames == ["By month", "By org unit", "By rule", "About"]
    months, shown = book["By month"], values["By month"]
    assert months.freeze_panes == "B2"
    assert [cell.value for cell in shown["A"]] == [
        "Month",
        datetime(2026, 3, 1),
        datetime(2026, 4, 1),
        datetime(2026, 5, 1),
        "Total",
    ]
    assert [cell.value for cell in shown["C"]][1:] == [90, 0, 0, 90]
    assert [cell.value for cell in shown["D"]][1:] == [0.9, 0, 0, 0.9]
    assert months["C5"].value == "=SUM(C2:C4)"
    assert months["D2"].number_format == '#,##0.00;"−"#,##0.00'
    assert months["A2"].number_format == "mmmm yyyy"
    assert book["By org unit"]["A2"].value == "'=cmd|x"


def test_the_number_of_queries_does_not_grow(history: CoffeeGroup, cast: Cast) -> None:
    till, client = make_till(history), client_of(cast.finance)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            client.get(COST)
        return len(asked)

    client.get(COST)
    before = queries()
    for number, store in enumerate(("S001", "S002", "S003")):
        till.send(purchase("9.00", store=store, occurred_at=datetime(2026, 1 + number, 5, tzinfo=UTC)))
    assert queries() == before <= 12


def test_the_ledger_page_checks_on_request_and_tells_what_differs(history: CoffeeGroup, cast: Cast) -> None:
    client = client_of(cast.auditor)
    assert "Nobody has checked yet." in text_of(client.get(LEDGER))
    client.post(LEDGER)
    assert LedgerCheck.objects.get().checked_by == cast.auditor
    assert "Yes: difference 0." in text_of(client.get(LEDGER))
    Account.objects.filter(member__home_unit=history["S001"]).order_by("pk").update(pending=3)
    check_ledger(None, NOW.replace(year=2027))
    page = text_of(client.get(LEDGER))
    assert "No: 4 rows differ." in page
    assert "Every account&#x27;s pending points are the sum of its entries." in page
    assert "Yes: difference 0." in text_of(client_of(cast.outsider).get(LEDGER))


@pytest.mark.parametrize("persona", ["marketing", "regional_manager", "service"])
def test_only_finance_and_auditors_open_the_ledger_page(history: CoffeeGroup, cast: Cast, persona: str) -> None:
    client = client_of(cast[persona])
    assert (client.get(LEDGER).status_code, client.post(LEDGER).status_code) == (403, 403)
    assert not LedgerCheck.objects.exists()


def test_every_promise_has_its_sentence() -> None:
    from apps.points.checking import promises

    assert list(IN_WORDS) == promises()


def test_the_entries_behind_a_line_are_one_click_away(history: CoffeeGroup, cast: Cast) -> None:
    client = client_of(cast.finance)
    path = "/points/entry/"
    answer = client.get(
        path,
        {"within": "EAST-N", "program__id__exact": history.east.pk, "day__gte": "2026-03-01", "day__lt": "2026-04-01"},
    )
    assert [entry.points for entry in answer.context["cl"].result_list] == [-10, 50]
    assert (
        client.get(path, {"within": "WEST"}).context["cl"].result_list
        == client.get(path, {"within": "none"}).context["cl"].result_list
        == []
    )
