"""How far a member is with the rules that gather, what remainders are carried on, and the member's tags: a block of the
member page."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.core.clock import local_day
from apps.members.models import MemberTag
from apps.members.page import Asked, Block, block
from apps.members.timeline import zone_on
from apps.orgs.querysets import paths_above
from apps.points.member_page import accounts_on
from apps.rules.explain import left_over, measured
from apps.rules.families import nearest, read_families
from apps.rules.models import Progress as Kept
from apps.rules.models import Rule, RuleVersion
from apps.rules.periods import period_after
from apps.rules.progress import NOTHING, Gatherer, Progress
from apps.rules.reading import reaching_beyond
from apps.rules.sentences import Names, goal_words
from apps.rules.snapshot import gatherers_of
from apps.segments.models import Tag

MOST_TAGS = 200
"""Tags read for one page, the latest."""


@dataclass(frozen=True)
class Live:
    """A version in force that gathers; `day` is the programme's local day."""

    version: RuleVersion
    family: int
    day: date

    @property
    def unit_path(self) -> str:
        return str(self.version.rule.unit.path)

    def gatherers(self) -> Iterator[tuple[str, Gatherer]]:
        return gatherers_of(self.version.definition)


@dataclass(frozen=True)
class Goal:
    """One goal as the page shows it; `last_on` is the last day of the period that is gathered in."""

    rule: str
    what: str
    said: str
    done: Decimal
    goal: Decimal
    last_on: date | None
    is_reached: bool

    @property
    def ratio(self) -> str:
        """For the bar: how much of it is filled, of 1."""
        return f"{self.done / self.goal:.4f}"


@dataclass
class Held:
    """A tag as the page shows it, by its label: `rule` is what gave it, `since` stands only where that is still to come, and
    `last_on` is empty without end."""

    tag: str
    rule: str
    since: date | None
    last_on: date | None
    by_condition: bool = False
    by_hand: bool = False


@dataclass
class Standing:
    """What the block shows."""

    goals: list[Goal] = field(default_factory=list)
    carried: list[str] = field(default_factory=list)
    tags: list[Held] = field(default_factory=list)


@block(order=15, permission="activity.view_event")
def goals(asked: Asked) -> Block | None:
    """Six queries at most, however many rules there are."""
    live = _live(asked)
    standing = Standing(tags=_tags(asked))
    known = _known(asked, live)
    here = nearest(each for each in live if asked.member.home_unit.path.startswith(each.unit_path))
    for each in live:
        for name, gatherer in each.gatherers():
            kept = known.get((each.version.rule_id, name, gatherer.start(each.day)))
            if name.startswith("carry"):
                standing.carried += _carried(each, gatherer, kept or NOTHING)
            elif kept is not None or each in here:
                standing.goals.append(_goal(each, gatherer, kept or NOTHING))
    standing.goals.sort(key=lambda goal: not goal.done)
    is_empty = not (standing.goals or standing.carried or standing.tags)
    return None if is_empty else Block(_("Progress"), "rules/member_goals.html", standing)


def in_force(asked: Asked) -> list[RuleVersion]:
    """The versions in force in the programmes in which the member has points, in the order of their rules."""
    programs = {account.point_type.program_id for account in asked.once(accounts_on)}
    seen = reaching_beyond(RuleVersion.objects.visible_to(asked.person), asked.when)
    found = seen.filter(starts_at__lte=asked.when, rule__program__in=programs).order_by("rule_id")
    return list(found.select_related("rule__program", "rule__unit", "rule__overrides"))


def _live(asked: Asked) -> list[Live]:
    versions = asked.once(in_force)
    families = read_families() if any(map(_gathers, versions)) else {}
    return [
        Live(version, families.get(version.rule_id, 0), local_day(asked.when, _zone(version.rule)))
        for version in versions
    ]


def _gathers(version: RuleVersion) -> bool:
    written = version.definition
    return "accumulator" in written or any(effect.get("rounding") == "carry" for effect in written["effects"])


