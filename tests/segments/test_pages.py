"""The pages of tags, segments and scores, as marketing and others meet them."""

import json
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.approvals.models import ApprovalRequest
from apps.approvals.services.deciding import decide
from apps.core.clock import now
from apps.members.models import Look, MemberTag
from apps.segments.models import Segment, SegmentMember, Tag
from apps.segments.services.defining import create_tag
from apps.segments.services.refreshing import refresh_tag
from apps.segments.services.scoring import score, set_up
from apps.segments.services.tracking import create_segment, refresh_segment
from tests.approvals.conftest import role, step
from tests.factories import Cast, CoffeeGroup
from tests.points.test_requests import hold_at
from tests.rules.conftest import publish
from tests.segments.conftest import REGULAR, WHEN, bought, enrol, orders

MEMBERS = "/members/member/"


@pytest.fixture
def browse(client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`browse("marketing")` is that person's client, on the day of the story."""
    for page in ("tags", "segments", "conditions"):
        monkeypatch.setattr(f"apps.segments.admin.{page}.now", lambda: WHEN)
    monkeypatch.setattr("apps.members.admin.members.now", lambda: WHEN)

    def sign_in(persona: str) -> Client:
        client.force_login(cast[persona], backend="apps.orgs.auth.RoleBackend")
        return client

    return sign_in


def text_of(answer: Any) -> str:
    body = b"".join(answer.streaming_content).decode() if answer.streaming else answer.content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body))


def tag_page(tag: Tag) -> str:
    return f"/segments/tag/{tag.pk}/change/"


def form_of(group: CoffeeGroup, **more: Any) -> dict[str, Any]:
    return {
        "program": group.east.pk, "parent": "", "label": "Often here", "label_zh": "常来", "key": "often",
        "kind": "behaviour", "definition": "Two orders in 30 days", "purpose": "Weekends", "given": "condition",
        "condition": json.dumps(REGULAR), "refresh": "daily", "kept_days": 0, "position": 0, **more,
    }  # fmt: skip


def test_marketing_defines_a_tag_refreshes_it_and_opens_its_members(browse: Any, group: CoffeeGroup) -> None:
    one, two = enrol(group, 2)
    bought(group, one, 2)
    person = browse("marketing")
    made = person.post("/segments/tag/add/", form_of(group))
    assert made.status_code == 302
    tag = Tag.objects.get(key="often")
    assert (tag.condition, tag.purpose) == (REGULAR, "Weekends")
    done = person.post(f"/segments/tag/{tag.pk}/refresh/", follow=True)
    assert "Refreshed: 1 members, 1 entered, 0 left." in text_of(done)
    page = text_of(person.get(tag_page(tag)))
    assert "the number of orders in the last 30 days is at least 2" in page
    assert "fresh" in page
    listed = text_of(person.get(f"{MEMBERS}?in=tag:{tag.pk}"))
    assert f"#{one.pk}" in listed
    assert f"#{two.pk} " not in listed


def test_a_faulty_condition_stands_in_the_form(browse: Any, group: CoffeeGroup) -> None:
    faulty = json.dumps({"all": [{"field": "event.amount", "op": "ge", "value": "1"}]})
    answer = browse("marketing").post("/segments/tag/add/", form_of(group, condition=faulty))
    assert answer.status_code == 200
    assert "Mend the condition" in text_of(answer)
    assert not Tag.objects.exists()


def test_a_tag_that_rules_give_has_no_condition_and_one_above_holds_others(browse: Any, group: CoffeeGroup) -> None:
    person = browse("marketing")
    person.post("/segments/tag/add/", form_of(group, given="above", key="top", is_exclusive="on"))
    top = Tag.objects.get(key="top")
    person.post("/segments/tag/add/", form_of(group, given="rules", key="low", parent=top.pk))
    low = Tag.objects.get(key="low")
    assert (top.condition, low.condition, low.parent) == (None, None, top)
    assert "a member has one of them at most" in text_of(person.get(tag_page(top)))
    listed = text_of(person.get("/segments/tag/"))
    assert "holds others together" in listed
    assert "given by rules" in listed


