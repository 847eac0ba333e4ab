"""A unit's own rule in the place of one from above: where which applies, how far they have gone apart, who may."""

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from apps.core.clock import now
from apps.core.errors import LoyaltyError
from apps.orgs.models import Staff
from apps.rules import overriding, services
from apps.rules.exchange import exported
from apps.rules.families import families_of
from apps.rules.models import Rule, RuleVersion
from apps.rules.trying import Trial, try_definition
from tests.factories import Cast, CoffeeGroup, make_group, make_staff
from tests.rules.conftest import CAP_A_DAY, PER_YUAN, PURCHASE, START, Till, purchase
from tests.rules.test_exchange import bring_in, plan_of
from tests.rules.test_services import DEFINITION, DOUBLE, WHEN, draft, published, refused

TRIPLE = {"condition": PURCHASE, "effects": [PER_YUAN | {"points": "3"}], "limits": []}
EARLY = datetime(2020, 1, 1, tzinfo=UTC)


def allowed(group: CoffeeGroup, starts_at: datetime = EARLY, **more: Any) -> RuleVersion:
    """East's rule in force, which lets the units below have their own."""
    live = published(group, starts_at=starts_at, **more)
    services.change_rule(None, live.rule, name=live.rule.name, allows_override=True)
    live.refresh_from_db()
    return live


def override(group: CoffeeGroup, rule: Rule, unit: str, definition: Any = DOUBLE, **more: Any) -> RuleVersion:
    """A rule of `unit` in the place of `rule`, in force since ever, saying `definition`."""
    values = {"actor": None, "starts_at": EARLY, "when": WHEN} | more
    version = overriding.override_rule(values["actor"], rule, group[unit], when=WHEN)
    services.save_draft(None, version, definition, when=WHEN)
    return services.publish_version(None, version, starts_at=values["starts_at"], when=values["when"])


def points(till: Till, store: str = "S001", **more: Any) -> int:
    return till.send(purchase("10", store=store, **more))[0].points


def test_it_begins_as_a_copy_and_changes_nothing_as_a_draft(till: Till, cast: Cast) -> None:
    rule = allowed(till.group).rule
    version = overriding.override_rule(cast.marketing, rule, till.group["EAST-N"], when=WHEN)
    assert (version.state, version.definition, version.overridden_number) == (
        "draft",
        rule.versions.get().definition,
        1,
    )
    assert (version.rule.overrides, version.rule.unit.code) == (rule, "EAST-N")
    assert (version.rule.code, version.created_by) == ("yuan-east-n", cast.marketing)
    assert points(till) == 10


def test_in_force_it_alone_applies_at_its_unit_and_while_it_is(till: Till) -> None:
    rule = allowed(till.group).rule
    own = override(till.group, rule, "EAST-N", starts_at=START + timedelta(days=1)).rule
    assert [points(till), points(till, occurred_at=START + timedelta(days=1))] == [10, 20]
    assert points(till, store="S003", occurred_at=START + timedelta(days=1)) == 10
    services.retire_rule(None, own, at=WHEN + timedelta(days=1), when=WHEN)
    assert [points(till, occurred_at=WHEN + timedelta(days=days)) for days in (0, 1)] == [20, 10]


def test_the_nearest_wins_where_they_are_nested(till: Till) -> None:
    rule = allowed(till.group).rule
    store = override(till.group, rule, "S001", TRIPLE).rule
    region = override(till.group, rule, "EAST-N").rule
    assert [points(till, store=code) for code in ("S001", "S002", "S003")] == [30, 20, 10]
    services.retire_rule(None, store, at=WHEN, when=WHEN)
    services.change_rule(None, region, name="Region", allows_override=True)
    refused("already_overridden", overriding.override_rule, None, region, till.group["S001"], when=WHEN)
    override(till.group, region, "S002", TRIPLE, starts_at=WHEN)
    services.retire_rule(None, region, at=WHEN + timedelta(days=2), when=WHEN)
    for days, told in ((1, [20, 30, 10]), (3, [10, 30, 10])):
        later = WHEN + timedelta(days=days)
        assert [points(till, store=code, occurred_at=later) for code in ("S001", "S002", "S003")] == told


def test_limits_belong_to_each_rule_itself(till: Till) -> None:
    capped = DEFINITION | {"limits": [CAP_A_DAY | {"most": 15}]}
    rule = allowed(till.group, definition=capped).rule
    override(till.group, rule, "EAST-N", capped)
    assert [points(till, store=code) for code in ("S001", "S003", "S001", "S003", "S001")] == [10, 10, 5, 5, 0]


