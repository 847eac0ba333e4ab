"""Working times of units."""

from typing import Any
from zoneinfo import available_timezones

from django.db import transaction

from apps.orgs.errors import UnknownTimeZone, WorkingTimeExists
from apps.orgs.models import OrgUnit, Staff, WorkingTime
from apps.orgs.services.actors import require, signed
from apps.orgs.working_time import parse_working_hours


@transaction.atomic
def create_working_time(unit: OrgUnit, *, time_zone: str, hours: Any, actor: Staff | None = None) -> WorkingTime:
    """The working time of `unit` and of those below it that have none of their own.

    Raises WorkingTimeExists, UnknownTimeZone, NotAllowed, pydantic's ValidationError.
    """
    require(actor, "orgs.add_workingtime", unit)
    OrgUnit.objects.select_for_update(no_key=True).get(pk=unit.pk)
    if WorkingTime.objects.filter(unit=unit).exists():
        raise WorkingTimeExists(unit=unit.name)
    row = WorkingTime(unit=unit, time_zone=_known(time_zone), hours=parse_working_hours(hours).to_json())
    signed(row, actor).save()
    return row


@transaction.atomic
def change_working_time(row: WorkingTime, *, time_zone: str, hours: Any, actor: Staff | None = None) -> WorkingTime:
    """`row` with other hours: deadlines that are set from now on count them; those that are set stay.

    Raises UnknownTimeZone, NotAllowed, pydantic's ValidationError.
    """
    row = WorkingTime.objects.select_for_update(no_key=True, of=("self",)).select_related("unit").get(pk=row.pk)
    require(actor, "orgs.change_workingtime", row.unit)
    row.time_zone, row.hours = _known(time_zone), parse_working_hours(hours).to_json()
    signed(row, actor).save()
    return row


def _known(time_zone: str) -> str:
    if time_zone not in available_timezones():
        raise UnknownTimeZone(value=time_zone)
    return time_zone
