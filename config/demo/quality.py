"""What the demo wants to know of its members, and how much of it is right."""

from collections.abc import Mapping
from datetime import datetime

from apps.members.quality.measuring import measure_rule, rules_in_force
from apps.members.quality.services import create_rule
from apps.orgs.models import OrgUnit

RULES = (
    ("SHANHAI", "name", "present", 98, 2), ("SHANHAI", "phone", "present", 95, 3), ("SHANHAI", "phone", "plausible", 99, 3),
    ("SHANHAI", "birthday", "present", 60, 1), ("SHANHAI", "birthday", "plausible", 99, 1),
    ("SHANHAI", "home_unit", "allowed", 100, 2), ("SHANHAI", "attributes:gender", "present", 75, 1),
    ("EAST", "attributes:legacy_level", "allowed", 100, 1),
)  # fmt: skip
"""For whose members, the field, the check, the share that is wanted, and how much it weighs."""


def watch_quality(units: Mapping[str, OrgUnit], when: datetime) -> None:
    for unit, field, check, wanted, weight in RULES:
        create_rule(None, units[unit], field=field, check_code=check, wanted_pct=wanted, weight=weight)
    measure_quality(when)


def measure_quality(when: datetime) -> None:
    for rule_id in rules_in_force():
        measure_rule(rule_id, when)
