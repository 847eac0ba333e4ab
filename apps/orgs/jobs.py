"""Which jobs a person has: what their home page and sidebar are made of. Rights are another matter: `reach`."""

from typing import Any

from apps.orgs.models import Persona
from apps.orgs.reach import grants_of


def jobs_held(person: Any) -> frozenset[str]:
    """The roles `person` holds on any unit; every one for a superuser."""
    return frozenset(Persona.values) if person.is_superuser else grants_of(person).jobs
