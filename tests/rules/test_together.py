"""Programmes drawn at random: everything that rules can do, together, told one by one, in batches and all at once.

Held against itself and against what must be so whatever the rules say: the ledger adds up, what fired is what was
gathered, every lot holds what was not given back or undone of it, and once every purchase is given back nothing is left
of any. Policies that this makes plain, beside those of `oracle.py`:

* What a purchase brought is undone as the version says that judged it, also where another has replaced it. A new version
  goes on with what is gathered: who is beyond its goal already does not reach it any more in that period.
* A rule of a region in the place of another gathers, counts and is limited by itself.
* What a reviewer refuses stays counted. Steps that are undone there later take nothing more back.
* A tag at a goal stays until all steps of its event are undone; any other, until its purchase is given back whole.
* A refund of nothing gives back a purchase that cost nothing, and otherwise takes nothing.
"""

import os
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F, Sum

from apps.activity.incoming import IncomingEvent
from apps.activity.models import Event
from apps.members.models import MemberTag
from apps.members.services import add_identifier
from apps.orgs.models import Program
from apps.orgs.services import create_special_day
from apps.points.checking import differences
from apps.points.models import Account, Entry, Lot, PointType
from apps.points.services import redeem
from apps.reports.services import fold_facts
from apps.rules import snapshot
from apps.rules.definition import Faulty, check_definition
from apps.rules.holding import decide_held
from apps.rules.models import Counter as Used
from apps.rules.models import HeldDecision, HeldEvent, Progress, Rule, RuleVersion, UnitCounter
from apps.rules.pipeline import Processed
from apps.rules.progress import Progress as State
from tests.factories import CoffeeGroup
from tests.rules.conftest import PURCHASE, START, Till, line, publish, purchase, refund
from tests.rules.test_pipeline import Undo

PROGRAMMES = int(os.environ.get("PROGRAMMES", 20))
FIRST = int(os.environ.get("FIRST_PROGRAMME", 0))
NOW = START + timedelta(days=200)
TURN = START + timedelta(days=9)
"""When second versions come into force."""
KINDS = ("points", "stars")
Draw = random.Random


def asks(field: str, op: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value, **more}


COFFEE = asks("line.category", "eq", "coffee")
CHECK_IN = asks("event.kind", "eq", "check_in")
MORE_ASKED: list[dict[str, Any]] = [
    asks("member.tags", "has_any", ["regular"]),
    asks("member.tags", "has_none", ["big"]),
    asks("history.orders", "ge", 2, window=30),
    asks("history.check_ins", "lt", 3, window="month"),
    asks("history.points_earned", "ge", 60, window="ever"),
    asks("history.points_earned", "lt", 200, window=7),
    asks("recent.events", "lt", 2, window=60),
    asks("recent.device_events", "ge", 1, window="today"),
    asks("event.special_days", "has_any", ["md"]),
    asks("event.order_number", "ge", 2, window="month"),
    asks("event.amount", "ge", 40),
    asks("event.channel", "eq", "app"),
    {"lines": "any", "where": COFFEE},
]


def condition(draw: Draw) -> dict[str, Any]:
    kind = draw.choice([PURCHASE["all"][0]] * 4 + [CHECK_IN, asks("event.kind", "in", ["purchase", "check_in"])])
    return {"all": [kind, *draw.sample(MORE_ASKED, draw.choice([0, 0, 1, 1, 2]))]}


def effect(draw: Draw) -> dict[str, Any]:
    kind = draw.choice([*KINDS, "points"])
    match draw.choice(["amount"] * 3 + ["quantity", "fixed", "fixed", "multiply", "table", "tag", "tag", "hold"]):
        case "fixed":
            return {"effect": "fixed_points", "point_type": kind, "points": draw.choice([5, 20, 33])}
        case "multiply":
            times, of = draw.choice(["1.5", "2"]), draw.choice(["base", "all"])
            return {"effect": "multiply", "point_type": kind, "times": times, "of": of, "rounding": "half_up"}
        case "table":
            rows = [
                {"when": asks("event.amount", "ge", 50), "points": "7", "per": None},
                {"when": {"all": [draw.choice(MORE_ASKED)]}, "points": "1", "per": "3"},
            ]
            hit = draw.choice(["first", "best", "sum"])
            return {"effect": "table", "point_type": kind, "hit": hit, "rounding": "down", "rows": rows}
        case "tag":
            start, days = draw.choice(["now", "now", "next_month"]), draw.choice([None, 3, 30])
            return {"effect": "tag", "tag": draw.choice(["regular", "big"]), "start": start, "days": days}
        case "hold":
            return {"effect": "hold_for_review", "reason": "Looks odd"}
        case name:
            found = {
                "effect": f"points_per_{name}", "point_type": kind, "points": draw.choice(["1", "0.5"]),
                "per": draw.choice(["1", "7", "40"]), "rounding": draw.choice(["down", "half_up", "carry", "carry"]),
                "lines": draw.choice([None, None, COFFEE]),
            }  # fmt: skip
            if not draw.randrange(3):
                found["without"] = ["tax", "shipping"] if name == "amount" else ["shipping"]
            return found | ({"each": "line"} if found["rounding"] != "carry" and not draw.randrange(4) else {})


