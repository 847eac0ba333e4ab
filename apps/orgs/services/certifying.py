"""The quarterly review of roles: everybody's, each kept or taken away by an administrator who is somebody else."""

from datetime import datetime

from guardian.models import UserObjectPermission

from apps.core.transactions import in_transaction
from apps.orgs.errors import LineDecided, OwnRoles, ReviewOpen
from apps.orgs.models import Certification, CertificationLine, OrgUnit, Persona, Staff
from apps.orgs.querysets import jobs_held_at, paths_above, units_worked_on
from apps.orgs.services.actors import require
from apps.orgs.services.granting import revoke_role

CHANGE = "orgs.change_staff"
REASON = "review of roles"
Verdict = CertificationLine.Verdict


def open_certifications(when: datetime) -> int:
    """A review for every unit that has an administrator of its own, and for the whole group; how many were opened.
    Where one is open still, it goes on."""
    opened = 0
    for unit in _administered():
        if not Certification.objects.filter(unit=unit, closed_at=None).exists():
            open_certification(None, unit, when=when)
            opened += 1
    return opened


@in_transaction
def open_certification(actor: Staff | None, unit: OrgUnit, *, when: datetime) -> Certification:
    """A review of every role that is held in the unit's part of the group, without the parts of units below that have
    an administrator of their own. Raises ReviewOpen, NotAllowed."""
    require(actor, CHANGE, unit)
    OrgUnit.objects.select_for_update(no_key=True).get(pk=unit.pk)
    if Certification.objects.filter(unit=unit, closed_at=None).exists():
        raise ReviewOpen()
    review: Certification = Certification.objects.create(unit=unit, opened_at=when, opened_by=actor)
    others = [each.path for each in _administered() if each.path.startswith(unit.path) and each.pk != unit.pk]
    jobs = [
        job
        for job in jobs_held_at(OrgUnit.objects.within(unit.path))
        if not any(job.unit.path.startswith(path) for path in others)
    ]
    CertificationLine.objects.bulk_create(
        CertificationLine(certification=review, person=job.staff, role=job.role, held_at=job.unit) for job in jobs
    )
    _close_if_done(review, when)
    return review


@in_transaction
def decide_line(actor: Staff, line_id: int, verdict: str, *, when: datetime) -> CertificationLine:
    """The role kept, or taken away from now on. What is not held any more is said to be gone, whatever was wanted.

    Raises LineDecided, OwnRoles, NotAllowed, LastAdministrator.
    """
    lines = CertificationLine.objects.select_for_update(no_key=True, of=("self",))
    line = lines.select_related("person__unit", "held_at", "certification__unit").get(pk=line_id)
    require(actor, CHANGE, line.certification.unit)
    require(actor, CHANGE, line.held_at)
    if line.person_id == actor.pk:
        raise OwnRoles()
    if line.verdict:
        raise LineDecided()
    wanted = Verdict.TAKEN if verdict == Verdict.TAKEN else Verdict.KEPT
    if not any(unit.pk == line.held_at_id for unit in units_worked_on(line.person, line.role)):
        wanted = Verdict.GONE
    elif wanted == Verdict.TAKEN:
        revoke_role(actor, line.person, line.role, line.held_at, reason=REASON)
    line.verdict, line.decided_by, line.decided_at = wanted, actor, when
    line.save()
    _close_if_done(line.certification, when)
    return line


def _close_if_done(review: Certification, when: datetime) -> None:
    if not review.lines.filter(verdict="").exists():
        Certification.objects.filter(pk=review.pk, closed_at=None).update(closed_at=when)


def _administered() -> list[OrgUnit]:
    """The units where an active administrator holds that very role, and the top of the group."""
    held = UserObjectPermission.objects.filter(
        permission__codename=f"role_{Persona.ADMINISTRATOR}", content_type__app_label="orgs", user__is_active=True
    )
    ids = {int(pk) for pk in held.values_list("object_pk", flat=True)}
    units = list(OrgUnit.objects.filter(pk__in=ids))
    roots = {paths_above(unit.path)[0] for unit in OrgUnit.objects.filter(depth=1)}
    missing = roots - {unit.path for unit in units}
    return sorted([*units, *OrgUnit.objects.filter(path__in=missing)], key=lambda unit: unit.path)
