"""Telling the year: a few days at a time come in, points are released, spent, put right and expire, as time goes by."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from django.db import transaction
from django.db.models import Sum

from apps.activity.incoming import IncomingEvent
from apps.activity.models import Source
from apps.activity.services import source_for
from apps.core.clock import start_of_day
from apps.members.services import create_member
from apps.orgs.services import create_api_client
from apps.points import services as points
from apps.points.models import Account
from apps.reports.services import check_ledger, fold_facts
from apps.rules.friends import tell_friends
from apps.rules.pipeline import process
from config.demo.approvals import ask_for_approval
from config.demo.attributes import attributes_of
from config.demo.codes import redeem_caps
from config.demo.group import PASSWORD, Group, make_group
from config.demo.legacy import bring_old_cards
from config.demo.members import Person, draw_people
from config.demo.privacy import ask_members, define_purposes, erase_one
from config.demo.quality import measure_quality, watch_quality
from config.demo.segments import make_segments
from config.demo.twins import enrol_again
from config.demo.unusual import order_unusually
from config.demo.year import ZONE, draw_events

STEP_DAYS = 3
BATCH = 2_000
ENROLLED_AT_ONCE = 500
BRINGS = 20
"""One member in so many was brought by the one who joined their company's list before."""
REWARDS = ((100, "饼干"), (200, "中杯拿铁"), (300, "大杯拿铁"), (500, "马克杯"))
REDEEMS = 0.006
"""How likely it is that somebody who has enough takes a reward within a step."""
APOLOGIES = ("出餐等待过久，致歉补偿", "小票漏录，补登积分", "活动积分漏发，补发")

Tell = Callable[[str], None]


@dataclass
class Told:
    """What came of it."""

    members: int
    events: int = 0
    refused: int = 0
    redemptions: int = 0
    adjustments: int = 0
    old_cards: int = 0
    """Members whom a file of the old card system brought."""
    twins: int = 0
    """Who enrolled a second time."""
    expired_points: int = 0
    requests: int = 0
    points: int = 0
    """The balances of all accounts together, at the end."""
    differences: int = 0
    api_key: str = ""


def make_demo(
    *, members: int, months: int, seed: int, last: date, password: str = PASSWORD, tell: Tell = lambda text: None
) -> Told:
    """Fills an empty database with `months` of the group's life, through the day `last`."""
    first = last - timedelta(days=round(months * 365 / 12) - 1)
    start, end = start_of_day(first, ZONE), start_of_day(last + timedelta(days=1), ZONE)
    group = make_group(start, end, password)
    told = Told(members)
    _, told.api_key = create_api_client(
        group.units["EAST"], code="pos-east", name="门店收银 Tills",
        scopes=["events:write", "members:read", "points:read", "points:redeem"], when=start, actor=group.people["integrator"],
    )  # fmt: skip
    stores = {company: [unit.code for unit in group.stores(company)] for company in ("EAST", "RIVER")}
    people = draw_people(_random(seed, "people"), members, stores, first, last)
    tell(f"{len(group.units)} org units, {len(group.people)} people, {members:,} members …")
    _enrol(group, people, _random(seed, "attributes"), first)
    watch_quality(group.units, end - timedelta(days=14))
    events = draw_events(_random(seed, "events"), people, stores, first, last)
    company_of = {person.card: person.company for person in people}
    _Year(group, company_of, _random(seed, "points"), told, tell).tell_all(events, first, end)
    caps = source_for("app:east", group.units["EAST"])
    told.events += redeem_caps(group, people, caps, _random(seed, "codes"), end)
    told.events += order_unusually(people, source_for("pos:east", group.units["EAST"]), end)
    told.requests = ask_for_approval(group, end)
    define_purposes(group.units, start)
    ask_members(group, _random(seed, "consents"), end)
    erase_one(group, end)
    told.old_cards = bring_old_cards(group, _random(seed, "old cards"), end)
    measure_quality(end)
    make_segments(group, end)
    told.twins = enrol_again(group, people, _random(seed, "twins"), end)
    fold_facts(end)
    told.differences = check_ledger(None, end)
    told.points = Account.objects.aggregate(total=Sum("balance"))["total"] or 0
    return told


