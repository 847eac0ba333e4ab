"""What rules had counted of a member goes along with a merge: what their limits count, what they gather toward goals, and
the remainders they carry on. Both are a member's own, and locked with the member."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple

import orjson
from django.db import connection
from django.db.models import Count
from django.utils.translation import get_language

from apps.conditions.words import Words
from apps.core.formats import number
from apps.members.merging.models import Merge
from apps.members.merging.parts import Beside, Part, register
from apps.orgs.gate import Line
from apps.rules.evaluate import Card
from apps.rules.explain import measured
from apps.rules.joining import joined, parted
from apps.rules.models import Counter, Progress, Rule, RuleVersion
from apps.rules.progress import NOTHING, Gatherer
from apps.rules.progress import Progress as Gathered
from apps.rules.snapshot import gatherers_of

LIMITS, GOALS = Words("Counts of limits", "限额计数"), Words("Goals and stamp cards begun", "进行中的目标和集章卡")
_FIGURES = ("points", "times", "amount_micros", "pieces_micros", "cost_micros")
_ADD = """ON CONFLICT (member_id, start, period, rule_id) DO UPDATE SET
        points = known.points + excluded.points, times = known.times + excluded.times,
        amount_micros = known.amount_micros + excluded.amount_micros,
        pieces_micros = known.pieces_micros + excluded.pieces_micros,
        cost_micros = known.cost_micros + excluded.cost_micros"""
_MOVE = f"""
WITH moving AS (DELETE FROM rules_counter WHERE member_id = %(gone)s RETURNING *),
added AS (
    INSERT INTO rules_counter AS known
        (member_id, rule_id, period, start, points, times, amount_micros, pieces_micros, cost_micros)
    SELECT %(kept)s, rule_id, period, start, points, times, amount_micros, pieces_micros, cost_micros FROM moving
    {_ADD}
)
SELECT rule_id, period, start, points, times, amount_micros, pieces_micros, cost_micros FROM moving
ORDER BY rule_id, period, start
"""  # noqa: S608 -- our own text
# What moved goes back, as far as it is there; who is left with nothing of it keeps no row.
_MOVE_BACK = f"""
WITH back AS (
    SELECT known.id, told.rule_id, told.period, told.start, least(known.points, told.points) AS points,
           least(known.times, told.times) AS times, least(known.amount_micros, told.amount_micros) AS amount_micros,
           least(known.pieces_micros, told.pieces_micros) AS pieces_micros,
           least(known.cost_micros, told.cost_micros) AS cost_micros,
           known.points <= told.points AND known.times <= told.times AS is_all
    FROM jsonb_to_recordset(%(told)s::jsonb)
         AS told(rule_id bigint, period text, start date, points bigint, times int, amount_micros bigint,
                 pieces_micros bigint, cost_micros bigint)
    JOIN rules_counter known ON known.member_id = %(kept)s AND known.start = told.start AND known.period = told.period
                                AND known.rule_id = told.rule_id
), lowered AS (
    UPDATE rules_counter known SET
        points = known.points - back.points, times = known.times - back.times,
        amount_micros = known.amount_micros - back.amount_micros,
        pieces_micros = known.pieces_micros - back.pieces_micros, cost_micros = known.cost_micros - back.cost_micros
    FROM back WHERE back.id = known.id AND NOT back.is_all
), removed AS (
    DELETE FROM rules_counter known USING back WHERE back.id = known.id AND back.is_all
), given AS (
    INSERT INTO rules_counter AS known
        (member_id, rule_id, period, start, points, times, amount_micros, pieces_micros, cost_micros)
    SELECT %(gone)s, rule_id, period, start, points, times, amount_micros, pieces_micros, cost_micros FROM back
    {_ADD}
)
SELECT count(*) FROM back
"""  # noqa: S608 -- our own text


class Moved(NamedTuple):
    """One card of the gone member as it was, and the kept member's before both were joined, where there was one."""

    card: Card
    gone: Gathered
    kept: Gathered | None

    def to_json(self) -> list[Any]:
        return [*self.card, _written(self.gone), self.kept and _written(self.kept)]

    @classmethod
    def from_json(cls, written: Sequence[Any]) -> "Moved":
        rule, name, start, gone, kept = written
        return cls(
            Card(rule, name, date.fromisoformat(start)), Gathered.from_json(*gone), kept and Gathered.from_json(*kept)
        )


