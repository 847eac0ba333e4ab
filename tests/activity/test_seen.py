"""What is offered while somebody writes a condition: what the latest events they may see said, the commonest first."""

from apps.activity.seen import values_seen
from apps.members.services import create_member
from tests.factories import Cast, CoffeeGroup
from tests.rules.conftest import START, line, make_till, publish, purchase
from tests.rules.test_progress import tag


def test_values_are_offered_from_events_one_may_see(group: CoffeeGroup, cast: Cast) -> None:
    basket = (
        line("3", "latte", "L1", number=1),
        line("5", "beans", "B1", number=2, brand="Harar"),
        line("9", "beans", "", number=3),
    )
    publish(group, tag("big", days=30), unit="EAST")
    told = {"app_version": "7", "night": True}
    make_till(group).send(
        purchase("17", lines=basket, channel="app", attributes=told), purchase("2", lines=(line("2", ""),))
    )
    for number, tags in enumerate((["regular", "vegan"], ["regular"])):
        values = {"level": 3, "tags": tags}
        create_member(None, group["S001"], identifiers=[("card", f"T{number}")], attributes=values, when=START)
    assert values_seen(cast.marketing) == {
        "event.kind": ["purchase"], "event.channel": ["app"], "line.brand": ["Harar"], "line.category": ["beans", "latte"],
         "line.sku": ["A1", "B1", "L1"], "member.tags": ["big"],
        "event.attributes.": ["app_version", "night"], "event.attributes.app_version": ["7"], "event.attributes.night": [],
        "member.attributes.": ["level", "tags"], "member.attributes.level": [],
        "member.attributes.tags": ["regular", "vegan"],
    }  # fmt: skip
    assert not any(values_seen(cast.outsider).values())
