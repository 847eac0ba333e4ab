"""Promise S3: what a form does not offer stays as it is, whatever is sent."""

from typing import Any

import pytest
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models
from django.forms import ModelChoiceField
from django.test import RequestFactory
from django.urls import reverse

from tests.security.conftest import PERSONAS, Ask
from tests.security.planting import World, holds

REGISTERED = sorted(admin.site._registry, key=lambda model: model._meta.label)


class SentFile(SimpleUploadedFile):
    """A file that can be sent more than once."""

    def read(self, *args: Any) -> bytes:
        self.seek(0)
        return bytes(super().read(*args))


ONE_EACH = {
    "orgs.program": "each company of the world has its programme",
    "members.matchingorder": "each programme of the world has its order, and there is one for each",
}
NEW: dict[str, dict[str, Any]] = {
    # What makes a form of this model valid, where the first choice of every field does not.
    "orgs.orgunit": {"kind": "store", "parent": "EAST-N", "code": "S777", "name": "New"},
    "orgs.program": {"unit": "G", "code": "group", "currency": "CNY", "time_zone": "Asia/Shanghai"},
    "members.member": {"card": "C7777"},
    "members.attributedefinition": {"label": "New"},
    "members.memberimport": {"file": SentFile("old.csv", b"card,phone\nC7778,13800007778\n")},
    "approvals.delegation": {
        "person": lambda world: world.cast.finance.pk,
        "delegate": lambda world: world.cast.marketing.pk,
        "first_on": "2100-01-01",
        "last_on": "2100-01-02",
    },
    "segments.tag": {"label": "New"},
    "segments.segment": {"label": "New"},
    "orgs.specialday": {"days_kind": "each_week"},
    "orgs.workingtime": {"unit": "EAST-S", "time_zone": "Asia/Shanghai"},
    "rules.codebatch": {"size": "5"},
    "points.adjustmentbatch": {"file": SentFile("many.csv", b"member,points\nnobody,1")},
    "activity.importjob": {"file": SentFile("events.csv", b"event_key,kind,member,occurred_at")},
}

OWN_RANDOM = {"key_hash", "key_hint", "created_at", "date_joined", "password", "path", "place", "source", "seed"}
"""Fields that differ between two rows made alike."""


def writer_of(model_admin: Any, verb: str) -> str | None:
    return next((persona for persona in PERSONAS if holds(persona, model_admin.permission(verb))), None)


def filled(form: Any, given: dict[str, Any], world: World) -> dict[str, Any]:
    """What a browser would send for `form`, as it stands, with `given` and a first choice where it is empty."""
    data: dict[str, Any] = {}
    for name, each in form.fields.items():
        value = given.get(name, form[name].value())
        value = value(world) if name in given and callable(value) else value
        if isinstance(each, ModelChoiceField):
            value = world.group[value].pk if isinstance(value, str) else value
            value = value or next((choice.pk for choice in each.queryset), "")
        elif value in (None, "") and getattr(each, "choices", None):
            value = next((key for key, _ in each.choices if key), "")
        elif value in (None, "") and each.required:
            value = f"new{name}"
        if value is False:
            continue
        data[name] = value if value is not None else ""
    return data


def alien(model: Any, offered: set[str]) -> dict[str, Any]:
    """A value for every field that the form does not offer."""
    data = {}
    for each in model._meta.get_fields():
        if getattr(each, "concrete", False) and each.name not in offered and not each.primary_key:
            is_text = isinstance(each, models.CharField | models.TextField | models.JSONField)
            is_date = isinstance(each, models.DateField)
            data[each.name] = "alien" if is_text else "2001-01-01" if is_date else "1"
            data[getattr(each, "attname", each.name)] = data[each.name]
    return data


def state(row: Any, offered: set[str]) -> dict[str, Any]:
    fields = row._meta.concrete_fields
    return {each.attname: each.value_from_object(row) for each in fields if each.name not in offered | OWN_RANDOM}


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label)
def test_a_form_changes_only_what_it_offers(world: World, ask: Ask, model: Any) -> None:
    model_admin: Any = admin.site._registry[model]
    persona = writer_of(model_admin, "change")
    if persona is None or model_admin.read_only or model_admin.is_append_only:
        pytest.skip("nobody changes it")
    row = world.east.rows[model._meta.label_lower]
    form = form_of(world, persona, model_admin, row)
    offered = set(form.fields)
    sent = alien(model, offered) | filled(form, {}, world)
    path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[row.pk])
    before = state(model._default_manager.get(pk=row.pk), offered)
    answer = ask(persona, "POST", path, sent, then=lambda: state(model._default_manager.get(pk=row.pk), offered))
    assert answer.status_code == 302, getattr(answer, "context_data", {}).get("errors")
    assert answer.seen == before


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label)
def test_a_new_row_takes_only_what_its_form_offers(world: World, ask: Ask, model: Any) -> None:
    model_admin: Any = admin.site._registry[model]
    persona = writer_of(model_admin, "add")
    if persona is None or model_admin.read_only or model_admin.is_append_only:
        pytest.skip("nobody adds it")
    if model._meta.label_lower in ONE_EACH:
        pytest.skip(ONE_EACH[model._meta.label_lower])
    form = form_of(world, persona, model_admin, None)
    offered, data = set(form.fields), filled(form, NEW.get(model._meta.label_lower, {}), world)
    path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")
    before = set(model._default_manager.values_list("pk", flat=True))

    def made() -> Any:
        row = model._default_manager.exclude(pk__in=before).get()
        return {name: value for name, value in state(row, offered).items() if name != model._meta.pk.attname}

    plain = ask(persona, "POST", path, data, then=made)
    assert ask(persona, "POST", path, alien(model, offered) | data, then=made).seen == plain.seen


def form_of(world: World, persona: str, model_admin: Any, row: Any) -> Any:
    request = RequestFactory().get("/")
    request.user = world.cast[persona]
    form = model_admin.get_form(request, row, change=row is not None)
    return form(instance=row) if row is not None else form()
