"""The house rules that `manage.py check` holds: each is broken once here, and found."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin import RelatedFieldListFilter
from django.core.checks import CheckMessage
from unfold.admin import ModelAdmin

from apps.core import checks
from apps.core.admin import ScopedAdmin, ScopedTabularInline
from apps.orgs.models import OrgUnit, Program, Staff

Check = Callable[[Any], Iterable[CheckMessage]]


def found(check: Check) -> list[str]:
    return [str(message.id) for message in check(None)]


def test_the_house_keeps_its_own_rules() -> None:
    for check in (
        checks.every_model_is_scoped, checks.every_admin_is_scoped, checks.every_admin_offers_only_what_it_names,
    ):  # fmt: skip
        assert found(check) == []


def test_a_model_without_a_scope_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Program, "scope", None)
    assert found(checks.every_model_is_scoped) == ["core.E001"]


def test_a_model_whose_manager_cannot_be_asked_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Program._default_manager, "_queryset_class", admin.models.LogEntry.objects._queryset_class)
    assert found(checks.every_model_is_scoped) == ["core.E002"]


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Callable[[type], None]:
    def register(admin_class: type) -> None:
        monkeypatch.setitem(admin.site._registry, Program, admin_class(Program, admin.site))

    return register


def test_an_admin_class_of_another_base_is_found(registered: Callable[[type], None]) -> None:
    registered(ModelAdmin)
    assert found(checks.every_admin_is_scoped) == ["core.E003"]


class StaffInline(ScopedTabularInline):
    model = Staff
    fk_name = "unit"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({}, "core.E004"),
        ({"fields": ("name",), "raw_id_fields": ("unit",)}, "core.E005"),
        ({"fields": ("name",), "list_filter": (("unit", RelatedFieldListFilter),)}, "core.E006"),
        ({"fields": ("name",), "list_filter": ("unit__name",)}, "core.E006"),
    ],
)
def test_a_form_or_filter_that_goes_round_the_scope_is_found(
    registered: Callable[[type], None], options: dict[str, Any], code: str
) -> None:
    registered(type("Careless", (ScopedAdmin,), options))
    assert found(checks.every_admin_offers_only_what_it_names) == [code]


def test_an_inline_that_names_no_fields_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin.site._registry[OrgUnit], "inlines", (StaffInline,))
    assert found(checks.every_admin_offers_only_what_it_names) == ["core.E004"]
