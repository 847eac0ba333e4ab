"""What a tag must be to mean one thing, and who may say so."""

from typing import Any

import pytest

from apps.core.errors import LoyaltyError, NotAllowed
from apps.segments.models import Tag
from apps.segments.services.defining import (
    TagCondition,
    change_tag,
    condition_asked,
    create_tag,
    delete_tag,
    live_uses,
)
from apps.segments.uses import Use, _finders, names_tags
from tests.factories import Cast, CoffeeGroup
from tests.segments.conftest import REGULAR, WHEN


def refused(code: str, verb: Any, *args: Any, **values: Any) -> None:
    before = Tag.objects.count()
    with pytest.raises(LoyaltyError) as refusal:
        verb(*args, **values)
    assert refusal.value.code == code
    assert refusal.value.sentence()
    assert Tag.objects.count() == before


def test_the_tree_has_three_levels_in_order(group: CoffeeGroup) -> None:
    top = create_tag(None, group.east, key="habits", label="Habits", kind="value")
    second = create_tag(None, group.east, key="visits", label="Visits", parent=top, position=2)
    first = create_tag(None, group.east, key="orders", label="Orders", parent=top, position=1)
    leaf = create_tag(None, group.east, key="often", label="Often", parent=second)
    assert (leaf.depth, leaf.kind) == (3, "value")
    assert list(Tag.objects.order_by("place")) == [top, first, second, leaf]
    change_tag(None, second.pk, position=0, when=WHEN)
    assert list(Tag.objects.order_by("place")) == [top, second, leaf, first]
    refused("tag_too_deep", create_tag, None, group.east, key="x", label="X", parent=leaf)
    refused("tag_parent_elsewhere", create_tag, None, group.west, key="x", label="X", parent=top)


def test_a_key_means_one_thing_for_the_same_members(group: CoffeeGroup, regulars: Tag) -> None:
    create_tag(None, group.west, key="regular", label="Theirs")
    refused("tag_key_taken", create_tag, None, group.east, key="regular", label="Again")
    refused("tag_key_malformed", create_tag, None, group.east, key="no blanks", label="X")
    refused("tag_unlabelled", create_tag, None, group.east, key="nameless")


def test_what_members_hold_has_nothing_below_and_what_stands_above_asks_nothing(
    group: CoffeeGroup, regulars: Tag
) -> None:
    refused("tag_parent_is_held", create_tag, None, group.east, key="x", label="X", parent=regulars)
    top = create_tag(None, group.east, key="top", label="Top", is_exclusive=True)
    create_tag(None, group.east, key="low", label="Low", parent=top)
    refused("tag_folder_has_no_condition", change_tag, None, top.pk, condition=REGULAR, when=WHEN)
    refused("tag_has_children", delete_tag, None, top.pk, WHEN)
    refused("tag_kept_in_exclusive", create_tag, None, group.east, key="x", label="X", parent=top, kept_days=3)


def test_a_condition_is_checked_when_it_is_saved(group: CoffeeGroup, regulars: Tag) -> None:
    faulty = {"all": [{"field": "event.amount", "op": "ge", "value": "1"}]}
    refused("condition_faulty", create_tag, None, group.east, key="x", label="X", condition=faulty)
    itself = {"all": [{"field": "member.tags", "op": "has_any", "value": ["regular"]}]}
    refused("tag_asks_itself", change_tag, None, regulars.pk, condition=itself, when=WHEN)
    refused("tag_fixed", change_tag, None, regulars.pk, key="other", when=WHEN)
    regulars.refresh_from_db()
    assert (regulars.key, regulars.condition) == ("regular", REGULAR)


def test_only_who_may_where_it_is_changes_a_tag(group: CoffeeGroup, cast: Cast, regulars: Tag) -> None:
    change_tag(cast.marketing, regulars.pk, label="Often here", when=WHEN)
    assert str(Tag.objects.get(pk=regulars.pk)) == "Often here"
    assert regulars.history.latest().history_user == cast.marketing
    for person in (cast.outsider, cast.service, cast.auditor):
        with pytest.raises(NotAllowed):
            change_tag(person, regulars.pk, label="Mine", when=WHEN)
        with pytest.raises(NotAllowed):
            create_tag(person, group.east, key="x", label="X")


def test_a_tag_that_is_asked_for_stays(group: CoffeeGroup, regulars: Tag) -> None:
    @names_tags
    def letters_asking(program: Any, keys: Any) -> list[Use]:
        return [Use(key, "Letter to regulars", "", is_live=True) for key in keys]

    try:
        refused("tag_in_use", delete_tag, None, regulars.pk, WHEN)
    finally:
        _finders.pop(f"{letters_asking.__module__}.{letters_asking.__qualname__}")
    delete_tag(None, regulars.pk, WHEN)
    assert not Tag.objects.exists()


def test_what_a_published_rule_asks_for_by_way_of_another_tag_is_known(group: CoffeeGroup, regulars: Tag) -> None:
    """The mistake: the condition of a tag for which only another tag asks changes who gets points, and nobody is asked."""

    def has(key: str) -> dict[str, Any]:
        return {"all": [{"field": "member.tags", "op": "has_any", "value": [key]}]}

    @names_tags
    def rules_asking(program: Any, keys: Any) -> list[Use]:
        return [Use(key, f"Bonus for {key}", "", is_live=True) for key in keys if key in ("loved", "second")]

    middle = create_tag(None, group.east, key="liked", label="Liked", condition=has("regular"))
    create_tag(None, group.east, key="loved", label="Loved", condition=has("liked"))
    top = create_tag(None, group.east, key="one-of", label="One of", is_exclusive=True)
    first, second, third = (
        create_tag(None, group.east, key=key, label=key, parent=top, condition=REGULAR, position=number)
        for number, key in enumerate(("first", "second", "third"))
    )
    try:
        assert live_uses(regulars) == live_uses(middle) == ["Bonus for loved"]
        assert live_uses(first) == live_uses(second) == ["Bonus for second"]
        assert live_uses(third) == []
        asked = condition_asked(regulars, {"condition": None})
        assert asked == TagCondition(tag=regulars.pk, condition=None)
    finally:
        _finders.pop(f"{rules_asking.__module__}.{rules_asking.__qualname__}")
