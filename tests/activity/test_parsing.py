"""What an event must look like: every fault at once, numbers as they were meant."""

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from apps.activity.parsing import Faults, parse_event, parse_rows


def sent(**more: Any) -> dict[str, Any]:
    return {
        "key": "p1",
        "kind": "purchase",
        "member": {"value": "C1"},
        "occurred_at": "2026-03-01T12:00:00+08:00",
        "lines": [{"amount": "10"}],
        **more,
    }


def faults(**more: Any) -> set[tuple[str, str]]:
    with pytest.raises(Faults) as found:
        parse_event(sent(**more))
    return {(".".join(map(str, fault.path)), fault.code) for fault in found.value.faults}


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("12.50", "12.50"), (12, "12"), (Decimal("0.1"), "0.1"), ("1e3", "1E+3"), ("0E-999999", "0.0000"),
        ("1.500000", "1.5000"), (" 7 ", "7"),
    ],
)  # fmt: skip
def test_an_amount_is_taken_exactly(written: Any, amount: str) -> None:
    read = parse_event(sent(lines=[{"amount": written}])).lines[0].amount
    assert str(read) == amount


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("-1", "negative"), ("1e12", "too_large"), ("0.00001", "too_precise"), ("1e-999999", "too_precise"),
        ("NaN", "not_a_number"), ("sNaN", "not_a_number"), ("Infinity", "not_a_number"), ("1,5", "not_a_number"),
        (True, "not_a_number"), ([], "not_a_number"), ("9" * 41, "not_a_number"), (None, "missing"), ("", "missing"),
    ],
)  # fmt: skip
def test_an_amount_that_is_none_is_a_fault_at_its_line(written: Any, code: str) -> None:
    assert faults(lines=[{"amount": "1"}, {"amount": written}]) == {("lines.1.amount", code)}


def test_one_content_has_one_hash_however_its_numbers_are_written() -> None:
    hashes = {parse_event(sent(lines=[{"amount": written}])).content_hash() for written in ("1.5", "1.50", "1.500000")}
    assert len(hashes) == 1
    assert parse_event(sent(lines=[{"amount": "1.6"}])).content_hash() not in hashes


def test_every_fault_is_found_at_once() -> None:
    found = faults(kind="Kauf", member={}, occurred_at="yesterday", lines="none", attributes=[1], colour="red")
    assert found == {
        ("kind", "not_a_kind"), ("member.value", "missing"), ("occurred_at", "not_a_date"), ("lines", "not_a_list"),
        ("attributes", "not_an_object"), ("colour", "unknown_field"),
    }  # fmt: skip


def test_an_instant_needs_its_offset() -> None:
    assert faults(occurred_at="2026-03-01T12:00:00") == {("occurred_at", "offset_missing")}


def test_a_line_tells_its_brand_its_tax_and_that_it_is_the_carriage() -> None:
    told = {"amount": "10", "brand": "Harar", "tax": "0.57", "shipping": True}
    (line,) = parse_event(sent(lines=[told])).lines
    assert (line.brand, line.tax, line.is_shipping) == ("Harar", Decimal("0.57"), True)
    assert faults(lines=[told | {"tax": "10.01"}]) == {("lines.0.tax", "tax_too_large")}
    assert faults(lines=[told | {"tax": "10.01", "amount": "x"}]) == {("lines.0.amount", "not_a_number")}
    assert faults(lines=[told | {"shipping": "maybe", "tax": "-1"}]) == {
        ("lines.0.shipping", "not_a_boolean"), ("lines.0.tax", "negative"),
    }  # fmt: skip


def test_rows_of_a_file_tell_the_same_of_a_line() -> None:
    event = {"event_key": "p1", "kind": "purchase", "member": "C1", "occurred_at": "2026-03-01T12:00:00"}
    rows = [event | {"amount": "10", "brand": "Harar", "tax": "0.57"}, event | {"amount": "8", "shipping": "是"}]
    read = parse_rows([row | {"coupon": "spring"} for row in rows], ZoneInfo("Asia/Shanghai"))
    assert [(line.brand, line.tax, line.is_shipping) for line in read.lines] == [
        ("Harar", Decimal("0.57"), False), ("", None, True),
    ]  # fmt: skip
    assert read.attributes == {"coupon": "spring"}
    with pytest.raises(Faults) as found:
        parse_rows([rows[0], rows[1] | {"shipping": "maybe", "tax": "9"}], ZoneInfo("Asia/Shanghai"))
    assert [(fault.row, fault.column, fault.code) for fault in found.value.faults] == [(1, "shipping", "not_a_boolean")]


def test_an_event_that_tells_nothing_new_of_its_lines_keeps_its_hash() -> None:
    event = parse_event(sent(lines=[{"sku": "A1", "category": "coffee", "quantity": 2, "amount": "12.50"}]))
    assert event.content_hash().hex() == "f27b9f91aac14717ee33b54aea8013db"
    more: list[dict[str, Any]] = [
        {"brand": "Harar"},
        {"tax": "0"},
        {"tax": "1"},
        {"shipping": True},
        {"shipping": False},
    ]
    hashes = [parse_event(sent(lines=[{"amount": "10"} | each])).content_hash() for each in [{}, *more]]
    assert len(set(hashes)) == 5
    assert hashes[0] == hashes[-1]
