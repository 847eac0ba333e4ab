"""Special days of a programme. Rules name them, so other days may give more: a policy may hold that."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from django.db import transaction

from apps.conditions.catalogue import Field
from apps.conditions.types import Type
from apps.conditions.words import Words
from apps.core.addresses import address
from apps.orgs.calendar import parse_days
from apps.orgs.calendar_words import days_in_words
from apps.orgs.errors import CodeTaken
from apps.orgs.gate import Approval, Done, Effect, Line, Plain, Subject, SubjectGone, pass_gate, register
from apps.orgs.models import OrgUnit, Program, SpecialDay, Staff
from apps.orgs.services.actors import require, signed
from apps.orgs.services.tree import PROGRAM_FIELD

TITLE = Words("Days of “{name}”, {program}", "{program}“{name}”的日期")


class SpecialDayDays(Subject):
    """Other days for a special day that rules may name."""

    code: ClassVar[str] = "orgs.special_day"
    label: ClassVar[Words] = Words("Days of a special day", "特殊日期的日期")
    icon: ClassVar[str] = "event"
    permission: ClassVar[str] = "orgs.change_specialday"
    view: ClassVar[str] = "orgs.view_specialday"
    fields: ClassVar = (
        Field("request.day", Type.TEXT, Words("code of the special day", "特殊日期代码"), "request.day"),
        PROGRAM_FIELD,
    )
    labels: ClassVar[Mapping[str, Words]] = {"days": Words("Days", "日期")}

    day: int
    days: dict[str, Any]

    def _day(self) -> SpecialDay:
        day: SpecialDay | None = SpecialDay.objects.select_related("program__unit").filter(pk=self.day).first()
        if day is None:
            raise SubjectGone()
        return day

    def place(self) -> OrgUnit:
        return self._day().program.unit

    def about(self) -> str:
        return f"special_day:{self.day}"

    def facts(self, requester: Staff | None, when: datetime) -> dict[str, Any]:
        day = self._day()
        return {"day": day.code, "program": day.program.code}

    def effect(self, requester: Staff | None, when: datetime) -> Effect:
        return Effect((Line("days", _ordered(self._day().days), _ordered(self.days), "own"),))

    def carry_out(self, approval: Approval, when: datetime) -> Done:
        row = self._day()
        day = change_special_day(
            row, name=row.name, days=self.days, actor=approval.requester, approval=approval, when=when
        )  # fmt: skip
        return Done({"day": day.name}, day)

    @classmethod
    def say(cls, line: Line, language: str) -> list[str]:
        return [f"{_said(line.before, language)} → {_said(line.after, language)}"]

    def title(self) -> Words:
        day = self._day()
        return TITLE.format(name=day.name, program=day.program.name)

    def address(self) -> str:
        return address("orgs_specialday_change", self.day)


register(SpecialDayDays)


def _ordered(days: Any) -> str:
    """Days as text, the same whatever the order in which the database gives them back."""
    return json.dumps(_written(days), sort_keys=True)


def _said(value: Plain, language: str) -> str:
    return days_in_words(json.loads(str(value)), language)


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
def change_special_day(
    day: SpecialDay,
    *,
    name: str,
    days: Any,
    actor: Staff | None = None,
    when: datetime | None = None,
    approval: Approval | None = None,
) -> SpecialDay:
    """`day` with another name or other days, which hold at once for whatever is told from now on; its code stays, since
    rules name it. Other days pass the gate, for which a person's change needs its instant.

    Raises NotAllowed, ApprovalNeeded, pydantic's ValidationError.
    """
    day = SpecialDay.objects.select_related("program__unit").get(pk=day.pk)
    require(actor, "orgs.change_specialday", day.program.unit)
    if actor is not None and (approval is not None or _ordered(days) != _ordered(day.days)):
        if when is None:
            raise ValueError("a person's change of a special day needs its instant")
        pass_gate(days_wanted(day, days), actor, approval, when)
    day = SpecialDay.objects.select_for_update(no_key=True, of=("self",)).select_related("program__unit").get(pk=day.pk)
    day.name, day.days = name, _written(days)
    signed(day, actor).save()
    return day


def days_wanted(day: SpecialDay, days: Any) -> SpecialDayDays:
    """What is asked for when `day` is to fall on `days`."""
    return SpecialDayDays(day=day.pk, days=_written(days))


def _written(days: Any) -> Any:
    return parse_days(days).model_dump(mode="json")
