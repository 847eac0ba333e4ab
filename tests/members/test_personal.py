"""Promise P4: whatever reaches a member says how it stands to personal data; whoever adds a table decides it."""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.db import models

from apps.members.models import Member
from apps.members.personal import Personal
from apps.members.services.rotating import SEALED


def reaching(start: Any, every: Iterable[Any]) -> set[Any]:
    """The models from which foreign keys lead to `start`, over however many others; `start` too."""
    every, found = set(every), {start}
    while True:
        more = {
            model for model in every - found
            if any(each.is_relation and each.remote_field.model in found for each in model._meta.concrete_fields)
        }  # fmt: skip
        if not more:
            return found
        found |= more


def unclassified(every: Iterable[Any]) -> list[str]:
    """Models that reach a member, or keep a member's number, and do not say how they stand to personal data."""
    every = list(every)
    keeping = {
        model for model in every if {"member", "member_id"} & {each.name for each in model._meta.concrete_fields}
    }
    asked = reaching(Member, every) | keeping
    return sorted(model._meta.label for model in asked if not isinstance(getattr(model, "personal", None), Personal))


def test_every_table_that_reaches_a_member_is_classified() -> None:
    every = apps.get_models(include_auto_created=True)
    assert len(reaching(Member, every)) > 12
    assert unclassified(every) == []


def test_a_table_that_says_nothing_is_found() -> None:
    """The mistake: a new table two steps from a member, and one that keeps a member's number without a key."""

    class Letter(models.Model):
        member = models.ForeignKey(Member, models.CASCADE)

        class Meta:
            app_label = "planted"

    class Stamp(models.Model):
        letter = models.ForeignKey(Letter, models.CASCADE)

        class Meta:
            app_label = "planted"

    class Parcel(models.Model):
        member_id = models.BigIntegerField()

        class Meta:
            app_label = "planted"

    try:
        assert unclassified([*apps.get_models(), Letter, Stamp, Parcel]) == [
            "planted.Letter", "planted.Parcel", "planted.Stamp",
        ]  # fmt: skip
    finally:
        apps.all_models.pop("planted", None)
        apps.clear_cache()


def test_every_encrypted_column_is_rotated() -> None:
    columns = {
        (model, each.name) for model in apps.get_models() for each in model._meta.concrete_fields
        if each.name.endswith("cipher")
    }  # fmt: skip
    assert {(sealed.model, sealed.column) for sealed in SEALED} == columns
    assert {model.personal for model, _ in columns} == {Personal.ENCRYPTED, Personal.STAGED}
