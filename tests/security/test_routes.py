"""Promise S1: every address answers every persona as the matrix says; another company's row is like none at all."""

import re
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.forms import ModelChoiceField, ModelMultipleChoiceField
from django.test import RequestFactory
from django.urls import reverse

from tests.security.conftest import PERSONAS, Ask
from tests.security.planting import World, holds, reaches
from tests.security.routes import ModelPage, Route, RowPage, SitePage, every_route, model_pages, row_of

MISSING = 87_654_321
ROW_KINDS = ("change", "delete", "history")
REGISTERED = sorted(admin.site._registry, key=lambda model: model._meta.label)


def same(answer: Any, pk: Any) -> tuple[int, str, str]:
    """What can be compared: the status, where it leads and the page, without its token, nonce and the id asked for."""
    body = answer.body.decode(errors="replace")
    body = re.sub(r'(name="csrfmiddlewaretoken" value|nonce|csrfToken)(=")[^"]*', r"\1\2", body)
    body = re.sub(r'"seconds": \d+', '"seconds": 0', body)  # how long ago a draft was saved
    hide = re.compile(rf"(?<!\d){pk}(?!\d)")
    return answer.status_code, hide.sub("ID", answer.headers.get("Location", "")), hide.sub("ID", body)


def rows_of(world: World, persona: str, label: str) -> tuple[Any, Any]:
    """A row of the persona's own company, and one of the other."""
    own, other = (world.west, world.east) if persona == "outsider" else (world.east, world.west)
    return own.rows[label], other.rows[label]


def test_every_address_has_a_row_in_the_matrix() -> None:
    routes = every_route()
    assert len(routes) > 40
    assert not [route.name for route in routes if row_of(route) is None]


def test_every_registered_model_is_planted(world: World) -> None:
    assert {model._meta.label_lower for model in REGISTERED} - {"orgs.role"} <= set(world.east.rows)


OBJECT_ROUTES = [
    route for route in every_route() if "object_id" in route.parameters and route.name != "admin:view_on_site"
]


@pytest.mark.parametrize("route", OBJECT_ROUTES, ids=lambda route: route.name)
def test_another_companys_row_answers_like_none_at_all(world: World, ask: Ask, route: Route) -> None:
    row = row_of(route)
    assert row is not None
    label = row.model if isinstance(row, RowPage) else row.model._meta.label_lower  # type: ignore[union-attr]
    if label == "orgs.role":
        pytest.skip("roles are everybody's")
    for persona in PERSONAS:
        _, other = rows_of(world, persona, label)
        if reaches(world, persona, other):
            continue  # the auditor of the group
        methods = (
            ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS") if persona == "outsider" else ("GET", "POST")
        )
        for method in methods:
            answers = [same(ask(persona, method, route.path(object_id=pk)), pk) for pk in (other.pk, MISSING)]
            assert answers[0] == answers[1], f"{persona} {method}"
            is_bare = isinstance(row, ModelPage) and row.kind == "bare"
            assert answers[0][0] in ((302, 405) if is_bare else (403, 404, 405)), f"{persona} {method}"


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label)
def test_every_persona_gets_what_the_matrix_says_of_its_own_rows(world: World, ask: Ask, model: Any) -> None:
    model_admin, name = admin.site._registry[model], f"{model._meta.app_label}_{model._meta.model_name}"
    label = model._meta.label_lower
    closed = getattr(model_admin, "read_only", False) or getattr(model, "append_only", False)
    found, expected = {}, {}
    for persona in PERSONAS:
        may = {verb: holds(persona, model_admin.permission(verb)) for verb in ("view", "add", "change", "delete")}  # type: ignore[attr-defined]
        own = model._default_manager.first() if label == "orgs.role" else rows_of(world, persona, label)[0]
        sees = may["view"] and reaches(world, persona, own)
        changes = may["change"] and reaches(world, persona, own, from_below=False) and not closed
        deletes = may["delete"] and reaches(world, persona, own, from_below=False) and model_admin.can_delete  # type: ignore[attr-defined]
        expected |= {
            (persona, "changelist"): 200 if may["view"] else 403,
            (persona, "export"): 200 if may["view"] else 403,
            (persona, "add"): 200 if may["add"] and not closed else 403,
            (persona, "change"): 200 if sees else 404 if may["view"] else 403,
            (persona, "history"): 200 if sees and hasattr(model, "history") else 404,
            (persona, "POST"): 200 if sees and changes else 404 if may["change"] and not sees and not closed else 403,
            (persona, "delete"): 200 if sees and deletes
            else 404 if may["delete"] and model_admin.can_delete and not sees else 403,  # type: ignore[attr-defined]
        }  # fmt: skip
        for kind in ("changelist", "export", "add"):
            found[persona, kind] = ask(persona, "GET", reverse(f"admin:{name}_{kind}")).status_code
        for kind in ROW_KINDS:
            found[persona, kind] = ask(persona, "GET", reverse(f"admin:{name}_{kind}", args=[own.pk])).status_code
        answer = ask(persona, "POST", reverse(f"admin:{name}_change", args=[own.pk]), {}).status_code
        found[persona, "POST"] = 200 if answer == 302 else answer
    assert found == expected


