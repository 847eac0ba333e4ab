"""What a tag must be to mean one thing, and who may say so."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from apps.core.errors import LoyaltyError, NotAllowed
from apps.segments.models import Tag
from apps.segments.services.defining import TagChange, change_asked, change_tag, create_tag, delete_tag
from apps.segments.touched import live_uses, uses_at_stake
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
    top = change_tag(None, top.pk, is_exclusive=False, when=WHEN)
    create_tag(None, group.east, key="x", label="X", parent=top, kept_days=3)
    refused("tag_kept_below", change_tag, None, top.pk, is_exclusive=True, when=WHEN)


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


@contextmanager
def rules_for(*wanted: str) -> Iterator[None]:
    """A published rule asks for each of these keys."""

    @names_tags
    def rules_asking(program: Any, keys: Any) -> list[Use]:
        return [Use(key, f"Bonus for {key}", "", is_live=True) for key in keys if key in wanted]

    try:
        yield
    finally:
        _finders.pop(f"{rules_asking.__module__}.{rules_asking.__qualname__}")


def has(key: str) -> dict[str, Any]:
    return {"all": [{"field": "member.tags", "op": "has_any", "value": [key]}]}


@pytest.fixture
def choice(group: CoffeeGroup) -> list[Tag]:
    """The tag above three of which a member holds one, and those."""
    top = create_tag(None, group.east, key="one-of", label="One of", is_exclusive=True)
    below = [
        create_tag(None, group.east, key=key, label=key, parent=top, condition=REGULAR, position=number)
        for number, key in enumerate(("first", "second", "third"), 1)
    ]
    create_tag(None, group.east, key="last", label="Last", parent=top, position=4)
    return [top, *below]


def test_what_a_published_rule_asks_for_by_way_of_another_tag_is_known(
    group: CoffeeGroup, regulars: Tag, choice: list[Tag]
) -> None:
    """The mistake: the condition of a tag for which only another tag asks changes who gets points, and nobody is asked."""
    middle = create_tag(None, group.east, key="liked", label="Liked", condition=has("regular"))
    create_tag(None, group.east, key="loved", label="Loved", condition=has("liked"))
    top, first, second, third = choice
    with rules_for("loved", "second"):
        assert live_uses(regulars) == live_uses(middle) == ["Bonus for loved"]
        assert live_uses(first) == live_uses(second) == ["Bonus for second"]
        assert live_uses(third) == []
        assert uses_at_stake(third) == uses_at_stake(top) == ["Bonus for second"]
        asked = change_asked(regulars, {"condition": None, "label": "Other", "kept_days": 0})
        assert asked == TagChange(tag=regulars.pk, values={"condition": None})


@pytest.mark.parametrize(
    ("key", "values", "touched"),
    [
        # Who meets the first does not get the others.
        ("first", {"position": 2}, set()),
        ("first", {"position": 3}, {"first", "second"}),
        ("first", {"position": 9}, {"first", "second", "third"}),
        ("third", {"position": 0}, {"first", "second", "third"}),
        ("third", {"position": 9}, set()),
        ("last", {"position": 0}, set()),
        ("regular", {"position": 9}, set()),
        ("second", {"condition": None}, {"second", "third"}),
        ("second", {"condition": None, "position": 0}, {"second", "third"}),
        ("last", {"condition": REGULAR, "position": 2}, {"last", "third"}),
        ("last", {"condition": REGULAR}, {"last"}),
        # They are refreshed together.
        ("first", {"refresh": "by_hand"}, {"first", "second", "third"}),
        ("regular", {"refresh": "by_hand"}, {"regular", "fan"}),
        ("one-of", {"is_exclusive": False}, {"first", "second", "third"}),
        ("one-of", {"refresh": "by_hand", "position": 9}, set()),
        ("regular", {"kept_days": 30}, {"regular", "fan"}),
        ("given", {"kept_days": 30, "refresh": "by_hand", "is_exclusive": True, "position": 3}, set()),
        ("given", {"condition": REGULAR}, {"given"}),
        ("regular", {"label": "Other", "purpose": "None", "kept_days": 0, "refresh": "daily"}, set()),
    ],
)
def test_a_change_that_decides_who_holds_a_tag_is_asked_for_where_a_rule_asks_for_it(
    group: CoffeeGroup, regulars: Tag, choice: list[Tag], key: str, values: dict[str, Any], touched: set[str]
) -> None:
    """The mistake: another order of a choice, or a tag that is frozen, changes what rules give, and nobody is asked."""
    create_tag(None, group.east, key="fan", label="Fan", condition=has("regular"))
    create_tag(None, group.east, key="given", label="Given by rules")
    tag = Tag.objects.get(key=key)
    found = set()
    for each in Tag.objects.values_list("key", flat=True):
        with rules_for(each):
            asked = change_asked(tag, values)
        if asked is not None:
            assert asked.values == {name: value for name, value in values.items() if value != getattr(tag, name)}
            found.add(each)
    assert found == touched


def test_a_tag_with_which_others_go_to_whom_rules_ask_for_is_not_deleted(
    group: CoffeeGroup, regulars: Tag, choice: list[Tag]
) -> None:
    """The mistake: who met the tag that is gone now gets the one behind it, and the points for that."""
    create_tag(None, group.east, key="fan", label="Fan", condition=has("regular"))
    _top, first, _second, third = choice
    with rules_for("second", "fan"):
        refused("tag_others_in_use", delete_tag, None, first.pk, WHEN)
        refused("tag_others_in_use", delete_tag, None, regulars.pk, WHEN)
        delete_tag(None, third.pk, WHEN)
        change_tag(None, first.pk, condition=None, when=WHEN)
        delete_tag(None, first.pk, WHEN)


def test_a_request_of_the_first_months_is_read_as_it_was_written() -> None:
    for condition in (None, REGULAR):
        asked = TagChange.model_validate({"tag": 7, "condition": condition})
        assert asked == TagChange(tag=7, values={"condition": condition})
        assert asked == TagChange.model_validate(asked.to_json())