def test_the_list_costs_the_same_for_more_tags(browse: Any, group: CoffeeGroup) -> None:
    person = browse("auditor")
    create_tag(None, group.east, key="one", label="One", condition=REGULAR)
    person.get("/segments/tag/")
    with CaptureQueriesContext(connection) as few:
        person.get("/segments/tag/")
    for number in range(10):
        create_tag(None, group.east, key=f"more{number}", label="More", condition=REGULAR)
    with CaptureQueriesContext(connection) as many:
        assert "not refreshed yet" in text_of(person.get("/segments/tag/"))
    assert len(many) == len(few)


def test_who_only_reads_changes_nothing(browse: Any, group: CoffeeGroup, regulars: Tag) -> None:
    for persona, status in (("auditor", 403), ("regional_manager", 403), ("outsider", 404)):
        person = browse(persona)
        assert person.post(f"/segments/tag/{regulars.pk}/refresh/").status_code == status
        assert person.get(tag_page(regulars)).status_code == (404 if persona == "outsider" else 200)
    assert person.get("/segments/tag/add/").status_code == 200
    assert browse("auditor").get("/segments/tag/ready/").status_code == 403


def test_what_is_typed_is_told_in_words_with_its_count(browse: Any, group: CoffeeGroup) -> None:
    one, *_rest = enrol(group, 3)
    enrol(group, 2, store="S101")
    bought(group, one, 2)
    create_tag(None, group.east, key="vip", label="Very important", label_zh="贵宾", condition=REGULAR)
    person = browse("marketing")

    def ask(condition: Any, program: Any = group.east.pk) -> Any:
        return person.post("/segments/tag/preview/", {"program": program, "condition": json.dumps(condition)})

    said = ask(REGULAR).json()
    assert said["count"] == "1 of 3 members"
    assert said["sentences"]["zh"] == "最近30天的订单数不低于2"
    asked = {"all": [{"field": "member.tags", "op": "has_any", "value": ["vip"]}]}
    assert ask(asked).json()["sentences"]["en"] == "the member has the tag “Very important”"
    faults = ask({"all": [{"field": "member.age", "op": "ge", "value": ""}]}).json()["faults"]
    assert [fault["path"] for fault in faults] == [["all", 0, "value"]]
    assert ask(REGULAR, group.west.pk).status_code == 404
    assert browse("auditor").post("/segments/tag/preview/", {}).status_code == 403


def test_a_stale_or_failed_tag_says_so_where_it_stands_and_what_asks_for_it(
    browse: Any, group: CoffeeGroup, regulars: Tag
) -> None:
    asked = {"all": [{"field": "member.tags", "op": "has_any", "value": ["regular"]}]}
    rule = publish(group, condition=asked).rule
    Tag.objects.update(last_error="condition")
    page = text_of(browse("marketing").get(tag_page(regulars)))
    assert "Its condition can no longer be read" in page
    assert rule.name in page
    assert "published" in page
    answer = browse("marketing").post(f"/segments/tag/{regulars.pk}/delete/", {"post": "yes"}, follow=True)
    assert "It is in use" in text_of(answer)
    assert Tag.objects.exists()


def test_ready_made_tags_are_one_button_away(browse: Any, group: CoffeeGroup) -> None:
    person = browse("marketing")
    assert "Set up life-cycle stages for East Coffee Club" in text_of(person.get("/segments/tag/ready/"))
    person.post("/segments/tag/ready/", {"program": group.east.pk, "what": "stages"})
    assert Tag.objects.filter(parent__key="life-cycle").count() == 4
    assert "East Coffee Club has them" in text_of(person.get("/segments/tag/ready/"))
    again = person.post("/segments/tag/ready/", {"program": group.east.pk, "what": "stages"}, follow=True)
    assert "has these tags already" in text_of(again)
    person.post("/segments/tag/ready/", {"program": group.east.pk, "what": "rfm", "window_days": "90"})
    assert group.east.rfm.window_days == 90
    assert person.post("/segments/tag/ready/", {"program": group.west.pk, "what": "rfm"}).status_code == 404


