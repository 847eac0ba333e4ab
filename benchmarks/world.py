"""The world that is measured: the coffee group, twenty live rules of four conditions, members and their purchases."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, connections

from apps.activity.incoming import IncomingEvent, IncomingLine
from apps.activity.models import Source
from apps.activity.services import source_for
from apps.members.crypto import lookup_hash, tail_hash
from apps.rules.models import Rule, RuleVersion
from apps.rules.pipeline import process
from tests import databases
from tests.factories import CoffeeGroup, make_group

START = datetime(2026, 3, 2, 4, tzinfo=UTC)
NOW = START + timedelta(days=300)
STORES = ("S001", "S002", "S003")
CATEGORIES = ("coffee", "tea", "cake", "gift", "beans")


@dataclass(frozen=True)
class World:
    """Members are numbered from 0: the first half shops through the product, the second through the limit."""

    group: CoffeeGroup
    members: int
    product: Source
    limit: Source


@contextmanager
def world(label: str, members: int) -> Iterator[World]:
    """A scratch database with the group, its rules and its members; dropped afterwards."""
    with databases.scratch(label):
        group = make_group()
        publish_rules(group)
        enrol(group, members)
        shop_before(group, members)
        settle()
        unit = group.units["EAST"]
        yield World(group, members, source_for("product", unit), source_for("limit", unit))
        for alias in connections:
            connections[alias].close()


def conditions() -> list[dict[str, Any]]:
    """Twenty conditions of four leaves. The first holds for every purchase, the second for every other one; most
    of the rest fail at their second, third or last leaf, as the rules of a busy programme do."""
    purchase = {"field": "event.kind", "op": "eq", "value": "purchase"}
    paid = {"field": "event.amount", "op": "gt", "value": "0"}
    east = {"field": "event.store", "op": "within", "value": ["EAST"]}
    joined = {"field": "member.joined_on", "op": "ge", "value": "2020-01-01"}
    made: list[dict[str, Any]] = [
        {"all": [purchase, paid, east, joined]},
        {"all": [purchase, paid, joined, {"field": "event.channel", "op": "eq", "value": "app"}]},
    ]
    for number in range(6):
        large = {"field": "event.amount", "op": "ge", "value": str(1_000 + number)}
        made.append({"all": [purchase, large, east, joined]})
    for number in range(6):
        region = {"field": "event.store", "op": "within", "value": ["WEST-N"]}
        early = {"field": "event.hour", "op": "lt", "value": number + 1}
        made.append({"all": [purchase, joined, region, early]})
    for number in range(6):
        level = {"field": "member.attributes.level", "op": "eq", "value": f"gold{number}"}
        made.append({"all": [purchase, paid, joined, level]})
    return made


def effects(number: int) -> list[dict[str, Any]]:
    if number % 2:
        return [{"effect": "fixed_points", "point_type": "points", "points": 5}]
    terms = {"points": "1", "per": "1.00", "rounding": "down", "lines": None}
    return [{"effect": "points_per_amount", "point_type": "points", **terms}]


def publish_rules(group: CoffeeGroup) -> None:
    for number, condition in enumerate(conditions()):
        rule = Rule.objects.create(
            program=group.east, unit=group.units["EAST"], code=f"rule{number}", name=f"Rule {number}", created_at=START
        )
        cap = [{"per": "member", "period": "day", "of": "points", "most": 1_000_000}] if number == 1 else []
        RuleVersion.objects.create(
            rule=rule,
            number=1,
            state="published",
            definition={"condition": condition, "effects": effects(number), "limits": cap},
            starts_at=datetime(2020, 1, 1, tzinfo=UTC),
            created_at=START,
            published_at=START,
        )


LIMITED_FROM = START + timedelta(days=100)


def limit_rules() -> None:
    """From LIMITED_FROM on, the rules that give points do so within four limits each, which nobody reaches."""
    limits = [
        {"per": per, "period": period, "of": of, "most": 10**9}
        for per, period, of in (("member", "day", "points"), ("member", "month", "times"), ("store", "day", "points"),
                                ("programme", "ever", "points"))
    ]  # fmt: skip
    for version in RuleVersion.objects.filter(rule__code__in=("rule0", "rule1")):
        RuleVersion.objects.filter(pk=version.pk).update(ends_at=LIMITED_FROM)
        version.pk, version.number, version.starts_at = None, 2, LIMITED_FROM
        version.definition |= {"limits": limits}
        version.save()


def gathering_rules() -> None:
    """From LIMITED_FROM on, one of the rules that give points carries its remainder on, the other counts events and fires
    at each: they gather, and give what they gave before."""
    each = {"of": "events", "at": "1", "fires": "step", "period": "year", "lines": None, "attribute": ""}
    carried = effects(0)[0] | {"rounding": "carry"}
    more = {"rule0": {"effects": [carried]}, "rule1": {"accumulator": each, "limits": []}}
    for version in RuleVersion.objects.filter(rule__code__in=more).select_related("rule"):
        RuleVersion.objects.filter(pk=version.pk).update(ends_at=LIMITED_FROM)
        version.pk, version.number, version.starts_at = None, 2, LIMITED_FROM
        version.definition |= more[version.rule.code]
        version.save()


def enrol(group: CoffeeGroup, members: int) -> None:
    """Many members with a card each, in seconds."""
    stores = [group.units[code].pk for code in STORES]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO members_member (home_unit_id, state, joined_on, masked_name, attributes, created_at)"
            " SELECT (%s::bigint[])[1 + n %% 3], 'active', '2026-01-01', 'M***' || n, '{\"level\": \"silver\"}', %s"
            " FROM generate_series(0, %s - 1) AS n RETURNING id",
            [stores, START, members],
        )
        ids = [pk for (pk,) in cursor.fetchall()]
        columns = "member_id, kind, value_cipher, value_hash, tail_hash, masked, created_at"
        with cursor.cursor.copy(f"COPY members_identifier ({columns}) FROM STDIN") as copy:
            for number, pk in enumerate(ids):
                name = card(number)
                hashes = lookup_hash("card", name), tail_hash(name[-4:])
                copy.write_row((pk, "card", b"\x01", *hashes, f"****{name[-4:]}", START))


def shop_before(group: CoffeeGroup, members: int) -> None:
    """Some history for both halves alike: plans made on empty tables would tell nothing."""
    source = source_for("before", group.units["EAST"])
    for half in (0, members // 2):
        some = range(min(2_000, members // 2))
        process(None, source, [purchase(f"{half}-{n}", half + n, n + 50_000) for n in some], when=NOW)


def card(number: int) -> str:
    return f"C{number:07d}"


def settle() -> None:
    """Statistics and visibility as on a database that has been running for a while."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def purchase(key: str, member: int, number: int) -> IncomingEvent:
    """The `number`-th purchase; everything about it but its key and its member follows from the number."""
    lines = tuple(
        IncomingLine(line + 1, f"A{(number + line) % 50}", CATEGORIES[(number + line) % 5], Decimal(1 + line), price)
        for line, price in enumerate((Decimal(f"{10 + number % 90}.50"), Decimal(f"{5 + number % 7}.25")))
    )
    return IncomingEvent(
        key=key,
        kind="purchase",
        member_kind="card",
        member_value=card(member),
        occurred_at=START + timedelta(minutes=number % 100_000),
        store=STORES[number % 3],
        channel="app" if number % 2 else "till",
        order_no=f"O{number}",
        lines=lines,
    )


