"""Which roles move money or open personal data, and which should not meet in one person. Pure."""

from collections.abc import Iterable

from apps.orgs.models import Persona
from apps.orgs.roles import PERMISSIONS

MONEY = frozenset({
    "points.adjust_points", "points.redeem_points", "points.add_pointtype", "points.change_pointtype",
    "rules.publish_rule", "rules.decide_heldevent", "rules.redeem_code",
})  # fmt: skip
"""What gives points, takes them, or says how many something earns."""
PERSONAL = frozenset({"members.reveal_member"})

P = Persona
APART: tuple[tuple[Persona, Persona], ...] = (
    (P.SERVICE, P.FINANCE),  # gives points, checks what they cost
    (P.REGIONAL_MANAGER, P.FINANCE),
    (P.SHOP, P.FINANCE),
    (P.MARKETING, P.FINANCE),
    (P.MARKETING, P.MARKETING_HEAD),  # changes rules, decides on them
    (P.SERVICE, P.REGIONAL_MANAGER),  # asks for adjustments, decides on them
    (P.ADMINISTRATOR, P.SERVICE),  # gives rights, uses them
    (P.ADMINISTRATOR, P.FINANCE),
    *((P.AUDITOR, other) for other in (P.SERVICE, P.MARKETING, P.REGIONAL_MANAGER, P.FINANCE, P.ADMINISTRATOR)),
)
"""Roles that nobody should hold over the same unit."""


def changes_money(role: str) -> bool:
    return bool(PERMISSIONS[Persona(role)] & MONEY)


def opens_personal_data(role: str) -> bool:
    return bool(PERMISSIONS[Persona(role)] & PERSONAL)


def conflicts(role: str, path: str, held: Iterable[tuple[str, str]]) -> list[str]:
    """Those roles among `held`, pairs of a role and its unit's path, that should not meet with `role` on the unit at
    `path`: because one of the two units lies within the other."""
    against = {a if b == role else b for a, b in APART if role in (a, b)}
    return sorted(
        {other for other, at in held if other in against and (at.startswith(path) or path.startswith(at))}
    )  # fmt: skip
