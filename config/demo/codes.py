"""Codes under the caps of cold-brew bottles: a batch of them, some of which members redeem in the last weeks."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from apps.activity.incoming import IncomingEvent
from apps.activity.models import Event, Source
from apps.rules.codes import services
from apps.rules.codes.models import CodeBatch
from apps.rules.pipeline import process
from config.demo.group import Group
from config.demo.members import Person

PRIZES = [
    {"name": "grand", "wins": 1, "out_of": 1_000},
    {"name": "bottle", "wins": 1, "out_of": 50},
    {"name": "small", "wins": 1, "out_of": 10},
]
CODES = 2_000
WEEKS = 3
REDEEMED = 0.2
"""Of the codes, where there are members enough for it."""
EACH = 4


def redeem_caps(group: Group, people: Sequence[Person], source: Source, random: Random, end: datetime) -> int:
    """Makes the batch and has members of EAST redeem some of its codes until `end`; how many."""
    author, start = group.people["marketing"], end - timedelta(weeks=WEEKS)
    batch = services.create_batch(
        author, group.programs["east"], group.units["EAST"], code="cold-brew-caps", name="冷萃瓶盖 Cold-brew caps", size=CODES,
        starts_on=start.date(), prizes=PRIZES, when=start,
    )  # fmt: skip
    services.start_making(author, batch, when=start)
    while CodeBatch.objects.get(pk=batch.pk).state == CodeBatch.State.MAKING:
        services.make_part(batch.pk, when=start)
    codes = [code for _number, code in services.download(author, batch, when=start + timedelta(hours=1))]
    members = [person for person in people if person.company == "EAST"]
    redeemed = random.sample(codes, min(round(CODES * REDEEMED), EACH * len(members)))
    events = [
        IncomingEvent(
            key=f"caps:{number}", kind=Event.Kind.CODE, member_kind="card", member_value=person.card, store=person.store,
            occurred_at=end - timedelta(minutes=random.randint(30, WEEKS * 7 * 24 * 60 - 24 * 60)), channel="app",
            attributes={"code": code},
        )
        for number, code in enumerate(redeemed)
        for person in [random.choice(members)]
    ]  # fmt: skip
    events.sort(key=lambda event: event.occurred_at)
    return sum(result.status == "processed" for result in process(None, source, events, when=end))
