"""The pages of rules: what each verb's door does, and whom it lets through."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.core.clock import now
from apps.rules import services
from apps.rules.models import Rule, RuleVersion
from tests.factories import Cast, CoffeeGroup
from tests.rules.conftest import CAP_A_DAY, PER_YUAN, PURCHASE

DEFINITION: dict[str, Any] = {"condition": PURCHASE, "effects": [PER_YUAN], "limits": []}
WRONG = DEFINITION | {"limits": [CAP_A_DAY | {"most": -1}]}


@pytest.fixture
def marketing(client: Client, cast: Cast) -> Client:
    client.force_login(cast.marketing, backend="apps.orgs.auth.RoleBackend")
    return client


@pytest.fixture
def draft(group: CoffeeGroup) -> RuleVersion:
    return services.create_rule(
        None, group.east, group["EAST"], code="yuan", name="Yuan", definition=DEFINITION, when=now()
    )


def at(page: str, *args: Any) -> str:
    return reverse(f"admin:rules_rule_{page}", args=args)


def preview(client: Client, group: CoffeeGroup, definition: Any, **more: Any) -> Any:
    asked = {"program": group.east.pk, "unit": group["EAST"].pk, "definition": json.dumps(definition)} | more
    return client.post(at("preview"), asked)


def test_a_code_that_is_taken_is_told_at_the_code(group: CoffeeGroup, marketing: Client, draft: RuleVersion) -> None:
    form = {
        "name": "X", "code": "yuan", "program": group.east.pk, "unit": group["EAST"].pk,
        "definition": json.dumps(DEFINITION),
    }  # fmt: skip
    answer = marketing.post(at("add"), form)
    assert answer.context["adminform"].form.errors == {
        "code": ["This programme already has a rule with the code “yuan”."]
    }


def test_a_draft_is_published_and_its_successor_drafted_compared_and_discarded(
    marketing: Client, draft: RuleVersion
) -> None:
    marketing.post(at("publish", draft.rule_id), {"start": "at", "at": "2020-01-01T00:00", "revision": "1"})
    draft.refresh_from_db()
    assert draft.starts_at is not None
    assert (draft.state, draft.starts_at.isoformat()) == ("published", "2019-12-31T16:00:00+00:00")
    marketing.post(at("draft", draft.rule_id), {"version": draft.pk})
    second = RuleVersion.objects.get(number=2)
    services.save_draft(None, second, DEFINITION | {"limits": [CAP_A_DAY | {"most": 50}]}, when=now())
    page = marketing.get(at("change", draft.rule_id), {"one": "1", "other": "2"}).content.decode()
    assert "Added: at most 50 points a day for one member" in page
    marketing.post(at("discard", draft.rule_id))
    assert list(RuleVersion.objects.values_list("number", flat=True)) == [1]
    marketing.post(at("retire", draft.rule_id), {"start": "now"})
    draft.refresh_from_db()
    assert draft.state == "retired"


def test_an_old_version_comes_back_as_the_draft_only_over_what_was_read(marketing: Client, draft: RuleVersion) -> None:
    services.publish_version(None, draft, when=now())
    second = services.start_draft(None, draft, when=now())
    services.save_draft(None, second, DEFINITION | {"limits": [CAP_A_DAY | {"most": 50}]}, when=now())
    page = marketing.get(at("change", draft.rule_id)).content.decode()
    assert "Restore as draft…" in page
    assert "Stop at once…" not in page  # it starts in two seconds
    for revision in ("", "1", "x"):
        marketing.post(at("draft", draft.rule_id), {"version": draft.pk, "revision": revision})
        second.refresh_from_db()
        assert second.definition["limits"] == [CAP_A_DAY | {"most": 50}]
    marketing.post(at("draft", draft.rule_id), {"version": draft.pk, "revision": "2"})
    second.refresh_from_db()
    assert (second.definition["limits"], second.revision) == ([], 3)


def test_what_is_scheduled_stands_in_the_list_with_its_start_in_the_programmes_zone(
    marketing: Client, draft: RuleVersion
) -> None:
    services.publish_version(None, draft, starts_at=datetime(2035, 1, 1, tzinfo=UTC), when=now())
    page = marketing.get(at("changelist"), {"standing": "scheduled"}).content.decode()
    assert "Scheduled</span>" in page
    assert "<small>from 1 Jan 2035, 08:00</small>" in page
    assert "Version 1 is scheduled: it starts on" in marketing.get(at("change", draft.rule_id)).content.decode()


def test_a_live_rule_is_stopped_at_once(marketing: Client, draft: RuleVersion) -> None:
    services.publish_version(None, draft, starts_at=now() - timedelta(days=1), when=now())
    assert "Stop at once…" in marketing.get(at("change", draft.rule_id)).content.decode()
    marketing.post(at("retire", draft.rule_id), {"start": "now"})
    draft.refresh_from_db()
    assert draft.ends_at is not None
    assert draft.ends_at - now() < timedelta(seconds=5)


def test_a_refusal_is_read_on_the_rules_own_page(marketing: Client, draft: RuleVersion) -> None:
    answer = marketing.post(at("publish", draft.rule_id), {"start": "now", "revision": "9"}, follow=True)
    assert answer.redirect_chain == [(at("change", draft.rule_id), 302)]
    assert "Somebody changed this since you opened it" in answer.content.decode()
    assert RuleVersion.objects.get().state == "draft"


def test_a_rule_that_is_not_there_or_wrong_json_is_no_server_error(marketing: Client, group: CoffeeGroup) -> None:
    for sent in ("", "{", "[" * 5000, "NaN", "null", '"x"', "[]", "{}", json.dumps(WRONG)):
        asked = {"program": group.east.pk, "unit": group["EAST"].pk, "definition": sent}
        answer = marketing.post(at("preview"), asked)
        assert answer.status_code == 200
        assert answer.json()["faults"]
        trial = marketing.post(at("try"), asked | {"kind": "purchase", "store": group["S001"].pk, "amount": "1"})
        assert trial.json()["refusal"]
    page = marketing.post(at("add"), {"name": "X", "code": "x", "program": group.east.pk, "unit": group["EAST"].pk,
                                      "definition": "{"})  # fmt: skip
    assert page.status_code == 200
    assert not Rule.objects.exists()


def test_an_amount_that_is_none_is_refused_in_words(marketing: Client, group: CoffeeGroup) -> None:
    asked = {"program": group.east.pk, "unit": group["EAST"].pk, "definition": json.dumps(DEFINITION), "kind": "purchase",
             "store": group["S001"].pk}  # fmt: skip
    for amount in ("lots", "NaN", "1e40", "-Infinity"):
        assert "refusal" in marketing.post(at("try"), asked | {"amount": amount}).json(), amount
    assert marketing.post(at("try"), asked | {"amount": "12.99", "at": "not a time"}).json()["points"] == 12


def test_a_trial_that_asks_about_history_says_that_its_member_has_none(marketing: Client, group: CoffeeGroup) -> None:
    asked = {
        "program": group.east.pk,
        "unit": group["EAST"].pk,
        "kind": "purchase",
        "store": group["S001"].pk,
        "amount": "12",
    }
    first = {"field": "history.orders", "window": "ever", "op": "eq", "value": 0}
    for condition, points, is_said in ((first, 12, True), ({"not": first}, 0, True), ({"all": []}, 12, False)):
        sent = asked | {"definition": json.dumps(DEFINITION | {"condition": condition})}
        told = marketing.post(at("try"), sent).json()
        assert (told["points"], bool(told["history"])) == (points, is_said)


def test_preview_and_trial_reach_no_other_company(marketing: Client, group: CoffeeGroup) -> None:
    assert preview(marketing, group, DEFINITION).json()["faults"] == []
    far = {"program": group.west.pk, "unit": group["WEST"].pk}
    for asked in (far, {"unit": group["WEST"].pk}, {"program": "x"}, {"program": 87_654_321}):
        assert preview(marketing, group, DEFINITION, **asked).status_code == 404
    store = {"store": group["S101"].pk, "kind": "purchase"}
    asked = {"program": group.east.pk, "unit": group["EAST"].pk, "definition": json.dumps(DEFINITION)} | store
    assert marketing.post(at("try"), asked).status_code == 404
    named = DEFINITION | {"condition": {"all": [{"field": "event.store", "op": "within", "value": ["S101"]}]}}
    answer = preview(marketing, group, named).json()
    assert [fault["path"] for fault in answer["faults"]] == [["condition", "all", 0, "value"]]
    assert "Old Town" not in json.dumps(answer)


def test_autosave_saves_what_was_read_and_else_tells_what_is_there(marketing: Client, draft: RuleVersion) -> None:
    def autosave(definition: Any, revision: Any) -> Any:
        sent = {"definition": json.dumps(definition), "revision": revision}
        return marketing.post(at("autosave", draft.rule_id), sent).json()

    saved = autosave(DEFINITION | {"limits": [CAP_A_DAY | {"most": 20}]}, 1)["saved"]
    assert (saved["revision"], saved["who"]) == (2, "marketing")
    for stale in (1, "", "x", "9" * 30):
        told = autosave(DEFINITION | {"limits": [CAP_A_DAY | {"most": 30}]}, stale)
        assert told["theirs"]["revision"] == 2
        assert told["definition"]["limits"] == [CAP_A_DAY | {"most": 20}]
        assert told["differences"] == [
            "Limit: at most 20 points a day for one member → at most 30 points a day for one member"
        ]
    assert [fault["path"] for fault in autosave(WRONG, 2)["faults"]] == [["limits", 0, "most"]]
    services.publish_version(None, draft, when=now())
    assert "published and stays as it is" in autosave(DEFINITION, 2)["refusal"]
    draft.refresh_from_db()
    assert draft.definition["limits"] == [CAP_A_DAY | {"most": 20}]


@pytest.mark.parametrize("persona", ["finance", "regional_manager", "auditor"])
def test_who_reads_rules_changes_none(client: Client, cast: Cast, draft: RuleVersion, persona: str) -> None:
    client.force_login(cast[persona], backend="apps.orgs.auth.RoleBackend")
    page = client.get(at("change", draft.rule_id))
    assert page.status_code == 200
    assert "For each ¥1 spent, members earn 1 point" in page.content.decode()
    for verb in ("publish", "draft", "discard", "retire"):
        assert client.post(at(verb, draft.rule_id)).status_code == 403
    assert client.post(at("preview")).status_code == 403
    assert RuleVersion.objects.get().state == "draft"


def test_the_list_asks_a_constant_number_of_queries(
    marketing: Client, group: CoffeeGroup, django_assert_max_num_queries: Any
) -> None:
    for number in range(6):
        version = services.create_rule(
            None, group.east, group["EAST"], code=f"r{number}", name=f"R{number}", definition=DEFINITION, when=now()
        )
        services.publish_version(None, version, when=now())
        services.start_draft(None, version, when=now())
    with django_assert_max_num_queries(12):
        page = marketing.get(at("changelist"))
    assert page.content.decode().count("For each ¥1 spent, members earn 1 point") == 6
