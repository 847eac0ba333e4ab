"""Every wrong address, method and object gets a page of ours, in both languages, inside the studio or outside."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import SuspiciousOperation
from django.test import Client, RequestFactory
from django.urls import reverse

from apps.core import views
from apps.core.admin import home
from apps.members.models import Member
from apps.members.services import create_member
from tests.factories import Cast, CoffeeGroup


@pytest.fixture
def inside(client: Client, cast: Cast) -> Client:
    client.raise_request_exception = False
    client.force_login(cast.administrator, backend="apps.orgs.auth.RoleBackend")
    return client


def holds_page(answer: Any, status: int, text: str, *, in_shell: bool) -> bool:
    body = answer.content.decode()
    assert answer.status_code == status
    assert ("nav-sidebar" in body) is in_shell
    assert "Traceback" not in body
    return text in body


def test_a_wrong_address_says_so_in_both_languages(inside: Client) -> None:
    assert holds_page(inside.get("/no/such/page/"), 404, "There is nothing here", in_shell=True)
    inside.cookies["django_language"] = "zh-hans"
    assert holds_page(inside.get("/no/such/page/"), 404, "这里没有内容", in_shell=True)
    assert holds_page(inside.get("/orgs/orgunit/87654321/change/"), 404, "这里没有内容", in_shell=True)


def test_a_page_of_another_job_says_who_can_help(client: Client, cast: Cast) -> None:
    client.force_login(cast.finance, backend="apps.orgs.auth.RoleBackend")
    assert holds_page(client.get("/orgs/staff/add/"), 403, "ask your administrator", in_shell=True)


def test_a_wrong_method_says_where_to_go_and_keeps_what_http_asks_for(inside: Client, cast: Cast) -> None:
    answer = inside.get(reverse("admin:orgs_staff_grant", args=[cast.finance.pk]))
    assert holds_page(answer, 405, "This address cannot be opened by itself", in_shell=True)
    assert answer.headers["Allow"] == "POST"
    assert holds_page(inside.delete("/orgs/staff/"), 405, "cannot be opened by itself", in_shell=True)
    assert holds_page(Client().put("/orgs/staff/"), 405, "cannot be opened by itself", in_shell=False)


def test_a_form_that_was_open_for_too_long_changes_nothing_and_says_so(cast: Cast) -> None:
    answer = Client(enforce_csrf_checks=True).post("/login/", {"username": "finance", "password": "x"})
    assert holds_page(answer, 403, "This form was open for too long", in_shell=False)


def test_too_much_at_once_is_told_from_nonsense(inside: Client) -> None:
    large = inside.post("/orgs/orgunit/add/", {"name": "x" * (3 * 1024 * 1024)}, "application/x-www-form-urlencoded")
    many = inside.post("/orgs/orgunit/add/", {f"field{number}": "x" for number in range(2001)})
    for answer in (large, many):
        assert holds_page(answer, 413, "That was too much at once", in_shell=True)
    assert views.bad_request(RequestFactory().get("/"), SuspiciousOperation()).status_code == 400
    assert holds_page(inside.get("/", headers={"Host": "elsewhere.example"}), 400, "could not be read", in_shell=False)


def test_a_fault_of_ours_shows_no_trace(inside: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*args: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(home, "panels_for", break_down)
    answer = inside.get("/")
    assert holds_page(answer, 500, "Something went wrong on our side", in_shell=False)
    assert b"secret detail" not in answer.content
    assert b"RuntimeError" not in answer.content


def test_the_page_for_a_fault_of_ours_needs_no_database() -> None:
    """This test has none: pytest-django refuses any query."""
    answer = views.server_error(RequestFactory().get("/"))
    assert holds_page(answer, 500, "Time of the fault", in_shell=False)


def test_programs_get_problem_details() -> None:
    answer = views.not_found(RequestFactory().get("/api/v1/nothing"), Exception())
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.status_code == 404
    assert b'"code": "not_found"' in answer.content


def test_a_nul_in_what_was_sent_is_no_fault_of_ours(inside: Client, cast: Cast, group: CoffeeGroup) -> None:
    """The mistake: the database refuses the text, and whoever watches over the studio is called for it."""
    when = datetime(2026, 5, 4, tzinfo=UTC)
    member = create_member(None, group["S001"], identifiers=[("card", "C1")], when=when)
    inside.force_login(cast["service"], backend="apps.orgs.auth.RoleBackend")
    listed = inside.get("/members/member/", {"state__exact": "\0"})
    closed = inside.post(f"/members/member/{member.pk}/state/", {"state": "closed", "reason": "a\0b"})
    for answer in (listed, closed):
        assert holds_page(answer, 400, "Nothing was changed", in_shell=True)
    member.refresh_from_db()
    assert member.state == Member.State.ACTIVE