def _random(seed: int, what: str) -> Random:
    """Each part draws from a stream of its own, so that a change of one leaves the others as they were."""
    return Random(f"{seed} {what}")  # noqa: S311 -- draws a story, guards nothing


def _enrol(group: Group, people: Sequence[Person], random: Random, first: date) -> None:
    last: dict[str, str] = {}
    for begin in range(0, len(people), ENROLLED_AT_ONCE):
        with transaction.atomic():
            for person in people[begin : begin + ENROLLED_AT_ONCE]:
                create_member(
                    None,
                    group.units[person.store],
                    identifiers=person.identifiers,
                    name=person.name,
                    birth_on=person.birth_on,
                    joined_on=person.joined_on,
                    attributes=attributes_of(random, person, first),
                    referrer=last.get(person.company, "") if person.number % BRINGS == 0 else "",
                    referrer_kind="card",
                    when=start_of_day(person.joined_on, ZONE) + timedelta(hours=10),
                )
                last[person.company] = person.card


class _Year:
    """Walks through the events in steps of a few days."""

    def __init__(self, group: Group, company_of: dict[str, str], random: Random, told: Told, tell: Tell) -> None:
        self.group, self.company_of, self.random, self.told, self.tell = group, company_of, random, told, tell
        self.sources: dict[str, Source] = {
            company: source_for(f"pos:{company.lower()}", group.units[company]) for company in ("EAST", "RIVER")
        }

    def tell_all(self, events: Sequence[IncomingEvent], first: date, end: datetime) -> None:
        begin, day, month = 0, first, 0
        while start_of_day(day, ZONE) < end:
            day += timedelta(days=STEP_DAYS)
            now = min(start_of_day(day, ZONE), end)
            until = bisect_left(events, now, key=lambda event: event.occurred_at)
            self._take(events[begin:until], now)
            begin = until
            points.release_due(now)
            self.told.expired_points += points.expire_due(now).points
            with transaction.atomic():
                self._redeem(now)
                self._put_right(now)
            if now.month != month:
                month = now.month
                self.tell(f"{now.astimezone(ZONE):%Y-%m}: {self.told.events:,} of {len(events):,} events")

    def _take(self, events: Sequence[IncomingEvent], now: datetime) -> None:
        for company, source in self.sources.items():
            mine = [event for event in events if self.company_of[event.member_value] == company]
            for begin in range(0, len(mine), BATCH):
                for result in process(None, source, mine[begin : begin + BATCH], when=now):
                    self.told.events += result.status == "processed"
                    self.told.refused += result.status == "refused"
        tell_friends(now)

    def _redeem(self, now: datetime) -> None:
        """A few of those who have enough take a reward in their store, in the last hours before `now`."""
        for program, code in (("east", "points"), ("river", "leaves")):
            kind = self.group.point_types[program, code]
            rich = Account.objects.filter(point_type=kind, balance__gte=REWARDS[0][0]).order_by("member_id")
            accounts = list(rich.values_list("pk", "balance", "member__home_unit__code"))
            for account_id, balance, store in accounts:
                if self.random.random() > REDEEMS:
                    continue
                cost, reward = self.random.choice([each for each in REWARDS if each[0] <= balance])
                self.told.redemptions += 1
                points.redeem(
                    None, account_id, cost, key=f"demo:redeem:{self.told.redemptions}", unit=self.group.units[store],
                    when=now - timedelta(minutes=self.random.randint(180, 900)), reason=reward,
                )  # fmt: skip

    def _put_right(self, now: datetime) -> None:
        """Now and then customer service makes good what went wrong."""
        for program, code, person in (("east", "points", "service"), ("river", "leaves", "river_service")):
            kind = self.group.point_types[program, code]
            members = list(
                Account.objects.filter(point_type=kind).order_by("member_id").values_list("member_id", flat=True)
            )
            if members and self.random.random() < 0.4:
                self.told.adjustments += 1
                points.adjust(
                    self.group.people[person], self.random.choice(members), kind.pk,
                    self.random.choice((20, 50, 66, 100)), reason=self.random.choice(APOLOGIES),
                    key=f"demo:adjust:{self.told.adjustments}",
                    when=now - timedelta(minutes=self.random.randint(180, 600)),
                )  # fmt: skip
