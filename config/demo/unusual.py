"""Orders that somebody should look at: large ones on the last day, whose points wait for a decision."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from apps.activity.incoming import IncomingEvent, IncomingLine
from apps.activity.models import Event, Source
from apps.rules.pipeline import process
from config.demo.members import Person

BAGS = (12, 18, 30)


def order_unusually(people: Sequence[Person], source: Source, end: datetime) -> int:
    """One order of so many bags of beans each, by the first members of EAST; how many."""
    members = [person for person in people if person.company == "EAST" and person.joined_on < end.date()]
    events = [
        IncomingEvent(
            key=f"unusual:{bags}", kind=Event.Kind.PURCHASE, member_kind="card", member_value=person.card,
            store=person.store, occurred_at=end - timedelta(hours=14 - number), channel="store", order_no=f"unusual-{bags}",
            currency="CNY", lines=(IncomingLine(1, "BEANS-ETH", "beans", Decimal(bags), Decimal(128 * bags), "Harar"),),
        )
        for number, (bags, person) in enumerate(zip(BAGS, members, strict=False))
    ]  # fmt: skip
    return sum(result.status == "processed" for result in process(None, source, events, when=end))
