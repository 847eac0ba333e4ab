"""Who works below a programme's unit writes rules for their own place in it."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from apps.orgs.models import Staff
from apps.orgs.querysets import programs_reached
from apps.orgs.services import create_program, grant_role
from apps.rules.models import Rule
from tests.factories import Cast, CoffeeGroup, make_staff
from tests.rules.test_services import DEFINITION, draft

ADD = "rules.add_rule"


@pytest.fixture
def local(group: CoffeeGroup) -> Staff:
    """Marketing of region EAST-N."""
    return make_staff(group["EAST-N"], ["marketing"])


def at(page: str) -> str:
    return reverse(f"admin:rules_rule_{page}")


def test_the_nearest_programme_above_is_reached_and_what_lies_below(
    group: CoffeeGroup, cast: Cast, local: Staff
) -> None:
    whole = create_program(group["G"], code="whole", name="Whole group")
    assert list(programs_reached(local, ADD)) == list(programs_reached(cast.marketing, ADD)) == [group.east]
    assert list(programs_reached(make_staff(group["G"], ["marketing"]), ADD)) == [group.east, group.west, whole]
    assert list(programs_reached(cast.outsider, ADD)) == [group.west]
    assert list(programs_reached(cast.finance, ADD)) == []
    grant_role(None, local, "marketing", group["S101"])
    assert list(programs_reached(Staff.objects.get(pk=local.pk), ADD)) == [group.east, group.west]


def test_a_region_writes_rules_for_itself_in_its_companys_programme(
    client: Client, group: CoffeeGroup, local: Staff
) -> None:
    client.force_login(local, backend="apps.orgs.auth.RoleBackend")
    page = client.get(at("add"), {"template": "base-rate"}).context["adminform"].form
    assert [choice.pk for choice in page.fields["program"].queryset] == [group.east.pk]
    assert [choice.code for choice in page.fields["unit"].queryset] == ["EAST-N", "S001", "S002"]
    assert (page.initial["program"], page.initial["unit"]) == (group.east.pk, group["EAST-N"].pk)
    asked = {"program": group.east.pk, "definition": json.dumps(DEFINITION)}
    assert client.post(at("preview"), asked | {"unit": group["EAST-N"].pk}).json()["faults"] == []
    assert client.post(at("preview"), asked | {"unit": group["EAST"].pk}).status_code == 404
    assert client.post(at("preview"), asked | {"program": group.west.pk}).status_code == 404
    trial = {"unit": group["S001"].pk, "kind": "purchase", "store": group["S001"].pk, "amount": "10"}
    assert client.post(at("try"), asked | trial).json()["points"] == 10
    elsewhere = draft(group, unit=group["EAST-S"]).rule
    assert client.post(at("try"), asked | trial | {"rule": elsewhere.pk}).status_code == 404
    sent = asked | {"name": "Ours", "code": "ours", "unit": group["EAST-N"].pk}
    assert client.post(at("add"), sent).status_code == 302
    rule = Rule.objects.get(code="ours")
    assert (rule.program, rule.unit.code) == (group.east, "EAST-N")
    assert client.post(at("add"), sent | {"code": "theirs", "unit": group["EAST"].pk}).status_code == 200
    assert not Rule.objects.filter(code="theirs").exists()
