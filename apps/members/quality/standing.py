"""Where a programme stands: how accurate its data is, whether that is enough to go live, and what a file would make of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, Sum

from apps.conditions.words import Words
from apps.members.models import AttributeDefinition, MemberImport, MemberRow
from apps.members.quality.checks import FILE_ROWS, question, sentence_of
from apps.members.quality.models import SEED_PCT, QualityFigure, QualityGate, QualityRule
from apps.members.querysets import definitions_at, definitions_for
from apps.members.services.rows import today_at
from apps.orgs.models import Program
from apps.orgs.querysets import paths_above


@dataclass(frozen=True)
class Share:
    """How many were judged, and how many of these are at fault."""

    members: int = 0
    at_fault: int = 0

    @property
    def pct(self) -> float | None:
        """How many of a hundred are right; None where nobody was judged."""
        return 100 * (self.members - self.at_fault) / self.members if self.members else None

    def with_(self, other: "Share", times: int = 1) -> "Share":
        return Share(self.members + other.members * times, self.at_fault + other.at_fault * times)


@dataclass(frozen=True)
class Missing:
    """A rule that has less than its share."""

    rule: QualityRule
    sentence: Words
    share: Share


@dataclass(frozen=True)
class Standing:
    """A programme's accuracy over all rules, each as often as it weighs. `is_measured` is false where there is no rule, or none
    was measured yet."""

    program: Program
    wanted_pct: int
    share: Share
    missing: tuple[Missing, ...] = ()

    @property
    def is_measured(self) -> bool:
        return self.share.members > 0

    @property
    def is_ready(self) -> bool:
        return self.share.pct is not None and self.share.pct >= self.wanted_pct

    @property
    def to_correct(self) -> int:
        """How many faults at least are too many, each counted as often as its rule weighs."""
        allowed = self.share.members * (100 - self.wanted_pct) // 100
        return max(0, self.share.at_fault - allowed)


def standings_of(
    programs: Iterable[Program],
    rules: Iterable[QualityRule] | None = None,
    definitions: Sequence[AttributeDefinition] | None = None,
) -> list[Standing]:
    """Of programmes, whoever asks: only to be shown to who reaches all of their members. Two queries, and one each where the
    rules in force and the attributes of these members are not known yet."""
    listed = list(programs)
    if not listed:
        return []
    gates = dict(QualityGate.objects.filter(program__in=listed).values_list("program", "wanted_pct"))
    above = {path for program in listed for path in paths_above(program.unit.path)}
    if rules is None:
        rules = QualityRule.objects.filter(is_active=True).select_related("unit").order_by("pk")
    about = [
        rule
        for rule in rules
        if rule.unit.path in above or any(rule.unit.path.startswith(program.unit.path) for program in listed)
    ]
    parts: dict[str, Any] = {}
    for program in listed:
        here = Q(unit__path__startswith=program.unit.path)
        parts[f"members{program.pk}"] = Sum("members", filter=here, default=0)
        parts[f"fault{program.pk}"] = Sum("at_fault", filter=here, default=0)
    figures = QualityFigure.objects.filter(rule__in=about).values("rule").annotate(**parts).order_by()
    found: dict[int, dict[str, Any]] = {row["rule"]: dict(row) for row in figures}
    if definitions is None:
        definitions = definitions_at([program.unit.path for program in listed])
    standings = []
    for program in listed:
        share, missing = Share(), []
        for rule in about:
            row: dict[str, Any] = found.get(rule.pk, {})
            own = Share(row.get(f"members{program.pk}", 0), row.get(f"fault{program.pk}", 0))
            share = share.with_(own, rule.weight)
            if own.pct is not None and own.pct < rule.wanted_pct:
                missing.append(Missing(rule, sentence_of(rule.field, rule.check_code, definitions), own))
        missing.sort(key=lambda each: each.share.pct or 0)
        standings.append(Standing(program, gates.get(program.pk, SEED_PCT), share, tuple(missing)))
    return standings


QUALITY = "quality"
"""Where a file keeps what `share_of_file` found, among its totals."""


@dataclass(frozen=True)
class Prospect:
    """What a file would make of its programme's accuracy."""

    wanted_pct: int
    before: Share
    after: Share

    @property
    def is_below(self) -> bool:
        """Whether the file is what brings it, or leaves it further, below what the programme wants."""
        before, after = self.before.pct, self.after.pct
        return after is not None and after < self.wanted_pct and (before is None or after < before)


def share_of_file(job: MemberImport) -> dict[str, int]:
    """How many of the new members of a checked file are judged, and how many at fault, over all rules as often as these
    weigh; empty where no rule is about them. One statement over the file's rows, whatever the number of rules."""
    program = job.program
    rules = list(
        QualityRule.objects.filter(is_active=True, unit__path__in=paths_above(program.unit.path)).order_by("pk")
    )
    if not rules:
        return {}
    today, definitions = today_at(program.unit, job.created_at), definitions_for(program.unit)
    counts: dict[str, Any] = {}
    for rule in rules:
        asked = question(rule.field, rule.check_code, today, definitions, FILE_ROWS)
        counts[f"judged{rule.pk}"] = Count("pk", filter=asked.judged)
        counts[f"fault{rule.pk}"] = Count("pk", filter=asked.at_fault)
    found = MemberRow.objects.filter(job=job, state=MemberRow.State.NEW).aggregate(**counts)
    share = Share()
    for rule in rules:
        share = share.with_(Share(found[f"judged{rule.pk}"], found[f"fault{rule.pk}"]), rule.weight)
    return {"members": share.members, "at_fault": share.at_fault}


def prospect_of(job: MemberImport) -> Prospect | None:
    """What a checked file would make of its programme's accuracy; None where no rule is about its members."""
    told = job.totals.get(QUALITY)
    if not told:
        return None
    (standing,) = standings_of([job.program])
    return Prospect(standing.wanted_pct, standing.share, standing.share.with_(Share(told["members"], told["at_fault"])))