def test_the_heat_map_counts_whom_one_sees_and_each_cell_opens_into_them(browse: Any, group: CoffeeGroup) -> None:
    north, south = enrol(group, 5), enrol(group, 1, store="S003")
    for number, member in enumerate(north):
        bought(group, member, number + 1, spent=100 * (number + 1), ago=50 - 10 * number)
    bought(group, south[0], 20, spent=9_000, ago=0)
    set_up(None, group.east, when=WHEN)
    person = browse("marketing")
    assert "Members are being scored" in text_of(person.get("/segments/rfmscheme/map/"))
    score(group.east.pk, WHEN)
    page = person.get("/segments/rfmscheme/map/")
    assert "6 members whom you see" in text_of(page)
    cell = re.search(r'href="([^"]*in=rfm[^"]*-5-5)"', page.content.decode())
    assert cell is not None
    assert f"#{south[0].pk}" in text_of(person.get(cell[1]))
    group_link = re.search(r'href="([^"]*in=rfm[^"]*-lost)"', page.content.decode())
    assert group_link is not None
    assert f"#{north[0].pk}" in text_of(person.get(group_link[1]))
    assert "5 members whom you see" in text_of(browse("regional_manager").get("/segments/rfmscheme/map/"))


@pytest.fixture
def buyers(group: CoffeeGroup) -> Segment:
    return create_segment(None, group.east, key="buyers", label="Buyers", condition=orders(90, "ge", 1))


def test_a_segment_is_saved_previewed_and_leaves_masked_and_on_record(browse: Any, group: CoffeeGroup) -> None:
    one, two = enrol(group, 2)
    bought(group, one, 1)
    person = browse("marketing")
    person.post(
        "/segments/segment/add/",
        {"program": group.east.pk, "label": "Buyers", "key": "buyers", "condition": json.dumps(orders(90, "ge", 1))},
    )
    segment = Segment.objects.get()
    page = person.get(f"/segments/segment/{segment.pk}/change/")
    assert "In it, of those you see 1" in text_of(page)
    assert f"/members/member/{one.pk}/change/" in page.content.decode()
    assert "CS0010" not in page.content.decode()  # the card number, in clear
    for kind in ("csv", "xlsx"):
        person.get(f"{MEMBERS}export/?in=segment:{segment.pk}&format={kind}")
    assert list(Look.objects.filter(kind="export").values_list("what", flat=True)) == [
        f"in=segment%3A{segment.pk}&format={kind}&list=Buyers" for kind in ("csv", "xlsx")
    ]  # fmt: skip
    file = text_of(person.get(f"{MEMBERS}export/?in=segment:{segment.pk}"))
    assert f"#{one.pk}," in file
    assert f"#{two.pk}," not in file


def test_of_a_tracked_segment_the_days_are_told(browse: Any, group: CoffeeGroup, buyers: Segment) -> None:
    (one,) = enrol(group, 1)
    bought(group, one, 1)
    Segment.objects.update(keeps_track=True)
    refresh_segment(buyers.pk, WHEN)
    page = text_of(browse("auditor").get(f"/segments/segment/{buyers.pk}/change/"))
    assert "31 Mar 2026 1 0" in page
    assert SegmentMember.objects.count() == 1


def test_two_segments_compare_and_each_side_opens(browse: Any, group: CoffeeGroup, buyers: Segment) -> None:
    only_buyer, both, only_old = enrol(group, 3)
    for member in (only_buyer, both):
        bought(group, member, 1)
    for member in (both, only_old):
        bought(group, member, 5, ago=120)
    old = create_segment(None, group.east, key="old", label="Old", condition=orders("ever", "ge", 5))
    person = browse("marketing")
    page = text_of(person.get(f"/segments/segment/compare/?one={buyers.pk}&other={old.pk}"))
    assert "In “Buyers”, not in “Old” 1" in page
    assert "In both, “Buyers” and “Old” 1" in page
    for side, member in (("first", only_buyer), ("both", both), ("second", only_old)):
        listed = text_of(person.get(f"{MEMBERS}?in=segments:{buyers.pk}-{old.pk}-{side}"))
        assert re.findall(r"#(\d+)", listed) == [str(member.pk)]


@pytest.mark.parametrize(
    "name", ["", "segment", "segment:", "segment:x", "nothing:1", "segment:99999", "rfm:1-9-9", "tag:1"]
)
def test_a_list_that_is_none_shows_nobody(browse: Any, group: CoffeeGroup, name: str) -> None:
    enrol(group, 1)
    assert browse("marketing").get(MEMBERS, {"in": name}).status_code == (200 if not name else 404)


