"""Every template is a rule that can be saved as it stands, and earns what it says."""

import json
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.activity.models import Event
from apps.conditions.words import Words
from apps.core.clock import now
from apps.rules import services
from apps.rules.definition import check_definition
from apps.rules.forms import RuleForm
from apps.rules.gallery import GROUPS, TEMPLATES
from apps.rules.models import Rule, RuleVersion
from apps.rules.sentences import Names, rule_sentence
from tests.factories import Cast, CoffeeGroup
from tests.rules.conftest import CAP_A_DAY, PER_YUAN, PURCHASE
from tests.rules.worked import publish_all, tell

TODAY = date(2026, 3, 2)
"""A Monday: “today” in a template; so is its region EAST-N, and its store S001."""
UNITS = [("EAST", "company"), ("EAST-N", "region"), ("S001", "store"), ("EAST-S", "region"), ("S003", "store")]
PATHS = {code: code for code, _kind in UNITS}
ADD, GALLERY = "admin:rules_rule_add", "admin:rules_rule_gallery"

Told = dict[str, Any]
COFFEE, CAKE = {"category": "coffee", "amount": "30"}, {"category": "cake", "amount": "20"}
BASE = {"condition": PURCHASE, "effects": [PER_YUAN], "limits": []}


def orders(*days: str) -> list[Told]:
    return [{"amount": "50", "at": f"{day}T10:00"} for day in days]


def friends(order: int) -> Told:
    return {"kind": "friend", "amount": "50", "attributes": {"friend": "purchase", "friend_orders": order}}