class MovedCounts(Part):
    """Counters of limits, and cards."""

    code: ClassVar[str] = "rules"
    labels: ClassVar = {"limits": LIMITS, "goals": GOALS}

    def beside(self, person: Any, members: Sequence[int]) -> Sequence[Beside]:
        return [
            Beside(words, {member: number(count) for member, count in found.items() if count})
            for words, found in (
                (LIMITS, _counts(Counter, members, person)),
                (GOALS, _counts(Progress, members, person)),
            )
        ]

    def lines(self, source: int, target: int, merge: Merge | None) -> Sequence[Line]:
        if merge is None:
            limits, goals = (_counts(kind, [source]).get(source, 0) for kind in (Counter, Progress))
        else:
            limits, goals = (len(merge.moved.get("rules", {}).get(part, ())) for part in ("counters", "cards"))
        return [Line(name, 0, count, "number") for name, count in (("limits", limits), ("goals", goals)) if count]

    def told(self, merge: Merge) -> Sequence[tuple[Words, str]]:
        moved, returned = merge.moved.get("rules", {}), merge.returned.get("rules", {})
        lines = [
            (Words("Counts of limits that moved", "已转移的限额计数"), len(moved.get("counters", ()))),
            (Words("Goals and stamp cards that moved", "已转移的目标和集章卡"), len(moved.get("cards", ()))),
            (Words("Counts of limits that came back", "已退回的限额计数"), returned.get("counters", 0)),
            (Words("Goals and stamp cards that came back", "已退回的目标和集章卡"), returned.get("cards", 0)),
        ]
        stayed = _stayed_in_words(returned.get("stayed", ()))
        used = Words("Used toward a goal meanwhile, which stayed", "期间已用于目标而留下的进度")
        return [*((words, number(count)) for words, count in lines if count), *([(used, stayed)] if stayed else [])]

    def move(self, merge: Merge, actor: Any, when: datetime) -> dict[str, Any]:
        """The counters that were added to the kept member's, and the cards that were joined with that one's."""
        with connection.cursor() as cursor:
            cursor.execute(_MOVE, {"kept": merge.kept_id, "gone": merge.gone_id})
            counters = [dict(zip(("rule_id", "period", "start", *_FIGURES), row, strict=True)) for row in cursor]
        kept, gone = (_cards(member) for member in (merge.kept_id, merge.gone_id))
        gatherers = _gatherers({card.rule_id for card in gone}, when)
        moved = [Moved(card, progress, kept.get(card)) for card, progress in gone.items()]
        _write(merge.kept_id, {each.card: _joined(each, gatherers) for each in moved})
        Progress.objects.filter(member=merge.gone_id).delete()
        return {"counters": counters, "cards": [each.to_json() for each in moved]}

    def move_back(self, merge: Merge, actor: Any, when: datetime) -> dict[str, Any]:
        """How many counters and cards came back, and of which cards how much did not, since it was used."""
        told = merge.moved.get("rules", {"counters": [], "cards": []})
        with connection.cursor() as cursor:
            told_counters = orjson.dumps(told["counters"]).decode()
            cursor.execute(_MOVE_BACK, {"kept": merge.kept_id, "gone": merge.gone_id, "told": told_counters})
            [(counters,)] = cursor.fetchall()
        moved = [Moved.from_json(each) for each in told["cards"]]
        now, gatherers = _cards(merge.kept_id), _gatherers({each.card.rule_id for each in moved}, when)
        kept: dict[Card, Gathered] = {}
        gone: dict[Card, Gathered] = {}
        stayed = []
        for each in moved:
            left, back = _parted(each, now.get(each.card, NOTHING), gatherers)
            kept[each.card], gone[each.card] = left, back
            if used := each.gone.value - back.value or len(each.gone.seen) - len(back.seen):
                stayed.append([each.card.rule_id, each.card.name, str(used)])
        _write(merge.kept_id, kept)
        _write(merge.gone_id, gone)
        return {"counters": counters, "cards": sum(progress != NOTHING for progress in gone.values()), "stayed": stayed}


