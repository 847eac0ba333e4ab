"""Drafting, publishing and retiring rules: what each verb does, refuses and leaves untouched."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from apps.core.errors import LoyaltyError
from apps.core.models import Epoch
from apps.rules import services
from apps.rules.models import Rule, RuleVersion
from tests.factories import Cast, CoffeeGroup, make_group
from tests.rules.conftest import CAP_A_DAY, PER_YUAN, PURCHASE, START, Till, purchase

WHEN = datetime(2026, 5, 4, 8, tzinfo=UTC)
DEFINITION = {"condition": PURCHASE, "effects": [PER_YUAN], "limits": []}
DOUBLE = {"condition": PURCHASE, "effects": [PER_YUAN | {"points": "2"}], "limits": [CAP_A_DAY | {"most": 200}]}


def draft(group: CoffeeGroup, code: str = "yuan", definition: Any = DEFINITION, **more: Any) -> RuleVersion:
    values = {"actor": None, "program": group.east, "unit": group["EAST"], "when": WHEN} | more
    return services.create_rule(
        values.pop("actor"), values.pop("program"), values.pop("unit"), code=code, name="Point per yuan",
        definition=definition, **values,
    )  # fmt: skip


def published(group: CoffeeGroup, starts_at: datetime = WHEN, **more: Any) -> RuleVersion:
    return services.publish_version(None, draft(group, **more), starts_at=starts_at, when=WHEN)


def refused(code: str, verb: Any, /, *args: Any, **values: Any) -> LoyaltyError:
    """The refusal of `verb`; asserts its code, and that nothing changed."""
    before = list(RuleVersion.objects.order_by("pk").values()), list(Rule.objects.order_by("pk").values())
    with pytest.raises(LoyaltyError) as caught:
        verb(*args, **values)
    assert caught.value.code == code
    assert caught.value.sentence()
    assert before == (list(RuleVersion.objects.order_by("pk").values()), list(Rule.objects.order_by("pk").values()))
    return caught.value


def test_a_new_rule_is_a_draft_with_an_author_and_earns_nothing(till: Till, cast: Cast) -> None:
    version = draft(till.group, actor=cast.marketing)
    assert (version.number, version.state, version.revision) == (1, "draft", 1)
    assert (version.created_by, version.created_at, version.starts_at) == (cast.marketing, WHEN, None)
    assert version.definition["effects"][0]["per"] == "1"
    assert till.send(purchase("10"))[0].points == 0


def test_a_code_is_taken_once_in_a_programme_and_free_in_another(group: CoffeeGroup) -> None:
    draft(group)
    refused("rule_code_taken", draft, group)
    assert draft(group, program=group.west, unit=group["WEST"]).rule.program == group.west


def test_a_rule_stands_where_its_programme_rules(group: CoffeeGroup) -> None:
    for unit in ("WEST", "G", "S101"):
        refused("rule_misplaced", draft, group, unit=group[unit])


def test_every_fault_of_a_definition_is_told_at_once(group: CoffeeGroup) -> None:
    faulty = {
        "condition": {"all": [{"field": "event.store", "op": "within", "value": ["S101"]}]},
        "effects": [PER_YUAN | {"per": "0", "point_type": "stars"}],
        "limits": [CAP_A_DAY | {"most": "many"}],
    }
    refusal: Any = refused("definition_faulty", draft, group, definition=faulty)
    assert refusal.data["faults"] == [
        {"path": ["condition", "all", 0, "value"], "code": "unknown_unit"},
        {"path": ["effects", 0, "per"], "code": "out_of_range"},
        {"path": ["effects", 0, "point_type"], "code": "unknown_point_type"},
        {"path": ["limits", 0, "most"], "code": "not_a_number"},
    ]


def test_who_holds_no_right_at_the_unit_does_nothing(group: CoffeeGroup, cast: Cast) -> None:
    version = draft(group)
    for person in (cast.finance, cast.outsider, cast.regional_manager):
        refused("not_allowed", draft, group, code="other", actor=person)
        refused("not_allowed", services.save_draft, person, version, DOUBLE, when=WHEN)
        refused("not_allowed", services.publish_version, person, version, when=WHEN)
        refused("not_allowed", services.discard_draft, person, version)
        refused("not_allowed", services.change_rule, person, version.rule, name="Mine")
    live = services.publish_version(cast.marketing, version, when=WHEN)
    for person in (cast.finance, cast.outsider):
        refused("not_allowed", services.retire_rule, person, live.rule, when=WHEN)
        refused("not_allowed", services.start_draft, person, live, when=WHEN)


def test_a_draft_is_saved_over_only_by_who_has_read_it(group: CoffeeGroup, cast: Cast) -> None:
    version = draft(group)
    services.save_draft(cast.marketing, version, DOUBLE, revision=1, when=WHEN)
    refusal = refused("changed_meanwhile", services.save_draft, None, version, DEFINITION, revision=1, when=WHEN)
    assert refusal.data["who"] == "marketing"
    refused("changed_meanwhile", services.publish_version, None, version, revision=1, when=WHEN)
    saved = services.save_draft(None, version, DEFINITION, revision=2, when=WHEN)
    assert (saved.revision, saved.definition["limits"]) == (3, [])


def test_the_same_content_again_changes_nothing_whoever_read_what(group: CoffeeGroup) -> None:
    version = draft(group)
    assert services.save_draft(None, version, DEFINITION, revision=7, when=WHEN).revision == 1


def test_now_means_in_two_seconds_and_never_before_the_commit(group: CoffeeGroup) -> None:
    live = services.publish_version(None, draft(group), when=WHEN + timedelta(milliseconds=300))
    assert live.starts_at == WHEN + timedelta(seconds=3)


def test_a_later_version_takes_over_at_its_start_to_the_instant(till: Till) -> None:
    first = published(till.group, starts_at=START)
    second = services.start_draft(None, first, when=WHEN)
    services.save_draft(None, second, DOUBLE, when=WHEN)
    monday = WHEN + timedelta(days=7)
    services.publish_version(None, second, starts_at=monday, when=WHEN)
    first.refresh_from_db()
    assert (first.state, first.starts_at, first.ends_at) == ("published", START, monday)
    at = [monday - timedelta(microseconds=1), monday]
    results = till.send(*(purchase("10", occurred_at=instant) for instant in at))
    assert [(result.points, result.answer["awards"][0]["version"]) for result in results] == [(10, 1), (20, 2)]


def test_a_version_that_waits_is_replaced_by_one_that_starts_before_it(group: CoffeeGroup) -> None:
    first = published(group, starts_at=START)
    second = services.start_draft(None, first, when=WHEN)
    services.publish_version(None, second, starts_at=WHEN + timedelta(days=7), when=WHEN)
    third = services.start_draft(None, second, when=WHEN)
    services.publish_version(None, third, starts_at=WHEN + timedelta(days=1), when=WHEN)
    assert list(RuleVersion.objects.order_by("number").values_list("starts_at", "ends_at")) == [
        (START, WHEN + timedelta(days=1)),
        (WHEN + timedelta(days=7), WHEN + timedelta(days=7)),
        (WHEN + timedelta(days=1), None),
    ]


def test_a_start_in_the_past_is_refused_once_something_has_happened_since(till: Till) -> None:
    past = WHEN - timedelta(days=30)
    till.send(purchase("10", occurred_at=past))
    version = draft(till.group)
    refused("start_in_the_past", services.publish_version, None, version, starts_at=past, when=WHEN)
    live = services.publish_version(None, version, starts_at=past + timedelta(seconds=1), when=WHEN)
    assert till.send(purchase("10", occurred_at=past + timedelta(seconds=1)))[0].points == 10
    assert live.starts_at == past + timedelta(seconds=1)


def test_publishing_twice_publishes_once(group: CoffeeGroup) -> None:
    version = draft(group)
    services.publish_version(None, version, when=WHEN)
    refused("not_a_draft", services.publish_version, None, version, when=WHEN)
    refused("not_a_draft", services.save_draft, None, version, DOUBLE, when=WHEN)
    refused("not_a_draft", services.discard_draft, None, version)


def test_a_retired_rule_earns_until_its_end_and_not_after(till: Till) -> None:
    live = published(till.group, starts_at=START)
    end = WHEN + timedelta(days=1)
    refused("end_in_the_past", services.retire_rule, None, live.rule, at=WHEN - timedelta(days=1), when=WHEN)
    services.retire_rule(None, live.rule, at=end, when=WHEN)
    at = [end - timedelta(seconds=1), end]
    assert [result.points for result in till.send(*(purchase("10", occurred_at=each) for each in at))] == [10, 0]
    live.refresh_from_db()
    assert (live.state, live.ends_at, live.retired_at) == ("retired", end, WHEN)


def test_retiring_stops_a_version_that_waits_before_it_starts(till: Till) -> None:
    waiting = published(till.group, starts_at=WHEN + timedelta(days=7))
    services.retire_rule(None, waiting.rule, when=WHEN)
    assert till.send(purchase("10", occurred_at=WHEN + timedelta(days=8)))[0].points == 0
    refused("nothing_to_retire", services.retire_rule, None, waiting.rule, when=WHEN)


def test_a_retired_rule_comes_back_as_a_new_version(till: Till) -> None:
    live = published(till.group, starts_at=START)
    services.retire_rule(None, live.rule, when=WHEN)
    again = services.start_draft(None, live, when=WHEN)
    services.publish_version(None, again, starts_at=WHEN + timedelta(days=2), when=WHEN)
    assert till.send(purchase("10", occurred_at=WHEN + timedelta(days=1)))[0].points == 0
    assert till.send(purchase("10", occurred_at=WHEN + timedelta(days=2)))[0].points == 10


def test_a_rule_has_one_draft_at_a_time(group: CoffeeGroup) -> None:
    version = draft(group)
    refused("draft_exists", services.start_draft, None, version, when=WHEN)


def test_discarding_the_only_version_removes_the_rule_and_another_draft_leaves_it(group: CoffeeGroup) -> None:
    services.discard_draft(None, draft(group))
    assert not Rule.objects.exists()
    live = published(group)
    services.discard_draft(None, services.start_draft(None, live, when=WHEN))
    assert list(RuleVersion.objects.values_list("number", "state")) == [(1, "published")]


def test_the_place_of_a_rule_is_free_before_it_is_published_and_fixed_after(group: CoffeeGroup) -> None:
    version = draft(group)
    services.change_rule(None, version.rule, name="North", unit=group["EAST-N"])
    services.publish_version(None, version, when=WHEN)
    rule = Rule.objects.get()
    assert (rule.name, rule.unit.code) == ("North", "EAST-N")
    refused("rule_place_fixed", services.change_rule, None, rule, name="South", unit=group["EAST-S"])
    services.change_rule(None, rule, name="Anything")
    assert Rule.objects.get().name == "Anything"


def test_saving_a_draft_leaves_the_workers_copies_and_publishing_makes_them_old(group: CoffeeGroup) -> None:
    version = draft(group)
    epoch = Epoch.objects.get().value
    services.save_draft(None, version, DOUBLE, when=WHEN)
    assert Epoch.objects.get().value == epoch
    services.publish_version(None, version, when=WHEN)
    assert Epoch.objects.get().value > epoch
    epoch = Epoch.objects.get().value
    services.retire_rule(None, version.rule, when=WHEN)
    assert Epoch.objects.get().value > epoch


ROUND_THE_MODELS: list[tuple[str, dict[str, Any]]] = [
    ("another definition", {"definition": DOUBLE}),
    ("another start", {"starts_at": WHEN + timedelta(days=3)}),
    ("back to a draft", {"state": "draft"}),
    ("an end moved later", {"ends_at": WHEN + timedelta(days=9)}),
    ("no end any more", {"ends_at": None}),
    ("an end before the start", {"ends_at": WHEN - timedelta(days=9)}),
]


@pytest.mark.parametrize(
    ("what", "values"), ROUND_THE_MODELS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_the_database_keeps_what_is_published(group: CoffeeGroup, what: str, values: dict[str, Any]) -> None:
    live = published(group)
    services.retire_rule(None, live.rule, at=WHEN + timedelta(days=5), when=WHEN)
    before = RuleVersion.objects.values().get()
    with pytest.raises(IntegrityError), transaction.atomic():
        RuleVersion.objects.filter(pk=live.pk).update(**values)
    assert RuleVersion.objects.values().get() == before


def test_the_database_keeps_published_versions_and_their_place(group: CoffeeGroup) -> None:
    live = published(group)
    with pytest.raises(IntegrityError), transaction.atomic():
        RuleVersion.objects.filter(pk=live.pk).delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        Rule.objects.filter(pk=live.rule_id).update(unit=group["EAST-N"])
    assert RuleVersion.objects.get().rule.unit.code == "EAST"


def test_the_database_refuses_two_versions_at_one_instant(group: CoffeeGroup) -> None:
    live = published(group)
    values = {"rule": live.rule, "number": 2, "state": "published", "definition": DOUBLE, "created_at": WHEN}
    with pytest.raises(IntegrityError), transaction.atomic():
        RuleVersion.objects.create(starts_at=WHEN + timedelta(days=1), **values)
    services.retire_rule(None, live.rule, at=WHEN + timedelta(days=1), when=WHEN)
    RuleVersion.objects.create(starts_at=WHEN + timedelta(days=1), **values)
    assert RuleVersion.objects.count() == 2


@pytest.mark.faults
def test_a_form_that_is_sent_twice_at_once_makes_one_rule(committed: str) -> None:
    group = make_group()

    def send(number: int) -> str:
        try:
            draft(group)
        except LoyaltyError as refusal:
            return refusal.code
        finally:
            connection.close()
        return "made"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(send, range(4))) == ["made", *["rule_code_taken"] * 3]


def test_no_two_rules_of_a_group_have_one_number_or_take_otherwise(group: CoffeeGroup) -> None:
    """Catches a tie that is broken by who saved last."""
    stacking = {"group": "weekend", "take": "best", "order": 1}

    def drafted(code: str, **more: Any) -> RuleVersion:
        return draft(group, code=code, definition=DEFINITION | {"stacking": stacking | more})

    services.publish_version(None, drafted("one"), when=START)
    refusal: Any = refused("stacking_clash", services.publish_version, None, drafted("again"), when=START)
    assert (refusal.data["rule"], refusal.data["why"]) == ("Point per yuan", "order")
    other = drafted("other", order=2, take="first")
    assert refused("stacking_clash", services.publish_version, None, other, when=START).data["why"] == "take"  # type: ignore[attr-defined]
    services.publish_version(None, drafted("two", order=2), when=START)
    services.publish_version(None, drafted("lunch", group="lunch"), when=START)
    services.retire_rule(None, Rule.objects.get(code="one"), when=START)
    tomorrow = START + timedelta(days=1)
    services.publish_version(None, RuleVersion.objects.get(rule__code="again"), starts_at=tomorrow, when=START)