def limit(draw: Draw, shared: bool) -> dict[str, Any]:
    of, per = draw.choice(["points", "times", "amount", "pieces", "cost"]), draw.choice(["member", "member", "event"])
    per = draw.choice(["store", "programme", "device"]) if shared and draw.randrange(2) else per
    most = {"points": 60, "times": 2, "amount": 90, "pieces": 4, "cost": "0.7"}[of]
    return {"per": per, "period": draw.choice(["day", "week", "month", "ever"]), "of": of, "most": most}


def accumulator(draw: Draw) -> dict[str, Any]:
    goals = {
        "events": 3, "amount": 120, "pieces": 5, "stores": 2, "channels": 2, "days": 3, "articles": 2, "categories": 2,
        "attribute_sum": 4, "attribute_values": 2, "streak": 2,
    }  # fmt: skip
    of = draw.choice(list(goals))
    return {
        "of": of,
        "at": str(goals[of]),
        "fires": draw.choice(["goal", "step"]),
        "period": draw.choice(["ever", "month", "week"]),
        "lines": COFFEE if of in ("amount", "pieces") and draw.randrange(2) else None,
        "attribute": "mark" if of.startswith("attribute") else "",
    }


def definition(draw: Draw, shared: bool) -> dict[str, Any]:
    """One that passes the checks."""
    while True:
        written: dict[str, Any] = {
            "condition": condition(draw),
            "effects": [effect(draw) for _ in range(draw.choice([1, 1, 2, 3]))],
            "limits": [limit(draw, shared) for _ in range(draw.choice([0, 0, 1, 2]))],
        }
        if not draw.randrange(2):
            written["accumulator"] = accumulator(draw)
        if not draw.randrange(4):
            pending = draw.choice([{"days": 5}, {"until": "delivery"}, {"until": "delivery"}])
            written["validity"] = {
                "expiry": draw.choice([None, {"kind": "after_days", "days": 30}]),
                "pending": pending,
            }
        with suppress(Faulty):
            names = {"md": "Member day"}
            return check_definition(written, point_types=dict.fromkeys(KINDS), units={}, special_days=names).to_json()


def publish_programme(draw: Draw, group: CoffeeGroup, shared: bool) -> None:
    groups = {name: draw.choice(["best", "first", "sum"]) for name in ("one", "two")}
    for order in range(draw.randint(3, 8)):
        written = definition(draw, shared)
        if not draw.randrange(3):
            name = draw.choice(list(groups))
            written["stacking"] = {"group": name, "take": groups[name], "order": order + 1}
        replaced = not draw.randrange(3)
        row = publish(group, *written.pop("effects"), **written, ends_at=TURN if replaced else None)
        if replaced and draw.randrange(3):
            second = definition(draw, shared)
            row.pk, row.number, row.starts_at, row.ends_at, row.definition = None, 2, TURN, None, second
            row.save(force_insert=True)
        if not draw.randrange(4):
            written = definition(draw, shared)
            publish(group, *written.pop("effects"), **written, unit="EAST-N", overrides=row.rule)