def _joined(moved: Moved, gatherers: Mapping[tuple[int, str], Gatherer]) -> Gathered:
    return joined(moved.kept or NOTHING, moved.gone, gatherers.get(moved.card[:2]))


def _parted(moved: Moved, now: Gathered, gatherers: Mapping[tuple[int, str], Gatherer]) -> tuple[Gathered, Gathered]:
    """Both as they were, where nothing was gathered since; else what `parted` makes of them."""
    gatherer = gatherers.get(moved.card[:2])
    if _is_untouched(moved, now, gatherer):
        return moved.kept or NOTHING, moved.gone
    return parted(now, moved.gone, gatherer)


def _is_untouched(moved: Moved, now: Gathered, gatherer: Gatherer | None) -> bool:
    """Whether the card is as it was joined; what was due then by another version of the rule is of no matter."""
    was = joined(moved.kept or NOTHING, moved.gone, gatherer)
    return (was.value, was.seen, was.run, was.fired) == (now.value, now.seen, now.run, now.fired)


def _cards(member_id: int) -> dict[Card, Gathered]:
    rows = Progress.objects.filter(member=member_id).order_by("rule_id", "name", "start")
    return {
        Card(row.rule_id, row.name, row.start): Gathered.from_json(str(row.value), row.state) for row in rows
    }  # fmt: skip


def _write(member_id: int, cards: Mapping[Card, Gathered]) -> None:
    """Writes those cards of the member; of what nothing is left there is none. Two statements at most."""
    rows = [
        Progress(member_id=member_id, **card._asdict(), value=progress.value, state=progress.to_json())
        for card, progress in cards.items()
    ]
    Progress.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["member", "start", "rule", "name"], update_fields=["value", "state"]
    )
    if any(progress == NOTHING for progress in cards.values()):
        Progress.objects.filter(member=member_id, value=0, state={}).delete()


def _written(progress: Gathered) -> list[Any]:
    return [format(progress.value, "f"), progress.to_json()]


def _gatherers(rules: Collection[int], when: datetime) -> dict[tuple[int, str], Gatherer]:
    """What gathers by the latest version of each rule that began, by rule and name. One query."""
    if not rules:
        return {}
    versions = RuleVersion.objects.filter(rule__in=rules, starts_at__lte=when).exclude(state=RuleVersion.State.DRAFT)
    latest = versions.order_by("rule_id", "-starts_at", "-number").distinct("rule_id")
    return {
        (rule, name): gatherer
        for rule, definition in latest.values_list("rule_id", "definition")
        for name, gatherer in gatherers_of(definition)
    }


def _counts(kind: Any, members: Sequence[int], person: Any = None) -> dict[int, int]:
    rows = kind.objects.all() if person is None else kind.objects.visible_to(person)
    found = rows.filter(member__in=members).order_by().values("member").annotate(count=Count("pk"))
    return dict(found.values_list("member", "count"))


def _stayed_in_words(stayed: Iterable[Sequence[Any]]) -> str:
    """“Coffee card: 4”, rule by rule. One query."""
    stayed = list(stayed)
    rules = Rule.objects.select_related("program").in_bulk({rule for rule, _name, _used in stayed}) if stayed else {}
    comma = "；" if (get_language() or "en").startswith("zh") else "; "
    return comma.join(
        f"{rules[rule].name}: {measured(name, Decimal(used), rules[rule].program.currency)}"
        for rule, name, used in stayed
        if rule in rules
    )


register(MovedCounts())