def test_it_may_have_the_number_of_the_rule_that_it_replaces_in_a_group(till: Till) -> None:
    stacked = {"stacking": {"group": "weekend", "take": "best", "order": 1}}
    rule = allowed(till.group, definition=DEFINITION | stacked).rule
    override(till.group, rule, "EAST-N", DOUBLE | stacked)
    other = draft(till.group, "other", DEFINITION | stacked)
    refused("stacking_clash", services.publish_version, None, other, when=WHEN)
    assert [points(till), points(till, store="S003")] == [20, 10]


def test_only_where_the_rule_allows_it_and_below_its_unit(group: CoffeeGroup, cast: Cast) -> None:
    rule = published(group, starts_at=EARLY).rule
    begin = overriding.override_rule
    refused("override_not_allowed", begin, cast.marketing, rule, group["EAST-N"], when=WHEN)
    services.change_rule(None, rule, name="Yuan", allows_override=True)
    refused("override_misplaced", begin, None, rule, group["EAST"], when=WHEN)
    for unit in ("G", "WEST", "S101"):
        refused("rule_misplaced", begin, None, rule, group[unit], when=WHEN)
    for person in (cast.finance, cast.regional_manager, cast.outsider):
        refused("not_allowed", begin, person, rule, group["EAST-N"], when=WHEN)
    local = make_staff(group["EAST-N"], ["marketing"])
    refused("not_allowed", begin, local, rule, group["EAST-S"], when=WHEN)
    region = services.publish_version(None, begin(local, rule, group["EAST-N"], when=WHEN), when=WHEN).rule
    refused("already_overridden", begin, local, rule, group["EAST-N"], when=WHEN)
    # The region has not allowed its stores to go round it.
    refused("override_not_allowed", begin, None, rule, group["S001"], when=WHEN + timedelta(days=1))
    refused("override_not_allowed", begin, None, region, group["S001"], when=WHEN + timedelta(days=1))
    refused("not_allowed", services.change_rule, local, rule, name="Yuan", allows_override=False)
    over = allowed(group, code="over").rule
    services.retire_rule(None, over, at=WHEN, when=WHEN)
    refused("nothing_in_force", begin, None, over, group["EAST-S"], when=WHEN + timedelta(days=1))


def test_no_longer_allowed_those_in_force_go_on_and_no_other_begins(till: Till) -> None:
    """Also not one that was drafted before, nor one that is over."""
    group, later = till.group, WHEN + timedelta(days=1)
    rule = allowed(group).rule
    own = override(group, rule, "EAST-N")
    waiting = overriding.override_rule(None, rule, group["EAST-S"], when=WHEN)
    services.change_rule(None, rule, name=rule.name, allows_override=False)
    assert points(till) == 20
    refused("override_not_allowed", services.publish_version, None, waiting, when=WHEN)
    refused("override_not_allowed", overriding.override_rule, None, rule, group["S003"], when=WHEN)
    second = services.start_draft(None, own, when=WHEN)
    services.save_draft(None, second, TRIPLE, when=WHEN)
    services.publish_version(None, second, starts_at=later, when=WHEN)
    assert points(till, occurred_at=later) == 30
    services.retire_rule(None, own.rule, at=later + timedelta(days=1), when=WHEN)
    third = services.start_draft(None, own, when=WHEN)
    refused("override_not_allowed", services.publish_version, None, third, when=later + timedelta(days=2))


def test_drift_is_told_and_what_stands_above_taken_over(group: CoffeeGroup) -> None:
    live = allowed(group)
    own = override(group, live.rule, "EAST-N", TRIPLE)
    second = services.start_draft(None, live, when=WHEN)
    services.save_draft(None, second, DOUBLE, when=WHEN)
    services.publish_version(None, second, when=WHEN)
    later = WHEN + timedelta(minutes=1)
    drift = drift_now(group, own.rule, later)
    assert (drift.base.number, drift.now.number) == (1, 2)
    assert drift.since == ["Points for each ¥1: 1 → 2", "Added: at most 200 points a day for one member"]
    assert drift.apart == ["Points for each ¥1: 2 → 3", "Removed: at most 200 points a day for one member"]
    taken = overriding.take_over(None, own.rule, when=later)
    assert (taken.number, taken.overridden_number, taken.definition) == (
        2,
        2,
        RuleVersion.objects.get(pk=second.pk).definition,
    )
    assert drift_now(group, own.rule, later).since == drift.since
    refused("draft_exists", overriding.take_over, None, own.rule, when=later)
    services.publish_version(None, taken, when=later)
    drift = drift_now(group, own.rule, later + timedelta(minutes=1))
    assert (drift.since, drift.apart) == ([], [])


