"""Promise S2: what a persona may not read never leaves the server, and cannot be asked for through a search box."""

import base64
import io
import zipfile
from typing import Any

import pytest
from django.contrib import admin
from django.db import models
from django.urls import reverse

from tests.security.conftest import PERSONAS, Ask
from tests.security.planting import COMMON, SCOPED, World, reaches
from tests.security.routes import SitePage, every_route, row_of
from tests.security.test_routes import rows_of, same

REGISTERED = sorted(admin.site._registry, key=lambda model: model._meta.label)


def pages(world: World, ask: Ask, persona: str) -> dict[str, bytes]:
    """All bytes of every page that `persona` may open, by address; Excel files unpacked."""
    found = {}
    for model in REGISTERED:
        start = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        paths = [reverse(f"{start}_{kind}") for kind in ("changelist", "add", "export")]
        paths += [f"{paths[0]}?q=kanari", f"{paths[2]}?format=xlsx"]
        for company in (world.east, world.west):
            row = company.rows.get(model._meta.label_lower)
            if row is not None:
                paths += [reverse(f"{start}_{kind}", args=[row.pk]) for kind in ("change", "history", "delete")]
        for path in paths:
            found[path] = ask(persona, "GET", path).body
    for route in every_route():
        row = row_of(route)
        if isinstance(row, SitePage):
            path = route.path(**dict(row.values))
            found[path] = ask(persona, "GET", path).body
    found["search"] = ask(persona, "GET", "/search/", {"s": "kanari"}).body
    for path, body in found.items():
        if body.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(io.BytesIO(body)) as book:
                found[path] = b"".join(book.read(name) for name in book.namelist())
    return found


@pytest.mark.parametrize("persona", [persona for persona in PERSONAS if persona != "auditor"])
def test_no_byte_of_another_company_reaches_a_persona(world: World, ask: Ask, persona: str) -> None:
    far, near = (b"kanariEAST", b"kanariWEST") if persona == "outsider" else (b"kanariWEST", b"kanariEAST")
    found = pages(world, ask, persona)
    assert [path for path, body in found.items() if far in body] == []
    assert any(near in body for body in found.values())


def secrets(world: World) -> dict[str, bytes]:
    """What is stored encrypted or as a hash, as it would look in a page."""
    found = {}
    for planted in (world.east, world.west):
        for model in SCOPED:
            for each in model._meta.concrete_fields:
                if isinstance(each, models.BinaryField) and model._meta.label_lower not in COMMON:
                    value = bytes(getattr(planted.rows[model._meta.label_lower], each.name) or b"")
                    if len(value) >= 8:
                        forms = (value, value.hex().encode(), base64.b64encode(value)[:-4])
                        found |= {f"{planted.company} {each} {number}": form for number, form in enumerate(forms)}
    return found


@pytest.mark.parametrize("persona", ["auditor", "service", "integrator"])
def test_neither_cipher_nor_hash_nor_password_reaches_anybody(world: World, ask: Ask, persona: str) -> None:
    hidden = secrets(world) | {"password": getattr(world.cast, persona).password.encode()}
    for path, body in pages(world, ask, persona).items():
        assert [name for name, value in hidden.items() if value in body] == [], path


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label)
def test_a_search_box_tells_nothing_about_what_is_not_shown(world: World, ask: Ask, model: Any) -> None:
    label, path = model._meta.label_lower, reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    if label == "orgs.role":
        return
    for persona, far in (("outsider", world.east), ("service", world.west), ("marketing", world.west)):
        if ask(persona, "GET", path).status_code != 200:
            continue
        nothing = same(ask(persona, "GET", path, {"q": "kanariNONE12345678"}), "kanariNONE12345678")
        for value in asked_for(far.rows[label], admin.site._registry[model].search_fields):
            assert same(ask(persona, "GET", path, {"q": value}), value)[2].replace(value, "ID") == nothing[2], value


def asked_for(row: Any, search_fields: Any) -> list[str]:
    """Canaries of the row's own text fields and of what the search box looks at."""
    values = {value for each in row._meta.concrete_fields if isinstance(value := getattr(row, each.attname), str)}
    for lookup in search_fields:
        value = row
        for name in lookup.lstrip("^=@").split("__"):
            value = getattr(value, name, None)
        values.add(value)
    # Without the character that the page would escape.
    return sorted({value[1:19] for value in values if isinstance(value, str) and "kanari" in value})


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label)
def test_every_text_of_every_export_is_quoted(world: World, ask: Ask, model: Any) -> None:
    """Promise S6, over every list: the canaries start with = + - and @."""
    path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_export")
    for persona in PERSONAS:
        answer = ask(persona, "GET", path)
        if answer.status_code == 200:
            body = answer.body.decode("utf-8-sig")
            label = model._meta.label_lower
            # Requests about points are read by who reads points, though everybody may open the list.
            is_read = label != "orgs.role" and reaches(world, persona, rows_of(world, persona, label)[0])
            assert "kanari" in body or persona == "shop" or not is_read
            cells = [cell for line in body.splitlines() for cell in line.replace('"', "").split(",")]
            assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))] == []