def test_another_companys_lists_are_as_good_as_none(
    browse: Any, group: CoffeeGroup, buyers: Segment, regulars: Tag
) -> None:
    person = browse("outsider")
    for name in (f"segment:{buyers.pk}", f"tag:{regulars.pk}"):
        assert person.get(MEMBERS, {"in": name}).status_code == 404
    assert person.get(f"/segments/segment/compare/?one={buyers.pk}").status_code == 404


def test_the_member_page_calls_a_tag_by_its_label(browse: Any, group: CoffeeGroup, regulars: Tag) -> None:
    (one,) = enrol(group, 1)
    bought(group, one, 2)
    refresh_tag(regulars.pk, WHEN)
    assert MemberTag.objects.count() == 1
    page = text_of(browse("service").get(f"/members/member/{one.pk}/change/"))
    assert "Regular" in page
    assert "while its condition holds" in page


def test_a_rule_that_asks_for_a_doubtful_tag_says_so(browse: Any, group: CoffeeGroup, regulars: Tag) -> None:
    create_tag(None, group.east, key="by-rule", label="By a rule")
    asked = {"all": [{"field": "member.tags", "op": "has_any", "value": ["regular", "by-rule", "unheard"]}]}
    rule = publish(group, condition=asked).rule
    person = browse("marketing")

    def page() -> str:
        return text_of(person.get(f"/rules/rule/{rule.pk}/change/"))

    before = page()
    assert "The tag “Regular” was never refreshed" in before
    assert "No tag is called “unheard”, and no rule gives it" in before
    assert "No rule gives the tag “By a rule”" in before
    refresh_tag(regulars.pk, now())
    publish(group, {"effect": "tag", "tag": "by-rule"}, {"effect": "tag", "tag": "unheard"})
    assert "About the tags that it asks for" not in page()
    Tag.objects.filter(pk=regulars.pk).update(refreshed_at=WHEN)
    assert "The tag “Regular” is stale" in page()
    Tag.objects.filter(pk=regulars.pk).update(last_error="time")
    assert "It took too long and was given up." in page()


def test_the_condition_of_a_tag_that_rules_ask_for_waits_where_a_policy_says_so(
    browse: Any, group: CoffeeGroup, cast: Cast, regulars: Tag
) -> None:
    hold_at(group, {"bands": [{"name": "All", "when": {"all": []}, "steps": [step(role("finance"))]}]}, "segments.tag")
    asked = {"all": [{"field": "member.tags", "op": "has_any", "value": ["regular"]}]}
    person, values = browse("marketing"), form_of(group, label="Often", condition=json.dumps(orders(30, "ge", 1)))
    assert person.post(tag_page(regulars), values | {"condition": json.dumps(REGULAR)}).status_code == 302
    publish(group, condition=asked)
    assert "This needs approval first" in text_of(person.post(tag_page(regulars), values | {"label": "Now"}))
    sent = person.post(tag_page(regulars), values | {"label": "Now", "reason": "Too few hold it"})
    assert sent.status_code == 302
    regulars.refresh_from_db()
    assert (str(regulars), regulars.condition) == ("Now", REGULAR)
    request = ApprovalRequest.objects.get()
    assert (request.about, request.facts["request.rules"]) == (f"tag:{regulars.pk}", 1)
    page = text_of(browse("finance").get(f"/approvals/approvalrequest/{request.pk}/change/"))
    assert "After: the number of orders in the last 30 days is at least 1" in page
    decide(cast["finance"], request.pk, "approved", seen=request.asked_seal, when=WHEN)
    regulars.refresh_from_db()
    assert regulars.condition == orders(30, "ge", 1)


FINANCE_SAYS = {"bands": [{"name": "All", "when": {"all": []}, "steps": [step(role("finance"))]}]}