def drift_now(group: CoffeeGroup, rule: Rule, when: datetime) -> Any:
    from apps.rules.reading import names_of, versions_by_rule

    assert rule.overrides is not None
    versions = versions_by_rule([rule, rule.overrides])
    names = names_of([group.east])[group.east.pk]
    return overriding.drift_of(rule, versions, versions[rule.overrides_id or 0], names, "en", when)


def test_an_override_stays_where_it_is(group: CoffeeGroup) -> None:
    rule = allowed(group).rule
    own = overriding.override_rule(None, rule, group["EAST-N"], when=WHEN).rule
    refused("rule_place_fixed", services.change_rule, None, own, name="Own", unit=group["EAST-S"])
    other = allowed(group, code="other").rule
    foreign = draft(group, program=group.west, unit=group["WEST-N"]).rule
    for change in ({"overrides": other}, {"overrides": None}, {"unit": group["EAST"]}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Rule.objects.filter(pk=own.pk).update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        Rule.objects.filter(pk=foreign.pk).update(overrides=rule)


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 29)), max_size=30))
def test_every_rule_of_a_family_is_told_by_its_uppermost(pairs: list[tuple[int, int]]) -> None:
    overridden = {rule: above for rule, above in pairs if above < rule}
    families = families_of(overridden)
    assert set(families) == {*overridden, *overridden.values()}
    assert all(families[rule] == families[above] for rule, above in overridden.items())
    assert all(family not in overridden for family in families.values())


@pytest.mark.faults
def test_of_two_who_override_a_rule_at_one_unit_at_once_one_does(committed: str) -> None:
    group = make_group()
    rule = allowed(group).rule

    def begin(_number: int) -> str:
        try:
            overriding.override_rule(None, rule, group["EAST-N"], when=now())
        except LoyaltyError as refusal:
            return refusal.code
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(begin, range(3))) == ["already_overridden", "already_overridden", "done"]


def test_a_trial_gives_what_members_get_where_another_rule_stands(group: CoffeeGroup) -> None:
    rule = allowed(group).rule
    own = override(group, rule, "EAST-N")

    def tried(store: str, version: RuleVersion) -> tuple[int, str]:
        trial = Trial("purchase", WHEN, group[store], Decimal(10))
        place = version.rule.unit
        said = try_definition(group.east, place, version.definition, trial, "en", version.rule_id)
        return said["points"], said["place"]

    live = rule.versions.get()
    assert tried("S003", live) == (10, "")
    assert tried("S001", live) == (0, "At Lakeside “Point per yuan · East North” stands in the place of this rule.")
    assert tried("S001", own) == (20, "")
    doubled = DEFINITION | {"effects": [{"effect": "multiply", "point_type": "points", "times": "2", "of": "base"}]}
    second = services.save_draft(None, services.start_draft(None, own, when=WHEN), doubled, when=WHEN)
    assert tried("S001", second) == (0, "")


def test_the_timeline_says_that_another_rule_stands_in_its_place(till: Till, cast: Cast) -> None:
    override(till.group, allowed(till.group).rule, "EAST-N")
    points(till)
    page = signed_in(cast.marketing).get(f"/members/member/{till.member().pk}/change/").content.decode()
    assert "Point per yuan: “Point per yuan · East North” stands in its place." in page


# The whole programme as a file.


