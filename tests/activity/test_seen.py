"""What is offered while somebody writes a condition: what the latest events they may see said, the commonest first."""

from apps.activity.seen import values_seen
from tests.factories import Cast, CoffeeGroup
from tests.rules.conftest import line, make_till, purchase


def test_values_are_offered_from_events_one_may_see(group: CoffeeGroup, cast: Cast) -> None:
    basket = (line("3", "latte", "L1", number=1), line("5", "beans", "B1", number=2), line("9", "beans", "", number=3))
    make_till(group).send(purchase("17", lines=basket, channel="app"), purchase("2", lines=(line("2", ""),)))
    assert values_seen(cast.marketing) == {
        "event.channel": ["app"], "line.category": ["beans", "latte"], "line.sku": ["A1", "B1", "L1"],
    }  # fmt: skip
    assert values_seen(cast.outsider) == {"event.channel": [], "line.category": [], "line.sku": []}