EXAMPLES: dict[str, tuple[list[Told], list[int]]] = {
    "base-rate": ([{"amount": "58.90"}, {"kind": "check_in"}], [58, 0]),
    "every-forty": ([{"amount": "119.99"}, {"amount": "39.99"}], [2, 0]),
    "check-in": ([{"kind": "check_in"}, {"kind": "check_in"}, {"amount": "50"}], [5, 0, 0]),
    "review": ([{"kind": "review"}] * 4 + [{"amount": "50"}], [20, 20, 20, 0, 0]),
    "bottle-cap": (
        [
            *({"kind": "code", "batch": "caps-2026", "draws": prize} for prize in ("grand", "small", "none")),
            {"kind": "code", "batch": "others", "draws": "grand"}, {"amount": "50"},
        ],
        [5000, 50, 1, 0, 0],
    ),
    "own-cup": ([{"amount": "9", "attributes": {"own_cup": True}}, {"amount": "9"}], [10, 0]),
    "welcome": ([{"kind": "registration"}, {"amount": "50"}], [100, 0]),
    "complete-profile": (
        [{"kind": "registration", "attributes": {"profile_complete": True}}, {"kind": "registration"}], [50, 0]
    ),
    "referral": ([{"kind": "referral"}] * 6 + [{"kind": "registration"}], [200] * 5 + [0, 0]),
    "friend-welcome": ([{"amount": "9"}, *({"amount": "9", "member": "Brought"} for _ in range(2))], [0, 50, 0]),
    "friends-first-order": ([friends(1), friends(2), friends(1) | {"amount": "29"}, {"amount": "50"}], [100, 0, 0, 0]),
    "new-members": ([{"amount": "50", "member": "New"}, {"amount": "50"}], [50, 0]),
    "birthday": ([{"kind": "day", "at": f"2026-03-0{day}T00:00", "member": "Born"} for day in (3, 4, 5)], [0, 200, 0]),
    "anniversary": ([{"kind": "day", "at": f"{day}T00:00"} for day in ("2025-01-01", "2025-12-31", "2026-01-01")], [0, 0, 100]),
    "birthday-double": ([{"amount": "50", "member": "Born"}, {"amount": "50"}], [100, 50]),
    "member-day": ([{"amount": "50", "at": "2026-03-03T10:00"}, {"amount": "50", "at": "2026-03-04T10:00"}], [150, 50]),
    "festival": ([{"amount": "50", "at": "2026-03-08T23:59"}, {"amount": "50", "at": "2026-03-09T00:00"}], [100, 50]),
    "weekend": ([{"amount": "50", "at": "2026-03-07T10:00"}, {"amount": "50", "at": "2026-03-06T23:59"}], [100, 50]),
    "happy-hour": ([{"amount": "50", "at": "2026-03-04T16:59"}, {"amount": "50", "at": "2026-03-04T17:00"}], [50, 0]),
    "spend-over": ([{"amount": "300"}, {"amount": "299.99"}], [50, 0]),
    "category-booster": ([{"lines": [COFFEE, CAKE]}, {"lines": [CAKE]}], [30, 0]),
    "new-article": ([{"lines": [{"sku": "NEW-1", "amount": "9"}]}, {"amount": "9"}], [30, 0]),
    "combination": ([{"lines": [COFFEE, CAKE]}, {"lines": [COFFEE, COFFEE]}], [15, 0]),
    "several-pieces": ([{"lines": [COFFEE | {"quantity": 2}, CAKE]}, {"lines": [COFFEE, CAKE]}], [20, 0]),
    "channel": ([{"amount": "50", "channel": "app"}, {"amount": "50", "channel": "till"}], [50, 0]),
    "after-delivery": (
        [{"amount": "50", "channel": "web", "spendable": 0}, {"amount": "50", "channel": "till", "spendable": 0}], [50, 0]
    ),
    "new-store": ([{"amount": "50"}, {"amount": "50", "store": "S002"}], [250, 50]),
    "region": ([{"amount": "50"}, {"amount": "50", "store": "S003"}], [50, 0]),
    "travellers": ([{"amount": "50", "store": "S003"}, {"amount": "50"}], [30, 0]),
    "partner": ([{"amount": "50", "member": "Partner"}, {"amount": "50"}], [50, 0]),
    "larger-orders": ([{"amount": "500"}, {"amount": "499"}, {"amount": "9"}, {"kind": "check_in"}], [1500, 998, 9, 0]),
    "per-piece": ([{"lines": [{"category": "beans", "amount": "90", "quantity": 3}]}, {"amount": "90"}], [15, 0]),
    "first-order": ([{"amount": "50"}, {"amount": "50", "at": "2026-03-05T10:00"}], [100, 0]),
    "silent": (
        [*orders("2026-03-04"), *({"kind": "day", "at": f"2026-06-0{day}T00:00"} for day in (1, 2, 3))], [0, 0, 100, 0]
    ),
    "kept-first-order": (
        [*orders("2026-03-04"), *({"kind": "day", "at": f"2026-03-1{day}T00:00"} for day in (0, 1, 2))], [0, 0, 300, 0]
    ),
    "second-order": (orders("2026-03-01", "2026-03-15", "2026-03-16"), [0, 50, 0]),
    "nth-order": (orders(*(f"2026-03-0{day}" for day in range(1, 7)), "2026-04-01"), [0, 0, 0, 0, 80, 0, 0]),
    "regulars": (orders(*(f"2026-03-0{day}" for day in range(1, 6)), "2026-05-01"), [50, 50, 50, 50, 100, 50]),
    "week-streak": (
        [*orders(*(f"2026-03-0{day}" for day in (2, 3, 4, 5, 7, 8))), *orders(*(f"2026-03-{day:02}" for day in range(9, 16)))],
        [0] * 10 + [70, 0, 0],
    ),
    "win-back": (orders("2026-01-01", "2026-04-01", "2026-04-02"), [0, 100, 0]),
    "big-spenders": (
        [{"amount": "1000"}, *orders("2026-03-31", "2026-04-01")], [1000, 100, 50]
    ),
    "quarterly-limit": ([{"amount": "4990"}, {"amount": "50"}, {"amount": "50"}], [4990, 10, 0]),
    "campaign-budget": (
        [{"amount": "299990"}, *[{"amount": "50", "member": name} for name in ("Bob", "Cleo")]], [599980, 60, 50]
    ),
    "higher-rate-to-an-amount": (
        [{"amount": amount, "at": f"2026-0{month}-01T10:00"} for month, amount in ((1, "49000"), (2, "2000"), (3, "10"))],
        [147_000, 3_000, 0],
    ),
    "hold-large-orders": ([{"amount": "10000"}, *[{"amount": "9", "device": "A7"}] * 6], [10_000] + [9] * 6),
    "first-guests": (
        [{"amount": "9", "member": f"Guest{n}"} for n in (*range(100), 7, 100)], [20] * 100 + [0, 0]
    ),
    "stamp-card": ([{"lines": [COFFEE | {"quantity": 9}, CAKE]}, {"lines": [CAKE]}, {"lines": [COFFEE]}], [0, 0, 50]),
    "every-thousand": (
        [{"amount": "999"}, {"amount": "1"}, {"amount": "2500"}, {"amount": "999", "at": "2027-01-01T10:00"}],
        [0, 100, 200, 0],
    ),
    "check-in-streak": (
        [{"kind": "check_in", "at": f"2026-03-{day:02}T10:00"} for day in (1, 2, *range(4, 18))],
        [0] * 8 + [50] + [0] * 6 + [50],
    ),
    "regular-visits": (orders(*(f"2026-03-{day:02}" for day in range(1, 13)), "2026-04-30", "2026-05-01"),
        [50] * 12 + [100, 50]),
    "regular-double": (orders(*(f"2026-03-{day:02}" for day in range(1, 13)), "2026-04-30", "2026-05-01"),
        [50] * 12 + [100, 50]),
    "carried-rate": ([{"amount": "30"}, {"amount": "30"}, {"amount": "19"}, {"amount": "1"}], [0, 1, 0, 1]),
    "explore-stores": (
        [{"amount": "9", "store": store} for store in ("S001", "S001", "S002", "S003", "S003")], [0, 0, 0, 100, 0]
    ),
}  # fmt: skip
TOGETHER = ("regular-visits", "regular-double")
"""Templates of which one gives a tag and the other asks for it."""
PEOPLE = {
    "New": {"joined_on": "2026-03-02"},
    "Partner": {"attributes": {"company": "ACME"}},
    "Brought": {"brought_by": "Ann"},
    "Born": {"birth_on": "1990-03-04"},
}