def events_of(draw: Draw, members: int) -> list[IncomingEvent]:
    """In the order in which they are told."""
    events: list[IncomingEvent] = []
    for number in range(draw.randint(10, 26)):
        member = f"C{draw.randint(1, members)}"
        values = {
            "member": member,
            "occurred_at": START + timedelta(hours=draw.choice([0, 6, 12]), days=draw.randrange(20)),
            "store": draw.choice(["S001", "S001", "S002", "S003"]),
            "channel": draw.choice(["app", "pos"]),
            "device": draw.choice(["", f"{member}-a", f"{member}-b"]),
            "attributes": draw.choice([None, {"mark": draw.randint(1, 3)}]),
        }
        if draw.randrange(4):
            bought = purchase("0", f"p{number}", **values | {"lines": lines_of(draw)})
            events.append(bought)
            if not draw.randrange(3):
                events.append(delivered(bought, f"d{number}", draw))
            parts = draw.choice([0, 0, 1, 2])
            events += [given_back(bought, f"r{number}-{part}", draw) for part in range(parts)]
        else:
            events.append(replace(purchase("0", f"c{number}", **values | {"lines": ()}), kind="check_in"))
    events.sort(key=lambda event: event.occurred_at + timedelta(days=draw.choice([0, 0, 0, 0, 3, 12])))
    events = [
        event if draw.randrange(4)
        else replace(event, member_kind="phone", member_value=f"1380000000{event.member_value[1:]}")
        for event in events
    ]  # fmt: skip
    for again in draw.sample(events, 2):
        events.insert(draw.randrange(len(events)), again)
    return events


def lines_of(draw: Draw) -> tuple[Any, ...]:
    found = []
    for number in range(1, draw.randint(1, 3) + 1):
        amount, sku = draw.choice(["0", "4.20", "17.35", "40", "77.77"]), draw.choice(["A1", "B2", "C3"])
        quantity, tax = draw.choice(["1", "2", "0.5"]), draw.choice([None, Decimal("0.30")])
        category = draw.choice(["coffee", "tea"])
        tax = tax if Decimal(amount) else None
        found.append(line(amount, category, sku, quantity, number, tax=tax, is_shipping=not draw.randrange(6)))
    return tuple(found)


def delivered(bought: IncomingEvent, key: str, draw: Draw) -> IncomingEvent:
    at = bought.occurred_at + timedelta(days=draw.choice([0, 2]))
    return replace(bought, key=key, kind="delivery", lines=(), occurred_at=at, confirms=bought.key, attributes=None)


def given_back(bought: IncomingEvent, key: str, draw: Draw, share: str = "") -> IncomingEvent:
    whole = bought.amount or Decimal(0)
    amount = whole * Decimal(share or draw.choice(["0", "0.25", "0.5", "1", "1"]))
    at = bought.occurred_at + timedelta(hours=draw.choice([0, 7, 50]))
    store = draw.choice([bought.store, "S003"])
    told = refund(bought.key, f"{amount:.2f}", key, bought.member_value, occurred_at=at, store=store)
    return told if draw.randrange(8) or share else replace(told, lines=())


def batches(draw: Draw, events: Sequence[IncomingEvent]) -> list[Sequence[IncomingEvent]]:
    found, start = [], 0
    while start < len(events):
        size = draw.randint(1, 9)
        found.append(events[start : start + size])
        start += size
    return found


# -- what came of it ---------------------------------------------------------------------------------------------------


def answered(result: Processed) -> Any:
    if result.refusal is not None:
        return result.refusal.code
    answer = {name: part for name, part in (result.answer or {}).items() if name != "event"}
    answer["awards"] = sorted(answer["awards"], key=repr)
    return result.status, answer, result.points


def state() -> dict[str, Any]:
    """All that the tables say, but for the numbers of rows."""
    keys = dict(Event.objects.values_list("pk", "key"))
    lots = Lot.objects.values_list(
        "event_id", "rule_version_id", "account__point_type__code", "earned", "remaining", "is_pending", "releases_at",
        "expires_at",
    )  # fmt: skip
    counted = ("points", "times", "amount_micros", "pieces_micros", "cost_micros")
    progress = []
    for row in Progress.objects.all():
        firings = [(keys[event], *rest) for event, *rest in row.state.get("fired", ())]
        progress.append((row.member_id, row.rule_id, row.name, row.start, row.value, row.state | {"fired": firings}))
    return {
        "accounts": sorted(Account.objects.values_list("member_id", "point_type_id", "balance", "pending", "debt")),
        "lots": sorted(((keys[event], *rest) for event, *rest in lots), key=repr),
        "counters": sorted(Used.objects.values_list("member_id", "rule_id", "period", "start", *counted)),
        "shared": sorted(
            UnitCounter.objects.filter(points__gt=0).values_list("unit", "device", "rule", "period", "start", *counted)
        ),
        "progress": sorted(progress, key=repr),
        "tags": sorted(
            (
                (member, tag, since, until, rule, keys[event])
                for member, tag, since, until, rule, event in MemberTag.objects.values_list(
                    "member_id", "tag", "from_on", "until_on", "rule_id", "event_id"
                )
            ),
            key=repr,
        ),
        "held": sorted(keys[pk] for pk in HeldEvent.objects.values_list("pk", flat=True)),
    }


