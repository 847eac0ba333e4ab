"""Worked examples: rules and the events of a story, sent down the main road, and what each of them earned.

An event of a story is written as JSON has it; what is left out is an ordinary purchase:

    {"kind": "purchase", "at": "2026-03-04T10:00", "member": "Ann", "store": "S001", "channel": "", "device": "",
     "attributes": {}, "lines": [{"category": "coffee", "sku": "A1", "quantity": 1, "amount": "10",
                                       "brand": "", "tax": null, "shipping": false}],
     "amount": "10", "key": "", "refund_of": "", "confirms": ""}

`amount` alone stands for one line. `people` describes members who are not ordinary: where and when they joined, when they were
born, and their attributes. `spendable` is what the member can spend right after the event. An event of the kind `code` names a
`batch`, and in `draws` what one of its codes is to draw: such a batch is made, and such a code found.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from apps.activity.incoming import IncomingEvent, IncomingLine
from apps.activity.services import source_for
from apps.members.services import create_member
from apps.points.services import release_due
from apps.rules.codes.drawing import NONE, draw, read_prizes
from apps.rules.models import Rule, RuleVersion
from apps.rules.pipeline import process
from apps.rules.services import checked
from tests.factories import CoffeeGroup
from tests.rules.codes import made

ZONE = ZoneInfo("Asia/Shanghai")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
LATER = datetime(2027, 12, 31, tzinfo=UTC)
ORDINARY = {"joined_on": "2025-01-01", "home_unit": "S001", "attributes": {}, "birth_on": None}
_numbers = count(1)


def publish_all(group: CoffeeGroup, definitions: Mapping[str, Any]) -> None:
    """Each definition, by its name, in force for long; checked as the studio checks it."""
    for name, definition in definitions.items():
        rule = Rule.objects.create(
            program=group.east, unit=group["EAST"], code=f"w{next(_numbers)}", name=name, created_at=LONG_AGO
        )
        RuleVersion.objects.create(
            rule=rule, number=1, state="published", definition=checked(group.east, definition).to_json(),
            starts_at=LONG_AGO, created_at=LONG_AGO, published_at=LONG_AGO,
        )  # fmt: skip


def tell(
    group: CoffeeGroup, events: Sequence[Mapping[str, Any]], people: Mapping[str, Mapping[str, Any]] | None = None
) -> list[int]:
    """What each event came to, told one after the other."""
    source = source_for("worked", group["EAST"])
    for name in dict.fromkeys(event.get("member", "Ann") for event in events):
        facts = ORDINARY | dict((people or {}).get(name, {}))
        create_member(
            None, group[facts["home_unit"]], identifiers=[("card", _card(name))], attributes=facts["attributes"],
            joined_on=date.fromisoformat(facts["joined_on"]),
            birth_on=facts["birth_on"] and date.fromisoformat(facts["birth_on"]),
            referrer=_card(facts["brought_by"]) if "brought_by" in facts else "", when=LATER,
        )  # fmt: skip
    points, codes = [], _codes(group, events)
    for event in events:
        code = {"attributes": {"code": next(codes[event["batch"], event["draws"]])}} if "draws" in event else {}
        told = _event({**event, **code})
        if "spendable" in event:
            release_due(told.occurred_at)
        (done,) = process(None, source, [told], when=LATER)
        assert done.answer is not None, done.refusal
        if "spendable" in event:
            assert done.answer["balance"]["available"] == event["spendable"], event
        points.append(done.points)
    return points


def _codes(group: CoffeeGroup, events: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], Iterator[str]]:
    """Codes of the batches that a story names, by their batch and what they draw."""
    drawn: dict[str, set[str]] = {}
    for event in events:
        if "draws" in event:
            drawn.setdefault(event["batch"], set()).add(event["draws"])
    found: dict[tuple[str, str], list[str]] = {}
    for name, names in drawn.items():
        prizes = [{"name": prize, "wins": 1, "out_of": len(names) + 1} for prize in sorted(names - {NONE})]
        batch, codes = made(group, code=name, size=99, prizes=prizes)
        for number, code in enumerate(codes, start=1):
            prize = draw(bytes(batch.seed), read_prizes(prizes), number, 1)
            found.setdefault((name, prize), []).append(code)
    return {what: iter(codes) for what, codes in found.items()}


def _card(name: str) -> str:
    return f"CARD{name.upper()}"


def _event(told: Mapping[str, Any]) -> IncomingEvent:
    lines = told.get("lines") or ([{"amount": told["amount"]}] if "amount" in told else [])
    return IncomingEvent(
        key=told.get("key") or f"worked{next(_numbers)}",
        kind=told.get("kind", "purchase"),
        member_kind="card",
        member_value=_card(told.get("member", "Ann")),
        occurred_at=datetime.fromisoformat(told.get("at", "2026-03-04T10:00")).replace(tzinfo=ZONE),
        store=told.get("store", "S001"),
        channel=told.get("channel", ""),
        device=told.get("device", ""),
        refund_of=told.get("refund_of"),
        confirms=told.get("confirms"),
        attributes=told.get("attributes"),
        lines=[_line(number, line) for number, line in enumerate(lines, start=1)],
    )


def _line(number: int, line: Mapping[str, Any]) -> IncomingLine:
    quantity, amount = Decimal(str(line.get("quantity", 1))), Decimal(str(line["amount"]))
    sku, category, brand = line.get("sku", "A1"), line.get("category", "coffee"), line.get("brand", "")
    tax = Decimal(str(line["tax"])) if "tax" in line else None
    return IncomingLine(number, sku, category, quantity, amount, brand, tax, line.get("shipping", False))