def test_there_are_more_than_twenty_and_each_has_its_example() -> None:
    assert len(TEMPLATES) > 30
    assert EXAMPLES.keys() == TEMPLATES.keys()
    assert {template.group for template in TEMPLATES.values()} == set(GROUPS)


@pytest.mark.parametrize("code", TEMPLATES)
def test_a_template_passes_as_it_stands_and_reads_well_in_both_languages(code: str) -> None:
    template = TEMPLATES[code]
    content = template.filled("points", UNITS, TODAY)
    check_definition(content, point_types={"points": 1}, units=PATHS)
    assert "$" not in json.dumps(content)
    said = [template.name, template.purpose, *template.blanks]
    assert template.blanks
    assert all(words.en.strip() and words.zh.strip() and words.en != words.zh for words in said)
    for language in ("en", "zh"):
        assert "…" not in rule_sentence(content, Names(), language)


@pytest.mark.parametrize("code", TEMPLATES)
def test_a_template_earns_what_it_should_and_nothing_else(group: CoffeeGroup, code: str) -> None:
    """A multiplier alone gives nothing, and what holds events neither: they are tried beside a rule that gives a point for
    each yuan."""
    events, expected = EXAMPLES[code]
    contents = {
        each: TEMPLATES[each].filled("points", UNITS, TODAY) for each in (TOGETHER if code in TOGETHER else (code,))
    }
    kinds = {effect["effect"] for content in contents.values() for effect in content["effects"]}
    multiplies, holds = "multiply" in kinds, "hold_for_review" in kinds
    publish_all(group, ({"base": BASE} if multiplies or holds else {}) | contents)
    points = tell(group, events, PEOPLE)
    assert points == expected
    by_itself = [
        each - int(event.get("amount", 0)) if multiplies else each for each, event in zip(points, events, strict=True)
    ]
    if holds:
        by_itself = [int(hasattr(event, "held_event")) for event in Event.objects.order_by("pk")]
    assert any(by_itself)
    assert 0 in by_itself


