"""A policy's life on its page: begun, written, tried, published, held by another policy, compared, switched off."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from pytest_django.asserts import assertContains, assertNotContains

from apps.approvals.comparing import differences
from apps.approvals.definition import Definition, Faulty, check_definition
from apps.approvals.models import ApprovalRequest, Policy, PolicyVersion
from apps.approvals.routing import policy_in_force
from apps.approvals.services.deciding import decide
from apps.approvals.services.policies import (
    PolicyPublication,
    PolicySwitch,
    create_policy,
    save_policy_draft,
    switch_policy,
)
from apps.approvals.templates_of import STARTS, starts_for
from apps.core.clock import now
from apps.orgs.gate import ApprovalNeeded, kinds
from apps.orgs.models import Staff
from tests.approvals.conftest import BANDS, Desk, Gauge, from_size, role, step
from tests.factories import make_staff

pytestmark = pytest.mark.django_db
PAGE = "/approvals/policy/"
NO_STEPS: dict[str, Any] = {"bands": [{"name": "Small", "why": "", "when": from_size(10), "steps": []}]}


@pytest.fixture
def browse(desk: Desk) -> Any:
    """`browse("administrator")` is a window of that person."""

    def window(person: str | Staff = "administrator") -> Client:
        client = Client()
        client.force_login(
            desk.cast[person] if isinstance(person, str) else person, backend="apps.orgs.auth.RoleBackend"
        )
        return client

    return window


def begun(desk: Desk, definition: Any = BANDS, unit: str = "EAST") -> PolicyVersion:
    return create_policy(desk.cast["administrator"], desk.group[unit], Gauge.code, definition=definition, when=now())


def sent(definition: Any, **more: Any) -> dict[str, str]:
    return {"definition": json.dumps(definition), **{name: str(value) for name, value in more.items()}}


def test_a_policy_is_begun_from_a_start_and_read_as_sentences(desk: Desk, browse: Any) -> None:
    window = browse()
    answer = window.post(f"{PAGE}add/", {"kind": Gauge.code, "unit": desk.group["EAST"].pk, "start": "bands"})
    policy = Policy.objects.get()
    assert answer.url == f"{PAGE}{policy.pk}/change/"
    assert [band["name"] for band in policy.versions.get().definition["bands"]] == ["5,000 and more", "1,000 and more"]
    page = window.get(answer.url)
    assertContains(
        page, "When size is at least 5,000: Regional manager, then Finance, then Vice president must say yes."
    )
    assertContains(page, "A draft: it asks nobody until it is published.")


def test_a_start_that_does_not_fit_what_is_asked_for_is_refused(desk: Desk, browse: Any) -> None:
    sent_form = {"kind": PolicySwitch.code, "unit": desk.group["EAST"].pk, "start": "bands"}
    assertContains(browse().post(f"{PAGE}add/", sent_form), "This does not fit what is asked for; choose another.")
    assert not Policy.objects.exists()


@pytest.mark.parametrize("start", STARTS, ids=lambda start: start.code)
def test_every_start_is_a_policy_that_can_be_saved_wherever_it_fits(start: Any) -> None:
    for kind in kinds():
        if start in starts_for(kind):
            for language in ("en", "zh-hans"):
                check_definition(kind, start.definition(kind, language), units={}, people=frozenset())


def test_everybody_reads_what_is_in_force_and_only_administrators_find_an_editor(desk: Desk, browse: Any) -> None:
    desk.policy(BANDS, unit="EAST")
    pk = Policy.objects.get().pk
    page = browse("service").get(f"{PAGE}{pk}/change/")
    assertContains(page, "When size is at least 1,000: Regional manager must say yes.")
    assertNotContains(page, "data-policy-editor")
    assertContains(browse("service").get(PAGE), "Gauge")
    assert browse("service").post(f"{PAGE}{pk}/draft/").status_code == 403


def test_a_policy_tells_its_units_time_and_why_somebody_cannot_change_it(desk: Desk, browse: Any) -> None:
    version = desk.policy(BANDS, unit="EAST")
    PolicyVersion.objects.filter(pk=version.pk).update(published_at=datetime(2026, 5, 3, 16, 30, tzinfo=UTC))
    page = f"{PAGE}{version.policy_id}/change/"
    theirs, own = (browse(who).get(page) for who in ("service", "administrator"))
    assertContains(theirs, "4 May 2026, 00:30")
    assertContains(theirs, "Times are those of Asia/Shanghai.")
    why = f"/why/?permission=approvals.change_policyversion&amp;row=approvals.policy%3A{version.policy_id}"
    assertContains(theirs, why)
    assertNotContains(own, "why can I not?")
    assertContains(browse("service").get(PAGE), "/why/?permission=approvals.add_policy")
    assertNotContains(browse("administrator").get(PAGE), "/why/?permission")


def test_the_preview_gives_sentences_faults_and_what_is_covered(desk: Desk, browse: Any) -> None:
    pk = begun(desk).policy_id
    preview = f"{PAGE}{pk}/preview/"
    said = browse().post(preview, sent(BANDS)).json()
    assert said["sentences"][1] == "When size is at least 1,000: Regional manager must say yes."
    assert [remark["text"] for remark in said["remarks"]] == [
        "“Large” and “Medium” both fit when size is at least 5,000: “Large” stands higher and decides.",
        "Nothing above fits when size is at most 999: such a request is carried out at once.",
    ]
    assert said["remarks"][1]["facts"] == {"request.size": 999}
    late = {"bands": [{"name": "", "when": from_size(1), "steps": [
        step({"who": {"kind": "person", "person": ""}, "need": "any"}, hours=2, remind=3),
        step({"who": {"kind": "person", "person": "nobody"}, "need": "any"}),
    ]}]}  # fmt: skip
    faults = browse().post(preview, sent(late)).json()
    assert {"/".join(map(str, fault["path"])): fault["message"] for fault in faults["faults"]} == {
        "bands/0/name": "Give it a name.",
        "bands/0/steps/0/parties/0/who/person/person": "Say who decides.",
    }
    assert faults["remarks"] == []
    named = {"bands": [{"name": "A", "when": from_size(1), "steps": [late["bands"][0]["steps"][1]]}]}
    assert browse().post(preview, sent(named)).json()["faults"] == [
        {"path": ["bands", 0, "steps", 0, "parties", 0, "who", "person"], "message": "Nobody signs in with this name."}
    ]


def test_two_bands_of_one_name_are_refused() -> None:
    band = {"name": "Same", "when": {"all": []}}
    with pytest.raises(Faulty) as refused:
        check_definition(Gauge.code, {"bands": [band, band]}, units={}, people=None)
    assert [(fault.path, fault.code) for fault in refused.value.faults] == [(("bands", 1, "name"), "name_taken")]


def test_what_somebody_else_saved_meanwhile_is_shown_and_nothing_is_lost(desk: Desk, browse: Any) -> None:
    draft = begun(desk, NO_STEPS)
    save = f"{PAGE}{draft.policy_id}/save/"
    mine = {"bands": [{**NO_STEPS["bands"][0], "when": from_size(20)}], "otherwise": "at_once"}
    assert browse().post(save, sent(mine, revision=1)).json()["saved"]["revision"] == 2
    other = {"bands": [{**NO_STEPS["bands"][0], "when": from_size(30)}], "otherwise": "at_once"}
    said = browse().post(save, sent(other, revision=1)).json()
    assert said["theirs"]["revision"] == 2
    assert said["differences"] == ["“Small” fits when: size is at least 20 → size is at least 30"]
    draft.refresh_from_db()
    assert draft.definition["bands"][0]["when"] == from_size(20)
    assert "faults" in browse().post(save, {"definition": "{", "revision": "2"}).json()


def test_a_draft_is_published_replaced_and_the_versions_compared(desk: Desk, browse: Any) -> None:
    draft = begun(desk)
    page, window = f"{PAGE}{draft.policy_id}/", browse()
    window.post(f"{page}publish/", {"revision": draft.revision})
    draft.refresh_from_db()
    assert draft.state == "published"
    window.post(f"{page}draft/")
    newer = PolicyVersion.objects.get(state="draft")
    changed = {"bands": [BANDS["bands"][0], {**BANDS["bands"][1], "name": "From 900", "when": from_size(900)}]}
    assert "saved" in window.post(f"{page}save/", sent(changed, revision=1)).json()
    stale = window.post(f"{page}publish/", {"revision": 1}, follow=True)
    assertContains(stale, "saved this draft since you opened it")
    window.post(f"{page}publish/", {"revision": 2})
    newer.refresh_from_db()
    assert (newer.state, PolicyVersion.objects.get(pk=draft.pk).state) == ("published", "replaced")
    compared = window.get(f"{page}change/?one=1&other=2")
    assertContains(compared, "Removed: “Medium”. When size is at least 1,000: Regional manager must say yes.")
    assertContains(compared, "Added: “From 900”. When size is at least 900: Regional manager must say yes.")
    window.post(f"{page}switch/", {"is_active": "0"})
    assert not Policy.objects.get().is_active
    assertContains(window.get(f"{page}change/"), "Switched off: it asks nobody.")


def test_a_discarded_draft_is_gone_and_another_can_begin(desk: Desk, browse: Any) -> None:
    draft = begun(desk)
    page, window = f"{PAGE}{draft.policy_id}/", browse()
    window.post(f"{page}discard/")
    assert not PolicyVersion.objects.exists()
    assert window.get(f"{page}change/").status_code == 200
    window.post(f"{page}draft/")
    assert PolicyVersion.objects.get().definition == {"bands": [], "otherwise": "at_once"}


def test_where_a_policy_holds_policies_publishing_sends_a_request_and_says_to_whom(desk: Desk, browse: Any) -> None:
    every = {"bands": [{"name": "All", "when": {"all": []}, "steps": [step(role("vice_president"))]}]}
    desk.policy(every, kind=PolicyPublication.code)
    draft = begun(desk)
    page, window = f"{PAGE}{draft.policy_id}/", browse()
    assertContains(window.get(f"{page}change/"), "This needs a yes first, from")
    assertContains(window.post(f"{page}publish/", {"revision": 1, "reason": ""}, follow=True), "Give a reason")
    answer = window.post(f"{page}publish/", {"revision": 1, "reason": "Costs rise"}, follow=True)
    request = ApprovalRequest.objects.get(state="open")
    assertContains(answer, f"Sent as request #{request.pk}. It waits for vice_president.")
    assertContains(answer, "Waits for approval")
    seen = request.read_subject().effect(request.requester, now())
    assert PolicyPublication.say(seen.lines[1], "en")[0].startswith("When size is at least 5,000: Regional manager")
    decide(desk.cast["vice_president"], request.pk, "approved", seen=request.seal(seen), when=now())
    draft.refresh_from_db()
    assert draft.state == "published"


def test_whoever_wrote_a_draft_does_not_decide_on_it_though_another_sent_it(desk: Desk, browse: Any) -> None:
    every = {"bands": [{"name": "All", "when": {"all": []}, "steps": [step(role("administrator"))]}]}
    desk.policy(every, kind=PolicyPublication.code)
    draft = begun(desk)
    second, third = (make_staff(desk.group["EAST"], ["administrator"]) for _ in range(2))
    browse(second).post(f"{PAGE}{draft.policy_id}/publish/", {"revision": 1, "reason": "Together"})
    asked = ApprovalRequest.objects.get(state="open").tasks.values_list("person_id", flat=True)
    assert list(asked) == [third.pk]


def test_a_draft_changed_after_it_was_sent_is_not_what_was_approved(desk: Desk, browse: Any) -> None:
    every = {"bands": [{"name": "All", "when": {"all": []}, "steps": [step(role("vice_president"))]}]}
    desk.policy(every, kind=PolicyPublication.code)
    draft = begun(desk)
    browse().post(f"{PAGE}{draft.policy_id}/publish/", {"revision": 1, "reason": "Costs rise"})
    request = ApprovalRequest.objects.get(state="open")
    save_policy_draft(None, draft, NO_STEPS, when=now())
    decide(desk.cast["vice_president"], request.pk, "approved", seen="x", when=now())
    request.refresh_from_db()
    draft.refresh_from_db()
    assert (request.state, draft.state) == ("closed", "draft")


def test_a_made_up_request_is_answered_with_its_band_and_people(desk: Desk, browse: Any) -> None:
    pk = begun(desk).policy_id
    facts = json.dumps({"request.size": "5000"})
    said = browse().post(f"{PAGE}{pk}/try/", sent(BANDS, facts=facts, unit="EAST-N")).json()
    assert said["band"] == 0
    assert "regional_manager" in said["html"]
    wrong = browse().post(f"{PAGE}{pk}/try/", sent(BANDS, facts=json.dumps({"request.size": "x"}))).json()
    assert wrong == {"faults": {"request.size": "Expected a number."}}


def test_past_requests_are_counted_for_the_editor_and_named_only_to_who_reads_them(desk: Desk, browse: Any) -> None:
    desk.when = now()
    mine = desk.ask(6000)
    pk = begun(desk).policy_id
    html = browse().post(f"{PAGE}{pk}/past/", sent(BANDS)).json()["html"]
    assert "1 request was looked at." in html
    assert f"+6000 {mine.unit.code}" in html
    desk.grant(desk.cast["administrator"], "shop", "EAST")
    none = browse().post(f"{PAGE}{pk}/past/", sent({"bands": []})).json()["html"]
    assert "0 would have gone another road." in none


def test_people_are_found_by_a_part_of_their_name_within_reach(desk: Desk, browse: Any) -> None:
    found = browse().get(f"{PAGE}people/?term=finan").json()["people"]
    assert found == [["finance", "finance", "East Coffee"]]
    assert browse().get(f"{PAGE}people/?term=outsider").json() == {"people": []}
    assert browse().get(f"{PAGE}people/?term=").json() == {"people": []}


def test_differences_name_what_changed_in_words() -> None:
    older, newer = (Definition.model_validate(each) for each in (BANDS, {
        "bands": [
            {"name": "Medium", "why": "New", "when": from_size(1000),
             "steps": [step(role("regional_manager", "all"), hours=8, remind=4, escalate=[{"kind": "manager"}])]},
            {"name": "Very large", "when": from_size(5000), "steps": BANDS["bands"][0]["steps"]},
        ],
        "otherwise": "refused",
    }))  # fmt: skip
    assert differences(Gauge.code, older, newer, "en") == [
        "“Medium” asks: Regional manager → every Regional manager (within 8 working hours, reminded after 4; then the "
        "requester's manager may decide, too)",
        "“Medium”, why: “” → “New”",
        "“Large” is now called “Very large”.",
        "Order: “Very large”, “Medium” → “Medium”, “Very large”",
        "Whatever fits nothing above is carried out at once. → Whatever fits nothing above is refused.",
    ]
    assert differences(Gauge.code, older, older, "en") == []


EVERYBODY = {"bands": [{"name": "all", "when": {"all": []}, "steps": [step(role("vice_president"))]}]}


def test_what_holds_the_publication_of_policies_holds_their_switch(desk: Desk) -> None:
    policy = desk.policy({"bands": [], "otherwise": "refused"}, "EAST").policy
    own = desk.policy(EVERYBODY, "EAST", "approvals.policy").policy
    for each in (policy, own):
        with pytest.raises(ApprovalNeeded):
            switch_policy(desk.cast["administrator"], each, False, when=desk.when)
    desk.policy({"bands": [], "otherwise": "at_once"}, "WEST", "approvals.switch")
    desk.policy(EVERYBODY, "WEST", "approvals.policy")
    in_force = policy_in_force("approvals.switch", desk.group["WEST"])
    assert in_force is not None
    assert in_force.policy.kind == "approvals.switch"


def test_everybody_who_wrote_a_draft_is_kept_from_deciding_not_the_last_one_alone(desk: Desk) -> None:
    draft = create_policy(desk.cast["administrator"], desk.group["EAST"], Gauge.code, when=desk.when)
    second = make_staff(desk.group["EAST"], ["administrator"])
    save_policy_draft(second, draft, EVERYBODY, when=desk.when)
    found = PolicyPublication(version=draft.pk, revision=2).excluded()
    assert found == {desk.cast.administrator.pk, second.pk}
