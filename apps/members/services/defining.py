"""Defining the attributes of members: who may, and what a definition must be to mean one thing."""

import re
from typing import Any

from django.db.models import Q

from apps.core.scope import require
from apps.core.transactions import in_transaction
from apps.members.choices import parse_choices, written
from apps.members.errors import (
    AttributeFixed,
    AttributeInUse,
    AttributeKeyMalformed,
    AttributeKeyTaken,
    AttributeLimitsImpossible,
    AttributeLongestImpossible,
    AttributeUnitUnfit,
    AttributeUnlabelled,
    ChoiceInUse,
    ChoicesMalformed,
)
from apps.members.models import LONGEST_KEY, LONGEST_TEXT, AttributeDefinition
from apps.members.uses import users_of
from apps.orgs.models import OrgUnit
from apps.orgs.querysets import paths_above
from apps.orgs.services.actors import signed

ADD, CHANGE, DELETE = (f"members.{verb}_attributedefinition" for verb in ("add", "change", "delete"))
CHANGEABLE = frozenset(
    {
        "label", "label_zh", "description", "choices", "least", "most", "longest", "is_required", "in_list", "is_active",
        "position",
    }
)  # fmt: skip
_KEY = re.compile(rf"[A-Za-z0-9_-]{{1,{LONGEST_KEY}}}")


@in_transaction
def create_definition(actor: Any, unit: OrgUnit, *, key: str, type: str, **values: Any) -> AttributeDefinition:
    """A new attribute of the members of `unit`.

    Raises AttributeUnitUnfit, AttributeKeyMalformed, AttributeKeyTaken, what `change_definition` raises, NotAllowed.
    """
    require(actor, ADD, unit.path)
    if unit.kind not in (OrgUnit.Kind.GROUP, OrgUnit.Kind.COMPANY):
        raise AttributeUnitUnfit()
    if not _KEY.fullmatch(key):
        raise AttributeKeyMalformed()
    above = paths_above(unit.path)
    # Whoever defines one for the same members at the same time waits here: no constraint sees across units.
    OrgUnit.objects.select_for_update(no_key=True).get(path=above[0])
    on_the_way = Q(unit__path__in=above) | Q(unit__path__startswith=unit.path)
    if AttributeDefinition.objects.filter(on_the_way, key=key).exists():
        raise AttributeKeyTaken(key=key)
    definition = AttributeDefinition(unit=unit, key=key, type=AttributeDefinition.Type(type).value)
    _put(definition, values)
    signed(definition, actor).save()
    return definition


@in_transaction
def change_definition(actor: Any, definition_id: int, **values: Any) -> AttributeDefinition:
    """The attribute with other values; members keep what they have.

    Raises AttributeFixed, AttributeUnlabelled, AttributeLimitsImpossible, AttributeLongestImpossible, ChoicesMalformed,
    ChoiceInUse, NotAllowed.
    """
    definition = _locked(actor, definition_id, CHANGE)
    before = {each.value: each for each in definition.options}
    _put(definition, values)
    gone = before.keys() - {each.value for each in definition.options}
    for value in sorted(gone):
        if names := users_of(definition.unit, definition.key, frozenset({value})):
            raise ChoiceInUse(choice=before[value].words.en, names=names)
    signed(definition, actor).save()
    return definition


@in_transaction
def delete_definition(actor: Any, definition_id: int) -> None:
    """Nobody offers the attribute any more; what members have becomes free attributes. Raises AttributeInUse, NotAllowed."""
    definition = _locked(actor, definition_id, DELETE)
    if names := users_of(definition.unit, definition.key):
        raise AttributeInUse(names=names)
    signed(definition, actor).delete()


def _locked(actor: Any, definition_id: int, permission: str) -> AttributeDefinition:
    rows = AttributeDefinition.objects.select_for_update(no_key=True, of=("self",)).select_related("unit")
    definition = rows.get(pk=definition_id)
    require(actor, permission, definition.unit.path)
    return definition


def _put(definition: AttributeDefinition, values: dict[str, Any]) -> None:
    """Sets the values, each held against the type; what the type has no use for is emptied."""
    if set(values) - CHANGEABLE:
        raise AttributeFixed()
    for name, value in values.items():
        setattr(definition, name, value.strip() if isinstance(value, str) else value)
    if not (definition.label or definition.label_zh):
        raise AttributeUnlabelled()
    if definition.type not in definition.NUMBERS:
        definition.least = definition.most = None
    if definition.least is not None and definition.most is not None and definition.least > definition.most:
        raise AttributeLimitsImpossible()
    definition.longest = definition.longest if definition.type == definition.Type.TEXT else None
    if definition.longest is not None and not 1 <= definition.longest <= LONGEST_TEXT:
        raise AttributeLongestImpossible()
    try:
        choices = parse_choices(definition.choices) if definition.type in definition.LISTS else ()
    except ValueError:
        raise ChoicesMalformed() from None
    if definition.type in definition.LISTS and not choices:
        raise ChoicesMalformed()
    definition.choices = written(choices)