def test_a_template_is_found_by_words_of_either_language() -> None:
    assert [code for code, each in TEMPLATES.items() if each.fits("BIRTHDAY gift")] == ["birthday"]
    assert [code for code, each in TEMPLATES.items() if each.fits("生日礼")] == ["birthday"]
    assert not any(each.fits("birthday nowhere") for each in TEMPLATES.values())


def test_the_gallery_shows_cards_and_opens_a_filled_form(
    client: Client, cast: Cast, group: CoffeeGroup, django_assert_max_num_queries: Any
) -> None:
    client.force_login(cast.marketing, backend="apps.orgs.auth.RoleBackend")
    with django_assert_max_num_queries(12):
        page = client.get(reverse(GALLERY)).content.decode()
    assert page.count("Use this template") == len(TEMPLATES)
    assert "No template fits" in client.get(reverse(GALLERY), {"q": "zzz"}).content.decode()
    assert Words("", "新店开业").in_language("zh") in client.get(
        reverse(GALLERY), {"q": "opening"}, headers={"accept-language": "zh-hans"}
    ).content.decode()  # fmt: skip
    opened = client.get(reverse(ADD), {"template": "new-store", "definition": "{}"})
    form: RuleForm = opened.context["adminform"].form
    content = json.loads(form.initial["definition"])
    assert content["condition"]["all"][1] == {"field": "event.store", "op": "within", "value": ["S001"]}
    assert (form.initial["name"], form.initial["code"]) == ("Opening of a store", "new-store")
    assert "What to decide" in opened.content.decode()
    assert not Rule.objects.exists()


def test_a_tag_that_a_rule_is_to_give_is_offered_before_anybody_has_it(
    client: Client, cast: Cast, group: CoffeeGroup
) -> None:
    publish_all(group, {"visits": TEMPLATES["regular-visits"].filled("points", UNITS, TODAY)})
    client.force_login(cast.marketing, backend="apps.orgs.auth.RoleBackend")
    form: RuleForm = client.get(reverse(ADD)).context["adminform"].form
    assert form.config()["seen"]["member.tags"] == ["regular"]


def test_what_is_no_template_opens_an_ordinary_form(client: Client, cast: Cast, group: CoffeeGroup) -> None:
    client.force_login(cast.marketing, backend="apps.orgs.auth.RoleBackend")
    for asked in ({"template": "none"}, {"like": "x"}, {"like": "9" * 30}, {"like": "1\0"}, {"definition": "{"}):
        form = client.get(reverse(ADD), asked).context["adminform"].form
        assert "points_per_amount" in form.initial["definition"]
        assert not form.initial.get("name")


def test_a_duplicate_begins_like_the_rule_and_reaches_no_other_company(
    client: Client, cast: Cast, group: CoffeeGroup
) -> None:
    definition = {"condition": PURCHASE, "effects": [PER_YUAN], "limits": [CAP_A_DAY | {"most": 7}]}
    for program, unit in ((group.east, "EAST"), (group.west, "WEST")):
        services.create_rule(None, program, group[unit], code="yuan", name="Yuan", definition=definition, when=now())
    own, far = Rule.objects.order_by("pk")
    client.force_login(cast.marketing, backend="apps.orgs.auth.RoleBackend")
    form = client.get(reverse(ADD), {"like": own.pk}).context["adminform"].form
    assert (form.initial["name"], form.initial["code"]) == ("Yuan (copy)", "yuan-2")
    assert json.loads(form.initial["definition"]) == RuleVersion.objects.get(rule=own).definition
    assert not client.get(reverse(ADD), {"like": far.pk}).context["adminform"].form.initial.get("name")