def holds() -> None:
    """What must be so at any moment."""
    assert differences() == []
    fold_facts(NOW)
    assert differences() == []
    program = snapshot.confirmed().programs[Program.objects.get(unit__code="EAST").pk]
    versions = defaultdict(list)
    for version in program.versions:
        versions[version.live.rule_id].append(version.live)
    for row in Progress.objects.all():
        kept = State.from_json(str(row.value), row.state)
        assert kept.value >= 0
        assert all(0 <= firing.lost <= firing.steps for firing in kept.fired)
        if len(versions[row.rule_id]) == 1:
            gatherer = versions[row.rule_id][0].gatherer(row.name)
            assert gatherer is not None
            assert gatherer.fires(kept) == sum(each.steps - each.lost for each in kept.fired), (row.name, kept)
    lots, spent = read_lots(), read_spent()
    if not spent:
        assert not Account.objects.filter(debt__gt=0).exists()
        assert [lot for lot in lots if lot.remaining != lot.due] == []
    for account in Account.objects.all():
        due = sum(lot.due for lot in lots if lot.account == account.pk) - spent.get(account.pk, 0)
        assert account.balance + account.pending == due
    assert [tag for tag in read_tags() if tag.lasts != tag.due] == []


@dataclass(frozen=True)
class LotSeen:
    """What is left of a lot, and what should be: less its share of what was given back, or its steps that were undone."""

    account: int
    event: str
    effect: dict[str, Any]
    earned: int
    remaining: int
    due: int


@dataclass(frozen=True)
class TagSeen:
    event: str
    rule: str
    lasts: bool
    due: bool


def read_firings() -> dict[tuple[int, str, int], tuple[int, int]]:
    """Steps and those undone of them, by rule, what gathers, and event."""
    return {
        (row.rule_id, row.name, event): (steps, lost)
        for row in Progress.objects.all()
        for event, steps, lost in row.state.get("fired", ())
    }


def read_shares() -> dict[int, Fraction]:
    """How much of each purchase was given back: 1 is all."""
    back: dict[int, Fraction] = {}
    amounts = dict(Event.objects.values_list("pk", "amount"))
    for event_id, amount in Event.objects.filter(kind="refund").values_list("refund_of_id", "amount"):
        whole = Fraction(amounts[event_id] or 0)  # type: ignore[index]
        back[event_id] = back.get(event_id, Fraction(0)) + Fraction(amount or 0) / whole if whole else Fraction(1)  # type: ignore[index]
    return back


def read_lots() -> list[LotSeen]:
    firings, shares, found = read_firings(), read_shares(), []
    definitions = dict(RuleVersion.objects.values_list("pk", "definition"))
    earned = Entry.objects.filter(kind="earn").values_list("lot_id", "posting__key")
    numbers = {lot: int(key.rpartition(":")[2]) for lot, key in earned}
    refused = set(HeldDecision.objects.filter(verdict="refused").values_list("held_event", flat=True))
    for lot in Lot.objects.select_related("event"):
        written = definitions[lot.rule_version_id]
        effect = written["effects"][numbers[lot.pk]]
        name = None
        if effect.get("rounding") == "carry":
            name = f"carry {numbers[lot.pk]}"
        elif written.get("accumulator") and effect["effect"] == "fixed_points":
            name = written["accumulator"]["of"]
        if name is not None:
            steps, lost = firings[lot.rule_id, name, lot.event_id]
            gone = Fraction(lost, steps)
        else:
            gone = shares.get(lot.event_id, Fraction(0))
        due = 0 if lot.event_id in refused else lot.earned - int(lot.earned * gone)
        found.append(LotSeen(lot.account_id, lot.event.key, effect, lot.earned, lot.remaining, due))
    return found


def read_spent() -> dict[int, int]:
    """What was redeemed, by account."""
    spent = Entry.objects.filter(kind="redeem").values_list("account_id").annotate(total=Sum("points"))
    return {account: -points for account, points in spent}


def read_tags() -> list[TagSeen]:
    firings, shares, found = read_firings(), read_shares(), []
    events = {event.pk: event for event in Event.objects.all()}
    versions = list(RuleVersion.objects.select_related("rule"))
    for tag in MemberTag.objects.all():
        event = events[tag.event_id]
        judged = next(
            each
            for each in versions
            if each.rule_id == tag.rule_id
            and each.starts_at <= event.occurred_at
            and (each.ends_at is None or event.occurred_at < each.ends_at)
        )
        goal = judged.definition.get("accumulator")
        if goal:
            steps, lost = firings[tag.rule_id, goal["of"], tag.event_id]
            due = lost < steps
        else:
            due = shares.get(tag.event_id, 0) < 1
        found.append(TagSeen(event.key, judged.rule.code, tag.until_on != tag.from_on, due))
    return found


