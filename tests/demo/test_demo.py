"""The demo group: the same seed, the same points; everything in it through the studio's own doors."""

from datetime import date
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import Client

from apps.activity.models import Event
from apps.approvals.models import ApprovalRequest
from apps.members.crypto import decrypt
from apps.members.importing import checking
from apps.members.models import AttributeDefinition, DuplicatePair, Identifier, Member, MemberImport
from apps.orgs.models import OrgUnit, Persona, Staff
from apps.points.models import Posting
from apps.rules.models import HeldEvent, Outcome, Progress, RuleVersion
from config.demo import PASSWORD, Told, make_demo, sign_ins
from tests import databases
from tests.factories import CoffeeGroup

LAST = date(2026, 6, 30)


@pytest.fixture(scope="module")
def story(django_db_setup: None, django_db_blocker: Any) -> Any:
    """A small demo, told once for the whole module in a database of its own."""
    with django_db_blocker.unblock(), databases.scratch("demo"):
        yield make_demo(members=60, months=8, seed=7, last=LAST)
        connection.close()


def test_the_ledger_of_the_demo_holds_and_every_verb_is_in_it(story: Told) -> None:
    assert story.differences == 0
    kinds = set(Posting.objects.values_list("kind", flat=True))
    assert kinds >= {"earn", "release", "redeem", "adjust", "expire", "clawback"}
    assert {"purchase", "refund", "check_in", "registration", "code"} <= set(
        Event.objects.values_list("kind", flat=True)
    )


def test_the_same_seed_gives_the_same_points(story: Told, django_db_blocker: Any) -> None:
    with databases.scratch("again"):
        again = make_demo(members=60, months=8, seed=7, last=LAST)
        connection.close()
    story.api_key = again.api_key = ""
    assert again == story
    assert story.points > 1_000


def test_members_have_the_attributes_that_are_defined(story: Told) -> None:
    assert set(AttributeDefinition.objects.values_list("key", flat=True)) == {
        "legacy_level", "favourite_drinks", "gender", "newsletter",
    }  # fmt: skip
    east = Member.objects.filter(home_unit__path__startswith=OrgUnit.objects.get(code="EAST").path)
    assert set(east.values_list("attributes__legacy_level", flat=True)) <= {None, "basic", "silver", "gold"}
    assert east.filter(attributes__favourite_drinks__contains=["latte"]).exists()
    assert Member.objects.filter(attributes__newsletter=True).exists()


def test_another_seed_is_another_group(story: Told) -> None:
    with databases.scratch("other"):
        other = make_demo(members=20, months=1, seed=8, last=LAST)
        connection.close()
    assert other.points != story.points


def test_everybody_listed_signs_in_and_every_persona_is_there(story: Told) -> None:
    names = {username for username, _who, _where in sign_ins()}
    assert set(Persona.values) < names
    assert set(Staff.objects.values_list("username", flat=True)) == names
    for username in ("marketing", "river_finance"):
        assert Staff.objects.get(username=username).check_password(PASSWORD)
        client = Client()
        client.force_login(Staff.objects.get(username=username), backend="apps.orgs.auth.RoleBackend")
        assert client.get("/").status_code == 200


def test_members_have_chinese_names_and_two_identifiers_at_least(story: Told) -> None:
    assert Member.objects.count() == 60 + story.old_cards + story.twins
    known = Member.objects.filter(state="active")
    assert all(2 <= member.identifiers.count() <= 5 for member in known)
    name = decrypt(bytes(Member.objects.first().name_cipher), "name")
    assert all("\u4e00" <= letter <= "\u9fff" for letter in name)
    assert (
        Identifier.objects.filter(kind="phone").count()
        == 60 + story.old_cards + 4 - Member.objects.filter(state="removed").count()
    )


def test_some_enrolled_twice_and_stand_on_the_board(story: Told) -> None:
    states = list(
        DuplicatePair.objects.filter(second__in=Member.objects.order_by("-pk")[:6]).values_list("state", flat=True)
    )
    assert (sorted(states), story.twins) == (["merged", "open", "open", "open", "open", "open"], 6)


def test_one_file_of_old_cards_is_in_and_another_waits_for_a_person(story: Told) -> None:
    waiting, done = MemberImport.objects.order_by("-pk")
    assert (done.state, story.old_cards) == ("done", 24)
    assert Posting.objects.filter(kind="opening").exists()
    assert waiting.state == "checked"
    found = [(code, value, number) for code, value, number in checking.questions(waiting)]
    assert found == [
        ("store_unknown", "外滩旧店", 2), ("points_negative", "", 1), ("value_unknown:legacy_level", "钻石卡", 1),
    ]  # fmt: skip
    assert waiting.counts == {"new": 30, "question": 4, "refused": 3}


def test_rules_are_in_force_with_a_change_and_drafts_waiting(story: Told) -> None:
    assert RuleVersion.objects.filter(state="published").count() == 17
    assert RuleVersion.objects.filter(state="draft").count() == 3
    reviews = ApprovalRequest.objects.filter(kind="rules.publication").order_by("pk")
    assert list(reviews.values_list("state", "requester__username")) == [("open", "campaigns"), ("open", "marketing")]
    assert OrgUnit.objects.filter(kind="store").count() == 21


def test_orders_wait_for_a_decision_and_members_who_brought_friends_are_thanked(story: Told) -> None:
    assert HeldEvent.objects.filter(decision=None).count() == 3
    assert Outcome.objects.filter(event__kind="friend", points__gt=0).exists()
    assert Progress.objects.filter(rule__code="stamps").exists()


def test_the_command_refuses_a_database_that_holds_something(group: CoffeeGroup) -> None:
    before = OrgUnit.objects.count()
    with pytest.raises(CommandError, match="empty database"):
        call_command("demo")
    assert (OrgUnit.objects.count(), Member.objects.count()) == (before, 0)