def _known(asked: Asked, live: Iterable[Live]) -> dict[tuple[int, str, date], Progress]:
    """What the member has gathered in the periods of today."""
    wanted = {(each.version.rule_id, gatherer.start(each.day)) for each in live for _name, gatherer in each.gatherers()}
    rows = Kept.objects.visible_to(asked.person).filter(
        member=asked.member, rule__in={rule for rule, _start in wanted}, start__in={start for _rule, start in wanted}
    )
    return {(row.rule_id, row.name, row.start): Progress.from_json(str(row.value), row.state) for row in rows}


def _goal(live: Live, accumulator: Any, progress: Progress) -> Goal:
    written, currency = live.version.definition["accumulator"], live.version.rule.program.currency
    done, goal = accumulator.shown_on(progress, live.day)
    says = {"done": measured(written["of"], done, currency), "goal": measured(written["of"], goal, currency)}
    what = goal_words(written, Names(currency), get_language() or "en")
    is_ever = written["period"] == "ever"
    return Goal(
        live.version.rule.name, what[:1].upper() + what[1:], _("%(done)s of %(goal)s") % says, done, goal,
        None if is_ever else period_after(written["period"], live.day) - timedelta(days=1),
        not accumulator.every and done >= goal,
    )  # fmt: skip


def _carried(live: Live, rate: Any, progress: Progress) -> list[str]:
    rest, _per = rate.shown(progress)
    said = left_over(rate.measures, rest, live.version.rule.program.currency)
    return [_("%(rest)s carried on: %(rule)s") % {"rest": said, "rule": live.version.rule.name}] if rest else []


def _tags(asked: Asked) -> list[Held]:
    """The tags that hold or are to hold, those of one rule without a gap as one."""
    nearly_over = local_day(asked.when, ZoneInfo("UTC")) - timedelta(days=1)
    lasting = Q(until_on__isnull=True) | Q(until_on__gt=nearly_over)
    rows = MemberTag.objects.visible_to(asked.person).filter(lasting, member=asked.member)
    latest = sorted(
        rows.exclude(until_on=F("from_on")).order_by("-pk")[:MOST_TAGS],
        key=lambda row: (row.tag, row.rule_id or 0, row.from_on),
    )
    seen = Rule.objects.visible_to(asked.person).filter(pk__in={row.rule_id for row in latest})
    rules = {rule.pk: rule for rule in seen.select_related("program")}
    labels = _labels(asked, latest)
    spans: list[MemberTag] = []
    for row in latest:
        before = spans[-1] if spans and (spans[-1].tag, spans[-1].rule_id) == (row.tag, row.rule_id) else None
        if before is None or (before.until_on is not None and before.until_on < row.from_on):
            spans.append(row)
        elif before.until_on is not None:
            before.until_on = row.until_on and max(before.until_on, row.until_on)
    held = []
    for row in spans:
        rule = rules.get(row.rule_id or 0)
        today = local_day(asked.when, _zone(rule) if rule else asked.once(zone_on))
        if row.until_on is None or row.until_on > today:
            last_on = row.until_on and row.until_on - timedelta(days=1)
            since = row.from_on if row.from_on > today else None
            label = labels.get(row.tag, row.tag)
            held.append(
                Held(label, rule.name if rule else "", since, last_on, row.definition_id is not None, row.is_by_hand)
            )
    return held


def _labels(asked: Asked, held: Iterable[MemberTag]) -> dict[str, str]:
    """What the tags are called, by their keys; nothing of those that are defined nowhere."""
    near = Q(program__unit__path__in=paths_above(asked.member.home_unit.path))
    tags = Tag.objects.visible_to(asked.person).filter(near | Q(pk__in={row.definition_id for row in held}))
    keys = {row.tag for row in held}
    return {tag.key: str(tag) for tag in tags.filter(key__in=keys)} if keys else {}


def _zone(rule: Rule) -> ZoneInfo:
    return ZoneInfo(rule.program.time_zone)
