"""What a policy may ask about a request: what every request has, and what its kind of subject tells."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from types import SimpleNamespace
from typing import Any

from apps.conditions.catalogue import Catalogue, Field
from apps.conditions.types import Type
from apps.conditions.words import Words
from apps.orgs.gate import kind_called
from apps.orgs.words import ROLES as ROLES

WINDOW_DAYS = 30

COMMON = (
    Field("request.unit", Type.UNIT, Words("its org unit", "所属组织"), "request.unit"),
    Field(
        "request.outside_hours", Type.BOOLEAN, Words("sent outside working time", "在非工作时间提交"),
        "request.outside_hours",
    ),
    Field("requester.unit", Type.UNIT, Words("the requester's unit", "申请人所属组织"), "requester.unit"),
    Field(
        "requester.roles", Type.TAGS, Words("the requester's job", "申请人的角色"), "requester.roles",
        choices=tuple(ROLES.items()), is_closed=True,
    ),
    Field(
        "requester.requests", Type.INTEGER,
        Words("requests of this kind by the requester in 30 days", "申请人 30 天内此类申请数"), "requester.requests",
    ),
)  # fmt: skip
SUMS = (
    Field(
        "requester.total", Type.INTEGER, Words("the requester's total in 30 days", "申请人 30 天内的合计"),
        "requester.total",
    ),
    Field(
        "request.total", Type.INTEGER, Words("the total about the same in 30 days", "同一对象 30 天内的合计"),
        "request.total",
    ),
)  # fmt: skip
"""Of kinds whose requests add up: this one included, others of the same direction."""


@cache
def catalogue_of(kind: str) -> Catalogue:
    """The fields of requests of `kind`, its own first. Raises SubjectGone."""
    subject = kind_called(kind)
    own = (*subject.fields, *(SUMS if subject.adds_up else ()), *COMMON)
    return Catalogue(subjects=("request", "requester"), fields=own)


def subjects_of(kind: str, facts: Mapping[str, Any]) -> tuple[SimpleNamespace, SimpleNamespace]:
    """The two subjects of a condition, from facts as requests keep them: by the field's name, plain JSON."""
    request, requester = SimpleNamespace(), SimpleNamespace()
    for field in catalogue_of(kind).fields:
        owner, name = field.read.split(".")
        setattr(request if owner == "request" else requester, name, _typed(field.type, facts.get(field.name)))
    return request, requester


def _typed(kind: Type, value: Any) -> Any:
    if value is None:
        return None
    match kind:
        case Type.NUMBER:
            return Decimal(str(value))
        case Type.DATE:
            return date.fromisoformat(value)
        case Type.TAGS:
            return tuple(value)
        case _:
            return value


def plain(value: Any) -> Any:
    """A fact as requests keep it."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple | set | frozenset):
        return sorted(value)
    return value