def test_how_long_a_tag_that_rules_ask_for_is_kept_waits_and_the_rest_is_done(
    browse: Any, group: CoffeeGroup, cast: Cast, regulars: Tag
) -> None:
    hold_at(group, FINANCE_SAYS, "segments.tag")
    publish(group, condition={"all": [{"field": "member.tags", "op": "has_any", "value": ["regular"]}]})
    values = form_of(group, label="Now", kept_days=30, refresh="by_hand", purpose="Other", reason="Longer")
    assert browse("marketing").post(tag_page(regulars), values).status_code == 302
    regulars.refresh_from_db()
    assert (str(regulars), regulars.purpose, regulars.kept_days, regulars.refresh) == ("Now", "Other", 0, "daily")
    request = ApprovalRequest.objects.get()
    assert request.subject == {"tag": regulars.pk, "values": {"refresh": "by_hand", "kept_days": 30}}
    page = text_of(browse("finance").get(f"/approvals/approvalrequest/{request.pk}/change/"))
    assert "Days kept 0 30" in page
    assert "Refreshed each day by hand" in page
    decide(cast["finance"], request.pk, "approved", seen=request.asked_seal, when=WHEN)
    regulars.refresh_from_db()
    assert (regulars.kept_days, regulars.refresh) == (30, "by_hand")


def test_what_would_be_refused_is_not_sent(browse: Any, group: CoffeeGroup, regulars: Tag) -> None:
    """The mistake: others say yes to a condition that cannot be read."""
    hold_at(group, FINANCE_SAYS, "segments.tag")
    publish(group, condition={"all": [{"field": "member.tags", "op": "has_any", "value": ["regular"]}]})
    faulty = json.dumps({"all": [{"field": "event.amount", "op": "ge", "value": "1"}]})
    answer = browse("marketing").post(tag_page(regulars), form_of(group, condition=faulty, reason="More"))
    assert "Mend the condition" in text_of(answer)
    assert not ApprovalRequest.objects.exists()


def test_a_choice_between_tags_asks_for_a_reason_on_its_own_page(browse: Any, group: CoffeeGroup) -> None:
    hold_at(group, FINANCE_SAYS, "segments.tag")
    top = create_tag(None, group.east, key="one-of", label="One of", is_exclusive=True)
    for number, key in enumerate(("first", "second")):
        create_tag(None, group.east, key=key, label=key, parent=top, condition=REGULAR, position=number)
    person = browse("marketing")
    assert "data-condition" not in person.get(tag_page(top)).content.decode()
    assert "data-condition" in person.get(tag_page(Tag.objects.get(key="first"))).content.decode()
    assert 'name="reason"' not in person.get(tag_page(top)).content.decode()
    publish(group, condition={"all": [{"field": "member.tags", "op": "has_any", "value": ["second"]}]})
    assert 'name="reason"' in person.get(tag_page(top)).content.decode()
    values = {"label": "One of", "kind": "behaviour", "position": 0}  # the box is not ticked any more
    assert "This needs approval first" in text_of(person.post(tag_page(top), values))
    person.post(tag_page(top), values | {"reason": "Both may be"})
    assert ApprovalRequest.objects.get().subject == {"tag": top.pk, "values": {"is_exclusive": False}}
    assert Tag.objects.get(pk=top.pk).is_exclusive


def test_the_days_that_rfm_groups_look_at_wait_where_rules_ask_for_a_group(
    browse: Any, group: CoffeeGroup, cast: Cast
) -> None:
    set_up(None, group.east, when=WHEN)
    hold_at(group, FINANCE_SAYS, "segments.tag")
    publish(group, condition={"all": [{"field": "member.tags", "op": "has_any", "value": ["rfm-lost"]}]})
    person, ready = browse("marketing"), "/segments/tag/ready/"
    values = {"program": group.east.pk, "what": "rfm", "window_days": "90"}
    assert person.post(ready, values | {"window_days": "365"}).status_code == 302
    assert "Send the request" in text_of(person.post(ready, values))
    person.post(ready, values | {"send_request": "1", "key": "a", "reason": "A shorter season"})
    group.east.rfm.refresh_from_db()
    assert group.east.rfm.window_days == 365
    request = ApprovalRequest.objects.get()
    page = text_of(browse("finance").get(f"/approvals/approvalrequest/{request.pk}/change/"))
    assert "Days looked at 365 90" in page
    decide(cast["finance"], request.pk, "approved", seen=request.asked_seal, when=WHEN)
    group.east.rfm.refresh_from_db()
    assert group.east.rfm.window_days == 90
