"""Who has what: the roles of one person with when and by whom they were given, and everybody who holds one over a unit."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from guardian.models import UserObjectPermission

from apps.orgs.forms import DOES
from apps.orgs.leaving import Hanging, hanging
from apps.orgs.models import ApiClient, OrgUnit, Persona, Staff
from apps.orgs.querysets import Job, jobs_held_at, jobs_of, paths_above
from apps.orgs.roles import PERMISSIONS
from apps.orgs.why import does_in_words

MARK = "role granted: "


@dataclass(frozen=True)
class Holding:
    """A role that somebody holds: since when and by whom, as far as their history says."""

    person: Staff
    role: str
    unit: OrgUnit
    since: datetime | None
    given_by: str

    @property
    def label(self) -> str:
        return str(Persona(self.role).label)

    @property
    def does(self) -> str:
        return str(DOES[Persona(self.role)])

    @property
    def may(self) -> list[str]:
        """Everything that it allows beyond reading, in words."""
        allowed = PERMISSIONS[Persona(self.role)]
        return [does_in_words(name) for name in sorted(allowed) if not name.partition(".")[2].startswith("view_")]


def holdings(jobs: Iterable[Job]) -> list[Holding]:
    """Each job with when it was given. One query for all."""
    jobs = list(jobs)
    people = {job.staff.pk for job in jobs}
    versions = Staff.history.filter(id__in=people, history_change_reason__startswith=MARK).select_related(
        "history_user"
    )
    given: dict[tuple[int, str, str], Any] = {}
    for version in versions.order_by("history_date", "history_id"):
        role, _at, unit = str(version.history_change_reason).removeprefix(MARK).partition(" @ ")
        given[version.id, role, unit.partition(":")[0].strip()] = version
    found = []
    for job in jobs:
        version = given.get((job.staff.pk, job.role, job.unit.code))
        by = str(version.history_user or _("The studio")) if version is not None else ""
        found.append(Holding(job.staff, job.role, job.unit, version.history_date if version is not None else None, by))
    return found


def access_of(person: Staff) -> list[Holding]:
    """The roles of one person. Three queries."""
    return holdings(jobs_of([person]).get(person.pk, []))


def access_at(unit: OrgUnit) -> list[Holding]:
    """Everybody active whose role reaches the unit: held on it, or above it. Four queries."""
    return holdings(jobs_held_at(OrgUnit.objects.filter(path__in=paths_above(unit.path))))


def header() -> list[str]:
    """The columns of `rows`."""
    return [
        _("Person"), _("Sign-in name"), _("Role"), _("Held at"), _("What it does"), _("May besides reading"),
        _("Since"), _("Given by"),
    ]  # fmt: skip


def rows(held: Iterable[Holding]) -> list[list[Any]]:
    """The report as a table."""
    return [
        [
            str(each.person), each.person.username, each.label, each.unit.name, each.does, "; ".join(each.may),
            each.since, each.given_by,
        ]
        for each in held
    ]  # fmt: skip


@hanging(order=20)
def keys(person: Staff, reader: Staff, when: datetime) -> Iterable[Hanging]:
    """The API clients that a person made and that still work. Two queries."""
    made = ApiClient.history.filter(history_user=person, history_type="+").values("id")
    active = ApiClient.objects.visible_to(reader).filter(pk__in=made, is_active=True).count()
    yield Hanging(
        _("API clients that they made"), active, _("Their keys go on working: switch off or renew what is not needed.")
    )


@hanging(order=40)
def roles(person: Staff, reader: Staff, when: datetime) -> Iterable[Hanging]:
    held = UserObjectPermission.objects.filter(user=person, content_type__app_label="orgs").count()
    yield Hanging(
        _("Roles"), held, _("They stay with the person, who cannot use them; take away what should not come back.")
    )
