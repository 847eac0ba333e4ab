"""Special days of a programme."""

from typing import Any

from django.db import transaction

from apps.orgs.calendar import parse_days
from apps.orgs.errors import CodeTaken
from apps.orgs.models import Program, SpecialDay, Staff
from apps.orgs.services.actors import require, signed


@transaction.atomic
def create_special_day(program: Program, *, code: str, name: str, days: Any, actor: Staff | None = None) -> SpecialDay:
    """A new special day of `program`. Raises CodeTaken, NotAllowed, pydantic's ValidationError."""
    require(actor, "orgs.add_specialday", program.unit)
    if SpecialDay.objects.filter(program=program, code=code).exists():
        raise CodeTaken(value=code)
    day = SpecialDay(program=program, code=code, name=name, days=_written(days))
    signed(day, actor).save()
    return day


@transaction.atomic
def change_special_day(day: SpecialDay, *, name: str, days: Any, actor: Staff | None = None) -> SpecialDay:
    """`day` with another name or other days, which hold at once for whatever is told from now on; its code stays, since
    rules name it. Raises NotAllowed, pydantic's ValidationError."""
    day = SpecialDay.objects.select_for_update(no_key=True, of=("self",)).select_related("program__unit").get(pk=day.pk)
    require(actor, "orgs.change_specialday", day.program.unit)
    day.name, day.days = name, _written(days)
    signed(day, actor).save()
    return day


def _written(days: Any) -> Any:
    return parse_days(days).model_dump(mode="json")
