"""Which jobs a person has: what their home page and sidebar are made of. Rights are another matter: `reach`."""

from typing import Any

from guardian.models import UserObjectPermission

from apps.orgs.models import Persona


def jobs_held(person: Any) -> frozenset[str]:
    """The roles `person` holds on any unit; every one for a superuser. Asked of the database once per person object."""
    known: frozenset[str] | None = getattr(person, "_jobs_held", None)
    if known is None:
        known = frozenset(Persona.values) if person.is_superuser else _held(person)
        person._jobs_held = known
    return known


def _held(person: Any) -> frozenset[str]:
    grants = UserObjectPermission.objects.filter(user=person, content_type__app_label="orgs")
    names = grants.values_list("permission__codename", flat=True).distinct()
    return frozenset(name.removeprefix("role_") for name in names if name.startswith("role_"))
