"""Builders of what tests need, through the services, so that no impossible row exists."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count

from apps.orgs.models import OrgUnit, Persona, Program, Staff
from apps.orgs.services import create_program, create_staff, create_unit, grant_role
from apps.points.models import PointType

_numbers = count(1)


@dataclass
class CoffeeGroup:
    """A small coffee group: two companies that may know nothing of each other.

    EAST has the regions EAST-N (stores S001, S002) and EAST-S (S003); WEST has WEST-N (S101, S102).
    """

    root: OrgUnit
    units: dict[str, OrgUnit] = field(default_factory=dict)
    programs: dict[str, Program] = field(default_factory=dict)
    point_types: dict[str, PointType] = field(default_factory=dict)

    def __getitem__(self, code: str) -> OrgUnit:
        """The unit with that code, read again."""
        return OrgUnit.objects.get(code=code)

    @property
    def east(self) -> Program:
        return self.programs["east"]

    @property
    def west(self) -> Program:
        return self.programs["west"]


UNITS = [
    ("EAST", "G", "company", "East Coffee"),
    ("WEST", "G", "company", "West Coffee"),
    ("EAST-N", "EAST", "region", "East North"),
    ("EAST-S", "EAST", "region", "East South"),
    ("WEST-N", "WEST", "region", "West North"),
    ("S001", "EAST-N", "store", "Lakeside"),
    ("S002", "EAST-N", "store", "Station"),
    ("S003", "EAST-S", "store", "Harbour"),
    ("S101", "WEST-N", "store", "Old Town"),
    ("S102", "WEST-N", "store", "Airport"),
]


def make_group() -> CoffeeGroup:
    root = create_unit(None, "group", "G", "Coffee Group")
    group = CoffeeGroup(root, {"G": root})
    for code, parent, kind, name in UNITS:
        group.units[code] = create_unit(group.units[parent], kind, code, name)
    for code in ("east", "west"):
        unit = group.units[code.upper()]
        program = create_program(unit, code=code, name=f"{unit.name} Club", currency="CNY", time_zone="Asia/Shanghai")
        group.programs[code] = program
        group.point_types[code] = PointType.objects.create(program=program, code="points", name="Points")
    return group


def make_staff(unit: OrgUnit, roles: Iterable[str] = (), *, username: str = "", password: str | None = None) -> Staff:
    """A person of `unit` who holds `roles` on it."""
    staff = create_staff(username or f"person{next(_numbers)}", unit=unit, password=password)
    for role in roles:
        grant_role(None, staff, role, unit)
    return staff


@dataclass
class Cast:
    """One person per persona of company EAST, and one who works for WEST only."""

    marketing: Staff
    finance: Staff
    regional_manager: Staff
    """Of region EAST-N."""
    vice_president: Staff
    marketing_head: Staff
    service: Staff
    shop: Staff
    """Of store S001."""
    auditor: Staff
    """Of the whole group."""
    integrator: Staff
    administrator: Staff
    outsider: Staff
    """Marketing, service, finance and regional manager of company WEST."""

    def __getitem__(self, persona: str) -> Staff:
        """The person, read again as a new request would: rights asked afresh."""
        return Staff.objects.get(pk=getattr(self, persona).pk)


OUTSIDER_ROLES = (Persona.MARKETING, Persona.SERVICE, Persona.FINANCE, Persona.REGIONAL_MANAGER)
PLACES = {"regional_manager": "EAST-N", "shop": "S001", "auditor": "G"}


def make_cast(group: CoffeeGroup) -> Cast:
    people = {
        persona.value: make_staff(
            group.units[PLACES.get(persona.value, "EAST")], [persona], username=persona.value
        )
        for persona in Persona
    }  # fmt: skip
    return Cast(**people, outsider=make_staff(group.units["WEST"], OUTSIDER_ROLES, username="outsider"))