@pytest.mark.parametrize("seed", range(FIRST, FIRST + PROGRAMMES))
def test_all_that_rules_can_do_comes_to_the_same_however_it_is_told(seed: int, group: CoffeeGroup, till: Till) -> None:
    draw = Draw(seed)
    for number in range(1, 4):
        add_identifier(None, till.member(f"C{number}").pk, "phone", f"1380000000{number}", when=START)
    shared = not draw.randrange(3)
    PointType.objects.create(program=group.east, code="stars", name="Stars", unit_cost_micros=20_000)
    PointType.objects.filter(code="points").update(unit_cost_micros=10_000)
    create_special_day(group.east, code="md", name="Member day", days={"kind": "each_month", "day": 8})
    publish_programme(draw, group, shared)
    snapshot.forget()
    # In a batch the waves change who comes first to a budget that members share.
    events = events_of(draw, 1 if shared else draw.randint(2, 3))
    came: list[Any] = []
    for told in ([[event] for event in events], batches(draw, events), [events]):
        with suppress(Undo), transaction.atomic():
            results = [answered(result) for some in told for result in till.send(*some, when=NOW)]
            holds()
            came.append((results, state()))
            give_all_back(till, events, draw)
            raise Undo
    for results, after in came[1:]:
        for event, one, other in zip(events, came[0][0], results, strict=True):
            assert unlike(one, other) == [], event
        for part, found in after.items():
            assert came[0][1][part] == found, part


def unlike(one: Any, other: Any, place: str = "") -> list[Any]:
    """Where two answers differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [found for name in one | other for found in unlike(one.get(name), other.get(name), f"{place}/{name}")]
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [found for n, pair in pairs for found in unlike(*pair, f"{place}/{n}")]
    return [] if one == other else [(place, one, other)]


def give_all_back(till: Till, events: Sequence[IncomingEvent], draw: Draw) -> None:
    """Gives back what is left of every purchase, when some of what was held is decided on and some of the points are
    spent: nothing of any is left, but for debt."""
    for held in HeldEvent.objects.select_related("event__org_unit").order_by("pk"):
        if verdict := draw.choice(["", "released", "refused"]):
            decide_held(None, held, verdict, reason="Looked at it", when=NOW)
    if draw.randrange(2):
        for account in Account.objects.filter(balance__gt=0).order_by("pk"):
            unit, half = till.group["S001"], (account.balance + 1) // 2
            redeem(None, account.pk, half, key=f"spent:{account.pk}", unit=unit, when=START + timedelta(days=25))
    holds()
    bought = {event.key: event for event in events if event.kind == "purchase"}
    back = Counter({key: Decimal(0) for key in bought})
    for event in Event.objects.filter(kind="refund").select_related("refund_of"):
        assert event.refund_of is not None
        back[event.refund_of.key] += event.amount or Decimal(0)
    for number, event in enumerate(draw.sample(list(bought.values()), len(bought))):
        rest = (event.amount or Decimal(0)) - back[event.key]
        told = refund(event.key, str(rest), f"last{number}", "C1", occurred_at=NOW)
        told = replace(told, member_kind=event.member_kind, member_value=event.member_value)
        (result,) = till.send(told, when=NOW)
        assert result.status == "processed", result.refusal
    holds()
    never = only_of_purchases()
    for row in Progress.objects.filter(rule_id__in=never):
        assert (row.value, row.state.get("seen", {})) == (0, {}), (row.name, row.rule.name)
        assert all(lost == steps for _, steps, lost in row.state.get("fired", ()))
    assert read_spent() or not Lot.objects.filter(rule_id__in=never, remaining__gt=0).exists()
    assert not MemberTag.objects.filter(rule_id__in=never).exclude(until_on=F("from_on")).exists()


def only_of_purchases() -> list[int]:
    """The rules that hear of purchases alone."""
    others = {
        version.rule_id
        for version in RuleVersion.objects.all()
        if version.definition["condition"]["all"][0] != PURCHASE["all"][0]
    }
    return [pk for pk in Rule.objects.values_list("pk", flat=True) if pk not in others]
