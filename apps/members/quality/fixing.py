"""Putting right what a rule finds, one member after the other, through the verbs that change members anyway."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from apps.core.transactions import in_transaction
from apps.members.crypto import lookup_hash
from apps.members.models import AttributeDefinition, Member
from apps.members.quality.checks import ATTRIBUTE, KINDS, NOT_IDENTIFIERS, Check
from apps.members.quality.models import QualityRule
from apps.members.querysets import governing
from apps.members.services.changing import change_member
from apps.members.services.identifying import add_identifier, remove_identifier
from apps.members.services.rows import CHANGE, locked

CHANGED_AS = {"name": "name", "birthday": "birth_on", "home_unit": "home_unit"}
"""Fields that `change_member` sets, by the field of a rule."""


def is_fixable(rule: QualityRule) -> bool:
    """Whether a value that somebody types puts it right: nobody verifies by typing, and the day of joining stands."""
    if rule.field in KINDS:
        return rule.check_code != Check.VERIFIED
    return rule.field in CHANGED_AS or rule.field.startswith(ATTRIBUTE)


def definition_for(
    rule: QualityRule, member: Member, definitions: Sequence[AttributeDefinition]
) -> AttributeDefinition | None:
    """The attribute that the rule is about, as the member's company defines it."""
    key = rule.field.removeprefix(ATTRIBUTE)
    here = governing(definitions, member.home_unit.path)
    return next((each for each in here if each.key == key and each.is_active), None)


@in_transaction
def fix(actor: Any, rule: QualityRule, member_id: int, value: Any, *, when: datetime) -> Member:
    """The member with the value that was missing or wrong. Raises what changing a member and adding an identifier raise."""
    member = locked(actor, member_id, CHANGE)
    if rule.field in KINDS:
        add_identifier(actor, member_id, rule.field, value, when=when)
        nobody = [lookup_hash(rule.field, each) for each in NOT_IDENTIFIERS[rule.field]]
        for false in member.identifiers.filter(kind=rule.field, value_hash__in=nobody):
            remove_identifier(actor, member_id, false.pk, when=when)
    elif rule.field.startswith(ATTRIBUTE):
        attributes = {**member.attributes, rule.field.removeprefix(ATTRIBUTE): value}
        change_member(actor, member_id, when=when, attributes=attributes)
    else:
        change_member(actor, member_id, when=when, **{CHANGED_AS[rule.field]: value})
    return member