ROW_PAGES = [route for route in every_route() if isinstance(row_of(route), RowPage)]


@pytest.mark.parametrize("route", ROW_PAGES, ids=lambda route: route.name)
def test_a_page_of_ones_own_answers_as_its_row_says(world: World, ask: Ask, route: Route) -> None:
    row = row_of(route)
    assert isinstance(row, RowPage)
    app, _, name = row.model.partition(".")
    for persona in PERSONAS:
        own, _other = rows_of(world, persona, row.model)
        sees = holds(persona, f"{app}.view_{name}") and reaches(world, persona, own)
        may = sees and holds(persona, row.permission) and reaches(world, persona, own, from_below=row.from_below)
        for method, allowed in (("GET", row.get), ("POST", row.post)):
            status = ask(persona, method, route.path(object_id=own.pk), {} if method == "POST" else None).status_code
            assert status in (allowed if may else (403,) if sees else (404,)), f"{persona} {method}"


SITE_PAGES = [route for route in every_route() if isinstance(row_of(route), SitePage)]


@pytest.mark.parametrize("route", SITE_PAGES, ids=lambda route: route.name)
def test_a_page_about_no_row_answers_as_its_row_says(ask: Ask, route: Route) -> None:
    row = row_of(route)
    assert isinstance(row, SitePage)
    path = route.path(**dict(row.values))
    for persona in PERSONAS:
        may = not row.permission or holds(persona, row.permission)
        assert ask(persona, "GET", path).status_code == (row.get if may else 403), persona
    assert ask("nobody", "GET", path).status_code == row.stranger


@pytest.mark.parametrize("name", sorted(model_pages()))
def test_strangers_are_led_to_the_sign_in(world: World, ask: Ask, name: str) -> None:
    page = model_pages()[name]
    if page.kind in (*ROW_KINDS, "bare"):
        route = next(route for route in every_route() if route.name == name)
        paths = [route.path(object_id=pk) for pk in (world.east.store.pk, MISSING)]
    else:
        paths = [reverse(name)]
    for path in paths:
        for method in ("GET", "POST"):
            answer = ask("nobody", method, path)
            assert answer.status_code == 302
            assert page.kind == "bare" or answer.headers["Location"].startswith("/login/")


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label)
def test_ids_in_forms_filters_and_actions_reach_no_other_company(world: World, ask: Ask, model: Any) -> None:
    model_admin: Any = admin.site._registry[model]
    list_path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    label = model._meta.label_lower
    if label == "orgs.role":
        return
    for persona in ("outsider", "administrator", "marketing"):
        request = RequestFactory().get("/")
        request.user = world.cast[persona]
        own, other = rows_of(world, persona, label)
        asked: list[tuple[str, str, dict[str, Any], Any]] = []
        for path, obj in ((f"{list_path}add/", None), (f"{list_path}{own.pk}/change/", own)):
            for name, choice in model_admin.get_form(request, obj, change=obj is not None).base_fields.items():
                if isinstance(choice, ModelChoiceField | ModelMultipleChoiceField):
                    far = rows_of(world, persona, choice.queryset.model._meta.label_lower)[1]
                    asked.append(("POST", path, {name: "{}"}, far))
                    asked.append(("GET", path, {name: "{}"}, far))
        for item in model_admin.get_list_filter(request):
            if isinstance(item, str) and model._meta.get_field(item.split("__")[0]).is_relation:
                far = rows_of(world, persona, model._meta.get_field(item).remote_field.model._meta.label_lower)[1]
                asked.append(("GET", list_path, {f"{item}__id__exact": "{}"}, far))
        asked += [
            ("POST", list_path, {"action": action, "_selected_action": "{}", "index": "0"}, other)
            for action in model_admin.get_actions(request)
        ]
        for method, path, data, far in asked:
            answers = []
            for pk in (far.pk, MISSING):
                sent = {key: value.replace("{}", str(pk)) for key, value in data.items()}
                answers.append(same(ask(persona, method, path, sent), pk))
            assert answers[0] == answers[1], f"{persona} {method} {path} {data}"


def test_autocomplete_offers_no_row_of_another_company(world: World, ask: Ask) -> None:
    tried = 0
    for model in apps.get_models():
        for each in model._meta.concrete_fields:
            target: Any = each.is_relation and admin.site._registry.get(each.remote_field.model)
            if not target or not target.search_fields:
                continue
            asked = {"app_label": model._meta.app_label, "model_name": model._meta.model_name, "field_name": each.name}
            for term in ("", "kanari"):
                answer = ask("outsider", "GET", "/autocomplete/", {**asked, "term": term})
                assert b"kanariEAST" not in answer.body
                assert answer.status_code in (200, 403)
                tried += 1
    assert tried > 10


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label)
def test_a_list_is_filtered_by_nothing_that_it_does_not_offer(ask: Ask, model: Any) -> None:
    path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    for each in model._meta.concrete_fields:
        if each.name in ("password", "is_superuser", "value_hash", "name_cipher", "name_grams", "key_hash", "path"):
            assert ask("auditor", "GET", path, {f"{each.name}__startswith": "a"}).status_code == 400