def test_a_file_says_what_may_be_overridden_and_by_what(group: CoffeeGroup) -> None:
    rule = allowed(group).rule
    override(group, rule, "EAST-N")
    override(group, allowed(group, code="plain").rule, "S003")
    written = exported(None, group.east, now())
    assert plan_of(group, written).changes == 0
    own = next(part for part in written["rules"] if part["code"] == "yuan-east-n")
    assert own["overrides"] == "yuan"
    copy = deepcopy(written)
    copy["rules"] = [
        part | {"code": f"new-{part['code']}"} | ({"overrides": f"new-{part['overrides']}"} if "overrides" in part else {})
        for part in reversed(written["rules"])
    ]  # fmt: skip
    bring_in(group, copy)
    new = Rule.objects.get(code="new-yuan-east-n")
    assert (new.overrides.code, new.overrides.allows_override) == ("new-yuan", True)  # type: ignore[union-attr]
    assert new.versions.get().overridden_number is None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"overrides": "nowhere"}, "unknown_rule"),
        ({"unit": "EAST"}, "not_above"),
        ({"overrides": "shut"}, "not_overridable"),
    ],
)
def test_a_file_with_an_override_that_cannot_be_is_refused(
    group: CoffeeGroup, change: dict[str, Any], code: str
) -> None:
    rule = allowed(group).rule
    published(group, code="shut", starts_at=EARLY)
    override(group, rule, "EAST-N")
    written = exported(None, group.east, now())
    own = next(part for part in written["rules"] if part["code"] == "yuan-east-n")
    written["rules"] = [own | {"code": "new"} | change]
    with pytest.raises(LoyaltyError) as caught:
        bring_in(group, written)
    assert [fault["code"] for fault in caught.value.data["faults"]] == [code]


# The pages.


def at(page: str, *args: Any) -> str:
    return reverse(f"admin:rules_rule_{page}", args=args)


def signed_in(person: Staff) -> Client:
    client = Client()
    client.force_login(person, backend="apps.orgs.auth.RoleBackend")
    return client


def test_a_region_overrides_a_rule_of_its_company_by_its_page(group: CoffeeGroup, cast: Cast) -> None:
    rule = allowed(group).rule
    local = signed_in(make_staff(group["EAST-N"], ["marketing"]))
    page = local.get(at("change", rule.pk)).content.decode()
    assert "Override here" in page
    assert "East South" not in page.split('id="overrides"')[1].split("</section>")[0]
    assert local.post(at("override", rule.pk), {"unit": group["EAST-S"].pk}).status_code == 404
    local.post(at("override", rule.pk), {"unit": group["EAST-N"].pk})
    own = Rule.objects.get(overrides=rule)
    services.save_draft(None, own.versions.get(), TRIPLE, when=now())
    page = local.get(at("change", own.pk)).content.decode()
    assert "In the place of “Point per yuan” of East Coffee" in page
    assert "It was made from version 1." in page
    assert "Points for each ¥1: 1 → 3" in page
    local.post(at("take_over", own.pk), {"revision": "2"})
    assert own.versions.get().definition == rule.versions.get().definition
    assert "This rule says the same as the one above." in local.get(at("change", own.pk)).content.decode()
    services.change_rule(None, rule, name=rule.name, allows_override=False)
    assert "once it is over it cannot come back" in local.get(at("change", own.pk)).content.decode()


def test_the_rule_above_lists_what_stands_in_its_place_in_as_many_queries_whatever_their_number(
    group: CoffeeGroup, cast: Cast, django_assert_num_queries: Any
) -> None:
    rule = allowed(group).rule
    override(group, rule, "S001", TRIPLE)
    client = signed_in(cast.marketing)
    client.get(at("change", rule.pk))
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as once:
        page = client.get(at("change", rule.pk)).content.decode()
    assert "Point per yuan · Lakeside" in page
    for unit in ("S002", "S003"):
        override(group, rule, unit, TRIPLE)
    with django_assert_num_queries(len(once)):
        assert "Point per yuan · Harbour" in client.get(at("change", rule.pk)).content.decode()
    local = signed_in(make_staff(group["EAST-S"], ["marketing"]))
    page = local.get(at("change", rule.pk)).content.decode()
    assert "Point per yuan · Harbour" in page
    assert "Point per yuan · Lakeside" not in page


def test_the_form_says_whether_a_rule_may_be_overridden(group: CoffeeGroup, cast: Cast) -> None:
    rule = published(group, starts_at=EARLY).rule
    client = signed_in(cast.marketing)
    client.post(at("change", rule.pk), {"name": "Yuan", "allows_override": "on"})
    rule.refresh_from_db()
    assert (rule.name, rule.allows_override) == ("Yuan", True)
    assert Rule.history.filter(id=rule.pk).latest("history_date").history_user == cast.marketing
    client.post(at("change", rule.pk), {"name": "Yuan"})
    rule.refresh_from_db()
    assert rule.allows_override is False