def written(source: Source) -> list[Any]:
    """All that one source's events wrote, but for the numbers of rows: what product and limit must agree on."""
    with connection.cursor() as cursor:
        found = []
        for statement in WRITTEN:
            cursor.execute(statement, {"source": source.pk})
            found.append(cursor.fetchall())
    return found


# Keys begin with `p` or `l`, and members with the same place in their half stand for each other.
WRITTEN = (
    """SELECT substr(key, 2), content_hash IS NULL, program_id, org_unit_id, kind, occurred_at, day, amount, channel,
              order_no, refund_of_id, device, attributes, received_at
       FROM activity_event WHERE source_id = %(source)s ORDER BY 1""",
    """SELECT substr(key, 2), line_no, sku, category, quantity, l.amount
       FROM activity_eventline l JOIN activity_event e ON e.id = event_id WHERE source_id = %(source)s ORDER BY 1, 2""",
    """SELECT substr(e.key, 2), p.kind, p.points, p.pending_points, p.day, p.posted_at, p.org_unit_id, n.kind,
              n.points, n.cost_micros, n.rule_id, n.rule_version_id, l.earned, l.remaining, l.expires_at, l.earned_at,
              l.is_pending, l.unit_cost_micros, l.funder_id, l.rule_id
       FROM points_posting p JOIN activity_event e ON e.id = p.event_id JOIN points_entry n ON n.posting_id = p.id
       JOIN points_lot l ON l.id = n.lot_id WHERE source_id = %(source)s ORDER BY 1, n.rule_id""",
    """SELECT substr(key, 2), points, answer - 'event' - 'key'
       FROM rules_outcome o JOIN activity_event e ON e.id = event_id WHERE source_id = %(source)s ORDER BY 1""",
    """SELECT dense_rank() OVER (ORDER BY d.member_id), d.day, d.events, purchases, spent, refunds, check_ins, c.rule_id,
              c.period, c.points, c.times, a.balance, a.pending, a.held, a.debt, a.earned_total
       FROM activity_memberday d JOIN points_account a ON a.member_id = d.member_id
       LEFT JOIN rules_counter c ON c.member_id = d.member_id AND c.start = d.day
       WHERE d.member_id IN (SELECT member_id FROM activity_event WHERE source_id = %(source)s) ORDER BY 1, 2, 8""",
)
