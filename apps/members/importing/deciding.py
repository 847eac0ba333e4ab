"""Settling what a person must settle: one choice for every row in which the same was found. Nothing is taken in yet."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from django.db import connection
from django.utils.translation import gettext as _

from apps.conditions.words import Words
from apps.core.errors import LoyaltyError
from apps.core.transactions import in_transaction
from apps.members.attributes import value_of
from apps.members.errors import AttributeRefused
from apps.members.importing import again
from apps.members.importing.bringing import check_again, locked
from apps.members.importing.checking import compare, settle_states
from apps.members.importing.models import MemberImport
from apps.members.querysets import definitions_for
from apps.orgs.models import OrgUnit

REFUSE = "refuse"
NUL = "\0"
_DUPLICATE: Mapping[str, Words] = {
    "without": Words("Take both in, the later one without it", "两条都导入，后者不带该标识"),
    "merge": Words("They are one member: add its points to the earlier row", "视为同一会员：积分并入前一行"),
    "newest": Words("Take the last one, refuse the earlier ones", "以最后一行为准，拒绝前面的"),
    REFUSE: Words("Refuse the later ones", "拒绝后面的"),
}
CHOICES: Mapping[str, Mapping[str, Words]] = {
    **{f"{kind}_duplicate": _DUPLICATE for kind in ("card", "phone", "email", "identifier")},
    "identifier_of_other": {
        "without": Words("Take it in without what belongs to the other", "导入，但不带属于他人的标识"),
        REFUSE: Words("Refuse them", "拒绝"),
    },
    again.CODE: {"merge": _DUPLICATE["merge"], REFUSE: _DUPLICATE[REFUSE]},
    "value_unknown": {
        "empty": Words("Leave the attribute empty", "属性留空"),
        REFUSE: Words("Refuse them", "拒绝"),
    },
    "points_negative": {
        "zero": Words("Take them in without points", "按 0 分导入"),
        "debt": Words("Take them in with debt", "按负债导入"),
        REFUSE: Words("Refuse them", "拒绝"),
    },
    "store_unknown": {REFUSE: Words("Refuse them", "拒绝")},
}
"""For an unknown store also a unit's code, for an unknown value also one that the attribute knows: `=VALUE`."""


class ChoiceUnknown(LoyaltyError):
    code = "choice_unknown"
    field = "choice"

    def sentence(self) -> str:
        return _("This cannot be chosen here.")


@in_transaction
def decide(actor: Any, job_id: int, code: str, value: str, choice: str, *, when: datetime) -> MemberImport:
    """Settles the finding `code` in every row of the file that says `value`; where none does (any more), changes nothing.
    Raises ChoiceUnknown, NotCheckable, NotAllowed."""
    job = locked(actor, job_id, MemberImport.State.CHECKED)
    is_found = NUL not in code + value and job.staged.filter(findings__contains={code: value}, is_done=False).exists()
    settle(job, code, value, choice)
    if is_found:
        job.decisions = [*job.decisions, [code, value, choice]]
        job.save(update_fields=["decisions"])
        settle_states(job)
    return job


@in_transaction
def take_decision_back(actor: Any, job_id: int, code: str, value: str, *, when: datetime) -> MemberImport:
    """Has the file checked again with all decisions but this one. Raises NotCheckable, NotAllowed."""
    job = locked(actor, job_id, MemberImport.State.CHECKED)
    job.decisions = [made for made in job.decisions if made[:2] != [code, value]]
    check_again(job, when)
    return job


def settle_again(job: MemberImport) -> None:
    """Settles what was settled before, as far as it can still be chosen."""
    kept = []
    for code, value, choice in job.decisions:
        try:
            settle(job, code, value, choice)
        except ChoiceUnknown:
            continue
        kept.append([code, value, choice])
    job.decisions = kept
    job.save(update_fields=["decisions"])


def settle(job: MemberImport, code: str, value: str, choice: str) -> None:
    """Changes the rows. Raises ChoiceUnknown."""
    head, _colon, about = code.partition(":")
    is_free = head in ("store_unknown", "value_unknown")
    if NUL in code + value + choice or head not in CHOICES or (choice not in CHOICES[head] and not is_free):
        raise ChoiceUnknown()
    unit = _store(job, choice) if head == "store_unknown" and choice != REFUSE else None
    told = _told(job, about, choice) if head == "value_unknown" and choice != REFUSE else {}
    if (head, choice) == (again.CODE, "merge"):
        joined = again.join(job)
        again.ask_of_shared(job)
        compare(job, joined)
        return
    if choice == "merge":
        again.leave(job, code)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT members_import_decide(%s, %s, %s, %s, %s, %s::jsonb)",
            [job.pk, code, value, choice, unit, orjson.dumps(told).decode()],
        )
    if choice in ("newest", REFUSE):
        again.clear(job)
    elif choice == "merge":
        again.ask_of_shared(job)


def _store(job: MemberImport, code: str) -> int:
    unit = OrgUnit.objects.within(job.program.unit.path).filter(code=code).values_list("pk", flat=True).first()
    if unit is None:
        raise ChoiceUnknown()
    return int(unit)


def _told(job: MemberImport, key: str, choice: str) -> dict[str, Any]:
    if choice == "empty":
        return {}
    known = next((each for each in definitions_for(job.program.unit) if each.key == key), None)
    if known is None or not choice.startswith("="):
        raise ChoiceUnknown()
    try:
        return {key: value_of(known, choice[1:])}
    except AttributeRefused:
        raise ChoiceUnknown() from None
