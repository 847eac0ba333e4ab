"""Promise S10: every page carries its headers, and nothing in it runs, is styled or is fetched from outside its files.

The sweeps ask every address as every persona, and `ask` holds each answer to this; here is what they do not ask.
"""

import pytest
from django.test import Client

from tests.security.conftest import Ask
from tests.security.hardening import PLAIN, SHELL, Page
from tests.security.planting import World
from tests.security.routes import ModelPage, RowPage, SitePage, every_route, row_of
from tests.security.test_routes import rows_of


@pytest.mark.parametrize("persona", ["auditor", "administrator", "nobody"])
def test_every_page_is_hardened(world: World, ask: Ask, persona: str) -> None:
    asked = 0
    for route in every_route():
        row = row_of(route)
        if isinstance(row, SitePage):
            path = route.path(**dict(row.values))
        elif isinstance(row, RowPage | ModelPage):
            label = row.model if isinstance(row, RowPage) else row.model._meta.label_lower
            path = route.path(object_id=1 if label == "orgs.role" else rows_of(world, persona, label)[0].pk)
        else:
            continue
        ask(persona, "GET", path)
        asked += 1
    assert asked > 90


@pytest.mark.parametrize(
    ("planted", "fault"),
    [
        ("<script>go()</script>", "<script>"),
        ("<style>p {}</style>", "<style>"),
        ('<p onclick="go()">', "<p onclick>"),
        ('<p style="color: red">', "<p style>"),
        ('<img src="https://elsewhere.example/x.png"/>', "<img src=https://elsewhere.example/x.png>"),
        ('<a href="javascript:go()">', "<a href=javascript:go()>"),
    ],
)
def test_a_planted_mistake_is_found(planted: str, fault: str) -> None:
    page = Page()
    page.feed(f'<p x-on:click="go()"><script src="/static/x.js"></script>{planted}')
    assert page.faults == [fault]


def test_pages_outside_the_studio_compile_nothing(ask: Ask) -> None:
    assert ask("nobody", "GET", "/login/").headers["Content-Security-Policy"] == PLAIN
    assert ask("finance", "GET", "/").headers["Content-Security-Policy"] == SHELL


def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites(client: Client, db: None) -> None:
    client.get("/login/")
    client.post("/i18n/setlang/", {"language": "zh-hans"}, headers={"X-CSRFToken": client.cookies["csrftoken"].value})
    assert client.cookies["csrftoken"]["httponly"]
    assert {name: cookie["samesite"] for name, cookie in client.cookies.items()} == {
        "csrftoken": "Lax", "django_language": "Lax",
    }  # fmt: skip
