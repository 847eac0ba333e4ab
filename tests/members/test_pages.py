"""The member list, the member page and what is done there, as customer service meets them."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.activity.services import source_for
from apps.core import lists
from apps.core.clock import now
from apps.members import services
from apps.members.models import Look, Member, MemberChange
from apps.members.services import searching
from apps.points import services as points
from apps.points.models import Account, Posting
from apps.points.services.types import change_point_type, create_point_type
from tests.factories import Cast, CoffeeGroup
from tests.members.conftest import CARD, EMAIL, NAME, PHONE, WHEN
from tests.rules.conftest import PER_YUAN, Till, publish, purchase

LIST = "/members/member/"


def page_of(member: Member) -> str:
    return reverse("admin:members_member_change", args=[member.pk])


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


CLEAR = (NAME, PHONE, EMAIL, CARD, "1990")


@pytest.mark.parametrize("persona", ["service", "marketing", "auditor", "regional_manager", "finance"])
def test_list_page_history_and_file_show_masks_only(browse: Any, wang: Member, persona: str) -> None:
    person = browse(persona)
    for path in (LIST, page_of(wang), f"{LIST}export/", f"{LIST}{wang.pk}/history/"):
        answer = person.get(path)
        body = b"".join(answer.streaming_content).decode() if answer.streaming else answer.content.decode()
        assert "138****1234" in body
        assert [value for value in CLEAR if value in body] == []


@pytest.mark.parametrize("term", [PHONE, "+86 138 1234 1234", EMAIL, CARD.lower(), "1234", "2345"])
def test_a_search_that_finds_one_member_leads_to_the_page_and_is_on_record(
    browse: Any, wang: Member, term: str
) -> None:
    answer = browse("service").get(LIST, {"q": term})
    assert answer.headers["Location"] == page_of(wang)
    assert Look.objects.get().member == wang


def test_a_search_is_put_on_record_once(browse: Any, group: CoffeeGroup, wang: Member) -> None:
    services.create_member(None, group["S002"], identifiers=[("card", "D1234")], when=WHEN)
    answer = browse("service").get(LIST, {"q": "1234"})
    assert [row.pk for row in answer.context_data["cl"].result_list] == sorted(
        Member.objects.values_list("pk", flat=True), reverse=True
    )
    assert [(look.what, look.found) for look in Look.objects.all()] == [("****1234", 2)]


def test_the_box_finds_members_as_the_list_does_and_pages_beside_them(browse: Any, wang: Member) -> None:
    service = browse("service")
    assert page_of(wang) in service.post("/search/", {"s": PHONE}).content.decode()
    named = text_of(service.post("/search/", {"s": "小明"}))
    assert f"王** #{wang.pk} Lakeside · 138****1234, x***@example.com" in named
    assert f"王** #{wang.pk} Lakeside · Card ****2345" in text_of(service.get("/search/", {"s": "2345"}))
    pages = service.post("/search/", {"s": "Members"}).content.decode()
    assert LIST in pages
    assert page_of(wang) not in pages
    assert [look.what for look in Look.objects.order_by("pk")] == ["138****1234", "name ****", "****2345", "name ****"]


@pytest.mark.parametrize("term", [NAME, "小明", PHONE, EMAIL, CARD, "1234", "2345"])
def test_the_box_shows_masks_only_and_tells_an_outsider_as_much_as_of_nobody(
    browse: Any, wang: Member, term: str
) -> None:
    answer = browse("marketing").post("/search/", {"s": term})
    assert page_of(wang) in answer.content.decode()
    assert [value for value in CLEAR if value in answer.content.decode()] == []
    assert answer.headers["Cache-Control"].startswith("no-store")
    outsider = browse("outsider")
    nobody = outsider.post("/search/", {"s": "赵" if term in NAME else "zz9999zz"}).content
    assert outsider.post("/search/", {"s": term}).content == nobody


def test_the_box_says_when_there_are_more_and_where_they_are_listed(browse: Any, group: CoffeeGroup) -> None:
    for number in range(7):
        services.create_member(None, group["S001"], identifiers=[("card", f"E{number}")], name="赵云", when=WHEN)
    shown = browse("service").post("/search/", {"s": "赵"}).content.decode()
    assert (shown.count("赵**"), "/members/member/?q=%E8%B5%B5" in shown) == (6, True)
    assert browse("service").get(LIST, {"q": "赵"}).context_data["cl"].result_count == 7


def test_a_closed_member_is_marked_in_the_box(browse: Any, wang: Member) -> None:
    services.close_member(None, wang.pk, reason="left", when=WHEN)
    assert f"王** #{wang.pk} Closed" in text_of(browse("service").post("/search/", {"s": "1234"}))


def test_who_searches_without_end_reads_so_in_the_box_and_over_the_list(
    browse: Any, wang: Member, monkeypatch: Any
) -> None:
    monkeypatch.setattr(searching, "MOST_SEARCHES", 0)
    service = browse("service")
    refused = service.post("/search/", {"s": "members"})
    assert "You have searched for very many members just now" in text_of(refused)
    assert LIST in refused.content.decode()
    listed = service.get(LIST, {"q": "1234"})
    assert "You have searched for very many members just now" in text_of(listed)
    assert listed.context_data["cl"].result_count == 0


def test_a_file_of_members_is_on_record(browse: Any, wang: Member) -> None:
    browse("marketing").get(f"{LIST}export/", {"state__exact": "active", "format": "xlsx"})
    look = Look.objects.get()
    assert (look.kind, look.what, str(look.actor)) == ("export", "state__exact=active&format=xlsx", "marketing")


def test_personal_data_is_shown_for_a_reason_and_for_a_time(browse: Any, wang: Member) -> None:
    service, reveal = browse("service"), reverse("admin:members_member_reveal", args=[wang.pk])
    refused = service.post(reveal, {"reason": " "}, follow=True)
    assert "Say why" in text_of(refused)
    assert PHONE not in text_of(service.get(page_of(wang)))
    shown = service.post(reveal, {"reason": "caller asks for her card"}, follow=True)
    assert shown.redirect_chain == [(page_of(wang), 302)]
    assert [value for value in (NAME, PHONE, EMAIL, CARD, "14 Feb 1990") if value not in text_of(shown)] == []
    assert "for 10 more minutes" in text_of(shown)
    assert "no-store" in shown.headers["Cache-Control"]
    assert [(look.kind, look.reason) for look in Look.objects.all()] == [("reveal", "caller asks for her card")]


def test_after_its_time_the_page_is_masked_again(browse: Any, wang: Member, cast: Cast) -> None:
    services.reveal(cast["service"], wang.pk, reason="call", when=now() - timedelta(minutes=10, seconds=1))
    assert PHONE not in text_of(browse("service").get(page_of(wang)))


def test_who_may_not_reveal_adjust_or_change_sees_no_button(browse: Any, wang: Member) -> None:
    words = ("Show personal data", "Adjust points", "Add an identifier", "Change particulars", "Remove")

    def offered(who: str) -> list[str]:
        text = text_of(browse(who).get(page_of(wang))).replace("Adjust points: why can I not?", "")
        return [word for word in words if word in text]

    assert offered("service") == list(words)
    assert offered("marketing") == []
    assert offered("regional_manager") == [words[1]]


def test_service_enrols_a_member_and_reads_every_refusal_at_its_field(
    browse: Any, group: CoffeeGroup, wang: Member
) -> None:
    service, form = browse("service"), {"home_unit": group["S002"].pk, "attributes": "level = 3\nnick = 007"}
    taken = service.post(f"{LIST}add/", {**form, "phone": PHONE})
    assert "This phone number already names a member" in str(taken.context_data["adminform"].form.errors["phone"])
    unnamed = service.post(f"{LIST}add/", form)
    assert "at least one identifier" in str(unnamed.context_data["adminform"].form.non_field_errors())
    service.post(f"{LIST}add/", {**form, "card": "E1", "name": "李雷", "birth_on": "1991-02-03"})
    made = Member.objects.order_by("-pk")[0]
    assert (made.masked_name, made.home_unit, made.attributes) == ("李**", group["S002"], {"level": 3, "nick": "007"})
    assert Member.objects.count() == 2


def test_what_the_form_shows_of_attributes_reads_back_the_same(browse: Any, group: CoffeeGroup) -> None:
    attributes = {"a": 1, "b": "1", "c": True, "d": "true", "e": "x = y", "f": 2.5, "g": '"q"', "h": " z ", "i": "null"}
    attributes |= {"j": ["高活跃", "早班"], "k": '["a"]', "l": "[1]"}
    member = services.create_member(
        None, group["S001"], identifiers=[("card", "E1")], attributes=attributes, when=WHEN
    )  # fmt: skip
    service = browse("service")
    shown = service.get(page_of(member)).context_data["adminform"].form["attributes"].value()
    service.post(page_of(member), {"home_unit": group["S001"].pk, "attributes": shown})
    assert Member.objects.get(pk=member.pk).attributes == attributes
    assert MemberChange.objects.count() == 1


def test_changing_particulars_leaves_what_is_left_empty(browse: Any, group: CoffeeGroup, wang: Member) -> None:
    browse("service").post(page_of(wang), {"home_unit": group["S003"].pk, "attributes": "", "name": "", "birth_on": ""})
    change = MemberChange.objects.latest("pk")
    assert [each["field"] for each in change.changes] == ["home_unit", "attributes:level"]
    history = text_of(browse("service").get(f"{LIST}{wang.pk}/history/"))
    assert re.search(r"Home unit Lakeside → Harbour", history)


def test_identifiers_and_state_are_changed_on_the_page(browse: Any, wang: Member) -> None:
    service = browse("service")
    added = service.post(reverse("admin:members_member_identify", args=[wang.pk]), {"kind": "external", "value": "X-99"},
                         follow=True)  # fmt: skip
    assert "****99 now names this member." in text_of(added)
    phone = wang.identifiers.get(kind="phone")
    service.post(reverse("admin:members_member_forget", args=[wang.pk]), {"identifier": phone.pk})
    service.post(reverse("admin:members_member_state", args=[wang.pk]), {"state": "closed", "reason": "asked to leave"})
    assert sorted(wang.identifiers.values_list("kind", flat=True)) == ["card", "email", "external"]
    assert Member.objects.get(pk=wang.pk).state == "closed"


def test_a_double_click_posts_points_once(browse: Any, group: CoffeeGroup, wang: Member) -> None:
    service, adjust = browse("service"), reverse("admin:points_account_adjust", args=[wang.pk])
    form = service.get(adjust).context_data["form"]
    sent = {"key": form["key"].value(), "point_type": group.point_types["east"].pk, "points": 50, "reason": "apology"}
    for _ in range(2):
        assert service.post(adjust, sent).headers["Location"] == page_of(wang)
    assert Account.objects.get(member=wang).balance == 50
    other = service.post(adjust, {**sent, "points": 60})
    assert "This key was used for another request" in text_of(other)
    none = service.post(adjust, {**sent, "points": 0})
    assert "above zero to add points" in str(none.context_data["form"].errors["points"])
    few = service.post(adjust, {**sent, "key": "8e0f0a5e-0c4f-4a86-8a41-5ac7cf2d8a51", "points": -51})
    assert "51 were asked for" in str(few.context_data["form"].errors["points"])
    assert Account.objects.get(member=wang).balance == 50


def test_what_was_adjusted_is_reversed_from_the_timeline(browse: Any, group: CoffeeGroup, wang: Member) -> None:
    service, adjust = browse("service"), reverse("admin:points_account_adjust", args=[wang.pk])
    sent = {"point_type": group.point_types["east"].pk, "points": 50, "reason": "apology"}
    service.post(adjust, {**sent, "key": "8e0f0a5e-0c4f-4a86-8a41-5ac7cf2d8a51"})
    where = reverse("admin:points_posting_reverse", args=[Posting.objects.get().pk])
    assert where in service.get(page_of(wang)).content.decode()
    assert where not in browse("marketing").get(page_of(wang)).content.decode()
    service = browse("service")
    key = service.get(where).context_data["form"]["key"].value()
    for _ in range(2):
        service.post(where, {"key": key, "reason": "wrong member"})
    assert Account.objects.get(member=wang).balance == 0
    assert where not in service.get(page_of(wang)).content.decode()


def test_the_number_of_queries_stays_the_same_however_many_rows(
    browse: Any, group: CoffeeGroup, wang: Member, cast: Cast
) -> None:
    service = browse("service")

    def counted(path: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert service.get(path).status_code == 200
        return len(asked)

    def enrol(first: int, last: int) -> None:
        rows = [("card", f"{n:06}", group["S001"].pk, date(2026, 1, 1)) for n in range(first, last)]
        services.enrol_many(rows, when=WHEN)

    def post(times: int, start: int) -> None:
        for n in range(start, start + times):
            points.adjust(None, wang.pk, group.point_types["east"].pk, 5, reason="x", key=f"k{n}", when=WHEN)

    def shop(first: int, last: int) -> None:
        till = Till(group, source_for("test", group["EAST"]))
        till.send(
            *(
                purchase("30.00", f"p{n}", CARD, occurred_at=WHEN + timedelta(hours=1), store="S003")
                for n in range(first, last)
            )
        )

    here = {"field": "event.store", "op": "within", "value": ["S001"]}
    publish(group, PER_YUAN), publish(group, condition={"all": [here]})
    services.reveal(cast["service"], wang.pk, reason="call", when=now())
    enrol(0, 10), post(10, 0), shop(0, 3)
    counted(LIST), counted(page_of(wang))  # what is read once a process
    few = counted(LIST), counted(page_of(wang))
    enrol(10, 210), post(90, 10), shop(3, 15)
    assert (counted(f"{LIST}?all="), counted(LIST), counted(page_of(wang))) == (few[0], *few)
    assert few == (7, 15)


def test_points_of_each_type_are_told_apart(browse: Any, group: CoffeeGroup, wang: Member) -> None:
    create_point_type(group.east, code="stars", name="Stars", kind="status", pending_days=7)
    stars = {"effect": "fixed_points", "point_type": "stars", "points": 2}
    publish(group, PER_YUAN), publish(group, stars)
    till = Till(group, source_for("test", group["EAST"]))
    till.send(purchase("36.00", member=CARD, occurred_at=WHEN), when=WHEN)
    change_point_type(group.point_types["east"], expiry={"kind": "after_days", "days": 1}, when=WHEN)
    till.send(purchase("5.00", member=CARD, occurred_at=WHEN), when=WHEN)
    points.release_due(WHEN + timedelta(days=8))
    points.expire_due(WHEN + timedelta(days=8))
    timeline = text_of(browse("service").get(page_of(wang))).partition("Timeline")[2]
    for said in (
        "+36 Points +2 Stars Reverse… +36 Points +2 Stars",
        "+2 Stars Rule",
        "Pending points became spendable: Stars",
        "Points expired: Points",
        "−5 Points",
    ):
        assert said in timeline, timeline


def test_points_of_the_only_type_need_no_name(browse: Any, group: CoffeeGroup, wang: Member) -> None:
    publish(group, PER_YUAN)
    Till(group, source_for("test", group["EAST"])).send(purchase("36.00", member=CARD, occurred_at=WHEN), when=WHEN)
    assert re.search(r"\+36 Reverse ", text_of(browse("service").get(page_of(wang))))


def test_a_name_and_a_birthday_are_forgotten_when_a_box_says_so(browse: Any, group: CoffeeGroup, wang: Member) -> None:
    service, form = browse("service"), {"home_unit": group["S001"].pk, "attributes": "level = 3"}
    assert "Forget the name that is known" in text_of(service.get(page_of(wang), {"change": ""}))
    both = service.post(page_of(wang), {**form, "name": "李雷", "forgets_name": "on"})
    assert "do not forget what is known" in str(both.context_data["adminform"].form.errors["name"])
    service.post(page_of(wang), {**form, "forgets_name": "on", "forgets_birthday": "on"})
    wang = Member.objects.get(pk=wang.pk)
    assert (wang.masked_name, wang.name_cipher, wang.birth_on_cipher) == ("", None, None)
    assert [each["field"] for each in MemberChange.objects.latest("pk").changes] == ["name", "birth_on"]
    assert "Forget the" not in text_of(service.get(page_of(wang), {"change": ""}))


def test_an_empty_list_and_an_empty_filter_say_different_things(browse: Any, cast: Cast) -> None:
    service = browse("service")
    assert "No member yet." in text_of(service.get(LIST))
    assert "Nothing that you may see matches" in text_of(service.get(LIST, {"state__exact": "closed"}))


def test_a_page_merged_from_units_is_the_page_of_all(
    browse: Any, group: CoffeeGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = ("S003", "S001", "S101", "S002", "S001")
    rows = [("card", f"{n:06}", group[codes[n % 5]].pk, date(2026, 1, 1)) for n in range(150)]
    services.enrol_many(rows, when=WHEN)
    service = browse("service")

    def walked() -> list[list[int]]:
        """Down to the oldest page, and up again."""
        pages, query = [], ""
        for way in ("older", "older", "newer", "newer"):
            shown = service.get(f"{LIST}{query}").context_data["cl"]
            pages.append([row.pk for row in shown.result_list])
            query = getattr(shown.paginator, way)
        return pages

    merged = walked()
    monkeypatch.setattr(lists, "MOST_MERGED", 0)
    assert merged == walked()
    assert [len(page) for page in merged] == [50, 50, 20, 50]
    assert merged[3] == merged[1]
