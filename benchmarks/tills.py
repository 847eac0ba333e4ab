"""A till: sends purchases down the product's road, then has the limit write the very same for other members."""

from dataclasses import replace
from datetime import timedelta
from itertools import count, islice
from typing import Any

import orjson
import psycopg
from django.db import connection

from apps.activity.incoming import IncomingEvent
from apps.core.clock import local_day
from apps.members.crypto import lookup_hash
from apps.rules import snapshot
from apps.rules.pipeline import Processed, process
from benchmarks.measuring import rate_of
from benchmarks.world import NOW, World, card, purchase


class Till:
    """Till `number` of `tills` serves members of its own. The limit's members are those of the other half."""

    def __init__(self, world: World, number: int = 0, tills: int = 1, later: timedelta = timedelta(0)) -> None:
        self.world, self.number, self.tills, self.later = world, number, tills, later
        self.half = world.members // 2
        self.turns = count()
        self.told: list[tuple[IncomingEvent, Processed]] = []
        """What the product was told and answered, and the limit has still to write."""

    def product(self, size: int, batch: int = 1) -> float:
        """Purchases a second through the service, `batch` at a time."""
        events = [self._purchase(turn) for turn in islice(self.turns, size)]
        results: list[Processed] = []

        def send() -> None:
            for start in range(0, size, batch):
                results.extend(process(None, self.world.product, events[start : start + batch], when=NOW))

        rate = rate_of(size, send)
        self.told += zip(events, results, strict=True)
        return rate

    def limit(self, size: int) -> float:
        """The same purchases a second, by one call of a function each."""
        rows = [self._row(*told) for told in self.told]
        self.told.clear()
        calls = [
            (self.world.limit.pk, r["key"], r["hash"], "card", r["idh"], self.world.group.east.pk, r["unit"], r["at"],
             r["day"], r["amount"], r["channel"], r["order_no"], NOW, *map(list, zip(*r["lines"], strict=True)),
             self.world.group.point_types["east"].pk, 10_000, *map(list, zip(*r["points"], strict=True)), r["answer"])
            for r in rows
        ]  # fmt: skip
        statement = f"SELECT benchmark_award({', '.join(['%s'] * len(calls[0]))})"
        with raw_connection() as raw:
            raw.execute("SELECT 1")
            return rate_of(len(calls), lambda: [raw.execute(statement, call, prepare=True) for call in calls])

    def limit_batch(self, size: int) -> float:
        """The same purchases a second: COPY into staging tables, then INSERT … SELECT."""
        rows = [self._row(*told) for told in self.told]
        self.told.clear()
        with raw_connection() as raw:
            return rate_of(len(rows), lambda: self._copy(raw, rows))

    def _copy(self, raw: psycopg.Connection[Any], rows: list[dict[str, Any]]) -> None:
        tables = {
            "benchmark_event": [
                (r["key"], r["hash"], "card", r["idh"], r["unit"], r["at"], r["day"], r["amount"], r["channel"],
                 r["order_no"], r["total"], r["answer"])
                for r in rows
            ],
            "benchmark_line": [(r["key"], n, *line) for r in rows for n, line in enumerate(r["lines"], 1)],
            "benchmark_point": [(r["key"], 0, *points) for r in rows for points in r["points"]],
        }  # fmt: skip
        with raw.transaction(), raw.cursor() as cursor:
            cursor.execute("TRUNCATE benchmark_event, benchmark_line, benchmark_point")
            for table, values in tables.items():
                with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                    for value in values:
                        copy.write_row(value)
            cursor.execute(
                "SELECT benchmark_award_batch(%s, %s, %s, %s, %s)",
                (self.world.limit.pk, self.world.group.east.pk, self.world.group.point_types["east"].pk, 10_000, NOW),
            )

    def _purchase(self, turn: int) -> IncomingEvent:
        told = purchase(f"p{self.number}-{turn}", (turn * self.tills + self.number) % self.half, turn)
        return replace(told, occurred_at=told.occurred_at + self.later)

    def _row(self, event: IncomingEvent, result: Processed) -> dict[str, Any]:
        """All that the limit has to write, worked out beforehand."""
        assert result.answer is not None
        copy = snapshot.current()
        rules = {version.live.version_id: version.live for version in copy.programs[self.world.group.east.pk].versions}
        won = [(award["points"], rules[award["version_id"]]) for award in result.answer["awards"]]
        member = int(event.member_value[1:]) + self.half
        return {
            "key": "l" + event.key[1:],
            "hash": event.content_hash(),
            "idh": lookup_hash("card", card(member)),
            "unit": copy.units[event.store or ""].id,
            "at": event.occurred_at,
            "day": local_day(event.occurred_at, copy.programs[self.world.group.east.pk].zone),
            "amount": event.amount,
            "channel": event.channel,
            "order_no": event.order_no,
            "lines": [(line.sku, line.category, line.quantity, line.amount) for line in event.lines],
            "points": [(points, rule.rule_id, rule.version_id, bool(rule.limits)) for points, rule in won],
            "total": result.points,
            "answer": orjson.dumps(result.answer | {"key": "l" + event.key[1:]}).decode(),
        }


def raw_connection() -> psycopg.Connection[Any]:
    """A plain psycopg connection of the application's role, with nothing of Django around it."""
    config = connection.settings_dict
    return psycopg.connect(
        host=config["HOST"] or None, port=config["PORT"] or None, user=config["USER"] or None,
        password=config["PASSWORD"] or None, dbname=config["NAME"], autocommit=True, prepare_threshold=0,
    )  # fmt: skip
