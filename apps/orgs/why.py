"""Why somebody may not do something: which roles would let them, which of those they hold elsewhere, and who holds them
here. Whom to ask is no secret among staff: names of role holders are told to everybody who works at the unit."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.db import models
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from guardian.models import UserObjectPermission

from apps.core.scope import Scope, reach_of
from apps.orgs.models import OrgUnit, Persona, Staff
from apps.orgs.querysets import paths_above, units_worked_on
from apps.orgs.roles import PERMISSIONS

MOST = 8
KNOWN = frozenset().union(*PERMISSIONS.values())


@dataclass(frozen=True)
class RoleThere:
    """A role that would allow it at the unit."""

    role: str
    label: str
    mine: tuple[str, ...]
    """Names of the units where the person who asks holds it, none of which reaches this one."""
    holders: tuple[str, ...]
    """Who holds it here, with the unit where they do."""


@dataclass(frozen=True)
class Why:
    does: str
    unit: OrgUnit
    may: bool
    roles: tuple[RoleThere, ...]
    givers: tuple[str, ...]
    """Who gives roles here."""


def does_in_words(permission: str) -> str:
    """What a permission lets one do: “Adjust points”."""
    known = {
        "points.adjust_points": _("Adjust points"),
        "points.redeem_points": _("Redeem points for members"),
        "members.reveal_member": _("See personal data in clear"),
        "members.add_merge": _("Merge members, and undo merges"),
        "members.erase_member": _("Erase members"),
        "members.hand_out_member": _("Hand members their own data"),
        "members.change_membertag": _("Give members tags by hand, and take them away"),
        "members.lift_blockedidentifier": _("Let erased members come back"),
        "members.measure_qualityrule": _("Measure the quality of data"),
        "rules.publish_rule": _("Publish rules"),
        "rules.decide_heldevent": _("Decide on what is held for review"),
        "rules.download_codes": _("Download codes"),
        "rules.redeem_code": _("Redeem codes for members"),
        "approvals.publish_policy": _("Publish approval policies"),
        "approvals.direct_approvalrequest": _("Name other people for requests that wait"),
        "reports.check_ledger": _("Check the ledger"),
    }
    if permission in known:
        return known[permission]
    verb, _under, model = permission.partition(".")[2].partition("_")
    what = {"what": _plural(permission.partition(".")[0], model)}
    sentences = {
        "view": _("See: %(what)s"), "add": _("Add: %(what)s"),
        "change": _("Change: %(what)s"), "delete": _("Delete: %(what)s"),
    }  # fmt: skip
    return sentences[verb] % what if verb in sentences else permission


def _plural(app: str, model: str) -> str:
    try:
        return str(apps.get_model(app, model)._meta.verbose_name_plural)
    except LookupError:
        return model


def why(person: Staff, permission: str, unit: OrgUnit) -> Why:
    """What stands between `person` and `permission` at `unit`. Five queries, and one for each role that allows it."""
    allowing = [role for role in Persona.values if permission in PERMISSIONS[Persona(role)]]
    holders = _holders({*allowing, Persona.ADMINISTRATOR.value}, unit)
    roles = tuple(
        RoleThere(
            role, str(Persona(role).label),
            tuple(str(held) for held in units_worked_on(person, role) if not unit.path.startswith(held.path)),
            holders[role],
        )
        for role in allowing
    )  # fmt: skip
    may = reach_of(person, permission).covers(unit.path)
    return Why(does_in_words(permission), unit, may, roles, holders[Persona.ADMINISTRATOR.value])


def _holders(roles: set[str], unit: OrgUnit) -> dict[str, tuple[str, ...]]:
    """Active people who hold each role on the unit or above it, the nearest first."""
    levels = {str(each.pk): each for each in OrgUnit.objects.filter(path__in=paths_above(unit.path))}
    held = UserObjectPermission.objects.filter(
        content_type__app_label="orgs", content_type__model="orgunit", object_pk__in=levels, user__is_active=True,
        permission__codename__in=[f"role_{role}" for role in roles],
    ).select_related("user", "permission")  # fmt: skip
    found: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for row in held.order_by("user__username"):
        level = levels[row.object_pk]
        told = _("%(person)s (%(unit)s)") % {"person": row.user, "unit": level}
        found[row.permission.codename.removeprefix("role_")].append((-level.depth, told))
    named = {role: tuple(told for _depth, told in sorted(found[role], key=lambda pair: pair[0])) for role in roles}
    return {role: names[:MOST] for role, names in named.items()}


def unit_of_row(person: Staff, label: str, pk: str) -> OrgUnit | None:
    """Where the row lives that an address names, if `person` may see it; None for one that they do not see, and for
    one that there is not."""
    try:
        model: Any = apps.get_model(label)
    except (LookupError, ValueError):
        return None
    scope = getattr(model, "scope", None)
    if not isinstance(scope, Scope) or not pk.isdecimal() or len(pk) > 18:
        return None
    row = model._default_manager.visible_to(person).filter(pk=pk).first()
    if row is None:
        return None
    for lookup in scope.units:
        unit = row
        for name in lookup.split("__") if lookup != "self" else ():
            unit = unit and getattr(unit, name)
        if isinstance(unit, OrgUnit):
            return unit
    return home_of(person)


def home_of(person: Staff) -> OrgUnit | None:
    """Where a person belongs; the whole group where that is not said."""
    unit: OrgUnit | None = person.unit or OrgUnit.objects.filter(depth=1).first()
    return unit


def why_address(permission: str, row: models.Model | None = None) -> str:
    """The page that says why `permission` is missing, for a row where one is meant."""
    asked = {"permission": permission}
    if row is not None and row.pk is not None:
        asked["row"] = f"{row._meta.label_lower}:{row.pk}"
    return f"{reverse('why')}?{urlencode(asked)}"


def label_of(permission: str) -> str:
    return capfirst(does_in_words(permission))
