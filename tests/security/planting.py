"""A world for the sweeps: for each of two companies one row of every model, with a canary in every text field.

Rows are planted straight into the tables, fields filled by kind; a model that needs more says so in `SPECIAL`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from django.apps import apps
from django.db import connection, models

from apps.approvals.models import ApprovalRequest, ApprovalTask, PolicyVersion
from apps.core.scope import Scope
from apps.members.models import ErasureLine, ImportMapping, Member
from apps.orgs.models import OrgUnit, Persona, Staff
from apps.orgs.roles import PERMISSIONS
from apps.orgs.services import create_staff
from apps.orgs.working_time import parse_working_hours
from apps.points.models import PointType
from apps.rules.models import CodeBatch
from tests.factories import OUTSIDER_ROLES, PLACES, Cast, CoffeeGroup, make_cast, make_group

FORMULAS = "=+-@"
WHEN = datetime(2026, 5, 4, 12, tzinfo=UTC)

SCOPED = [
    model
    for model in apps.get_models()
    if isinstance(getattr(model, "scope", None), Scope) and model.__module__.startswith("apps.") and model._meta.managed
]
"""Every model of ours that has a table; a view shows what is planted in tables."""

COMMON = {"orgs.role", "core.epoch", "reports.watermark", "reports.ledgercheck"}
"""Models without a company: what they hold is for everybody."""


def another_member(planted: "Planted") -> Member:
    planted.row(Member)
    return Member.objects.create(home_unit=planted.store, joined_on=date(2026, 1, 1), created_at=WHEN)


SPECIAL: dict[str, Callable[["Planted"], dict[str, Any]]] = {
    # Fields whose value has a shape of its own, by model: `lambda planted: {"definition": {...}}`.
    "activity.importjob": lambda planted: {"refusal": {}},
    # It waits in a chunk: what was refused is read, and a planted cipher text is none.
    "activity.importrow": lambda planted: {"chunk": 0},
    "orgs.apiclient": lambda planted: {"scopes": ["events:write"]},
    "rules.codebatch": lambda planted: {
        "code": f"batch-{planted.company.lower()}",
        "prizes": [{"name": planted.canary(CodeBatch, "prizes"), "wins": 1, "out_of": 10}],
    },
    "rules.ruleversion": lambda planted: {
        "definition": {
            "condition": {"all": []},
            "effects": [{"effect": "fixed_points", "point_type": "points", "points": 1}],
            "limits": [],
        }
    },
    "points.pointtype": lambda planted: {"expiry": {}},
    # A good row: of a faulty one the cells are read, and a planted cipher text is none.
    "points.adjustmentrow": lambda planted: {"fault": ""},
    "points.adjustmentbatch": lambda planted: {"rows_refused": 0},
    "approvals.policy": lambda planted: {"kind": "points.adjustment"},
    "approvals.policyversion": lambda planted: {
        "definition": {"bands": [{"name": planted.canary(PolicyVersion, "definition"), "when": {"all": []}}]}
    },
    # Asked by nobody of the cast, so that who reads it follows from its kind; open for its one step.
    "approvals.approvalrequest": lambda planted: {
        "kind": "points.adjustment",
        "about": "member:1",
        "title": {},
        "requester": None,
        "policy_version": None,
        "step": 1,
        "steps": 1,
        "asked_on": [],
        "together": [],
        "excluded": [],
        "subject": {
            "member": planted.row(Member).pk,
            "point_type": planted.row(PointType).pk,
            "points": 1,
            "reason_code": planted.canary(ApprovalRequest, "subject"),
        },
    },
    "approvals.approvalstep": lambda planted: {
        "definition": {"parties": [{"who": {"kind": "role", "role": "finance"}}]},
        "opened_at": WHEN,
    },
    "approvals.approvaltask": lambda planted: {"is_open": True},
    "approvals.decision": lambda planted: {"verdict": "approved"} if planted.row(ApprovalTask) else {},
    "approvals.delegation": lambda planted: {
        "delegate": create_staff(f"delegate-{planted.company}", unit=planted.store),
        "kinds": [],
        "ends_at": WHEN + timedelta(days=36_500, hours=4),
    },
    "orgs.workingtime": lambda planted: {
        "hours": parse_working_hours({"week": {"1": [["09:00", "18:00"]]}}).to_json(),
        "time_zone": "Asia/Shanghai",
    },
    # Open: closed reviews of one unit may be many.
    "orgs.certificationline": lambda planted: {"verdict": "", "decided_by": None, "decided_at": None},
    "orgs.viewas": lambda planted: {
        "administrator": create_staff(f"viewer-{planted.company}", unit=planted.store),
        "until": WHEN,
    },
    "orgs.specialday": lambda planted: {"days": {"kind": "each_month", "day": 8}},
    "members.attributedefinition": lambda planted: {"choices": []},
    # A planted path names no file, and a planted cipher text is none: rows are new, of which no cell is read.
    "members.memberimport": lambda planted: {
        "layout": {"encoding": "utf-8", "delimiter": ",", "header_row": 1, "columns": ["card"]},
        "mapping": {},
        "refusal": {},
        "counts": {"new": 1},
        "totals": {},
        "decisions": {},
        "stated": {},
    },
    # Figures are parts of what they count.
    "members.qualityrule": lambda planted: {"field": "joined_on", "check_code": "plausible"},
    "members.qualityfigure": lambda planted: {"members": 10, "at_fault": 1},
    "members.qualityday": lambda planted: {"members": 10, "at_fault": 1},
    "members.importmapping": lambda planted: {
        "document": {"columns": [{"name": planted.canary(ImportMapping, "document"), "target": "identifier:card"}]}
    },
    "members.memberrow": lambda planted: {"changes": [], "findings": {}, "notes": [], "amounts": {}, "before": None},
    "segments.tag": lambda planted: {"condition": {"all": []}, "rfm_group": ""},
    "segments.segment": lambda planted: {"condition": {"all": []}},
    "members.erasureline": lambda planted: {
        "label": {"en": planted.canary(ErasureLine, "label"), "zh": planted.canary(ErasureLine, "label")},
        "stays": {},
    },
    "members.matchingorder": lambda planted: {"kinds": ["card"]},
    "members.duplicatepair": lambda planted: {
        "second": another_member(planted),
        "reasons": {"birthday": 80},
        "decided_at": None,
        "decided_by": None,
        "merge": None,
    },
    "members.merge": lambda planted: {
        "gone": another_member(planted),
        "choices": {"name": "gone"},
        "moved": {"members": {}},
        "returned": {},
        "undone_at": None,
    },
    "members.memberchange": lambda planted: {"changes": [{"field": "name", "old": None, "new": "K**"}]},
}


@dataclass
class Planted:
    """One company's rows, by model label."""

    company: str
    store: OrgUnit
    rows: dict[str, Any] = field(default_factory=dict)

    def canary(self, model: type[models.Model], name: str) -> str:
        """Found nowhere by accident: `=kanariWEST` and some letters of its own; it starts as a formula does."""
        digest = sha256(f"{model._meta.label_lower}.{name}".encode()).hexdigest()[:8]
        return f"{FORMULAS[int(digest, 16) % len(FORMULAS)]}kanari{self.company}{digest}"

    def row(self, model: type[models.Model]) -> Any:
        """The row of `model`; planted when it is first asked for, what it points to first."""
        label = model._meta.label_lower
        if label not in self.rows:
            values = {each.name: self._value(model, each) for each in _fields(model)}
            values |= SPECIAL.get(label, lambda planted: {})(self)
            self.rows[label] = model._default_manager.create(**values)
        return self.rows[label]

    def _value(self, model: type[models.Model], each: Any) -> Any:
        if each.is_relation:
            return None if each.remote_field.model is model else self.row(each.remote_field.model)
        if each.choices:
            return each.default if each.has_default() else each.flatchoices[0][0]
        for kind, value in (
            (models.BinaryField, self.canary(model, each.name).encode()[-(each.max_length or 80) :]),
            (models.CharField | models.TextField, self.canary(model, each.name)[: each.max_length or 80]),
            (models.JSONField, {"note": self.canary(model, each.name)}),
        ):
            if isinstance(each, kind):
                return value
        if each.has_default():
            return each.get_default()
        if each.null:
            return None
        return next(value for kind, value in PLAIN if isinstance(each, kind))


PLAIN: list[tuple[Any, Any]] = [
    (models.BooleanField, True),
    (models.DateTimeField, WHEN),
    (models.DateField, date(2026, 5, 4)),
    (models.DecimalField, Decimal(1)),
    (models.IntegerField, 1),
    (models.BooleanField, True),
]


def _fields(model: type[models.Model]) -> Iterable[Any]:
    return [each for each in model._meta.concrete_fields if not (each.primary_key and not each.is_relation)]


@dataclass
class World:
    """The coffee group, its cast, and the planted rows of both companies."""

    group: CoffeeGroup
    cast: Cast
    east: Planted
    west: Planted


def make_world() -> World:
    _spread_ids()
    group = make_group()
    world = World(group, make_cast(group), Planted("EAST", group["S001"]), Planted("WEST", group["S101"]))
    for planted in (world.east, world.west):
        code = planted.company.lower()
        person = create_staff(
            f"{planted.canary(Staff, 'username')}", unit=planted.store, first_name=planted.canary(Staff, "first_name"),
            last_name=planted.canary(Staff, "last_name"), email=f"{planted.canary(Staff, 'email')[1:]}@example.com",
        )  # fmt: skip
        OrgUnit.objects.filter(pk=planted.store.pk).update(name=planted.canary(OrgUnit, "name"))
        planted.store.refresh_from_db()
        program = group.programs[code]
        program.name = planted.canary(type(program), "name")
        program.save()
        point_type = group.point_types[code]
        point_type.name = planted.canary(type(point_type), "name")
        point_type.save()
        planted.rows |= {
            "orgs.orgunit": planted.store, "orgs.staff": person, "orgs.program": program,
            "points.pointtype": point_type,
        }  # fmt: skip
        for model in SCOPED:
            if model._meta.label_lower not in COMMON:
                planted.row(model)
    return world


def _spread_ids() -> None:
    """Lets ids start at 10,000 and more, so that an id in a page is not taken for a number, nor a number for an id."""
    for number, model in enumerate(SCOPED):
        if isinstance(model._meta.pk, models.AutoField | models.BigAutoField):
            with connection.cursor() as cursor:
                sequence = f"pg_get_serial_sequence('{model._meta.db_table}', '{model._meta.pk.column}')"
                skipped = f"generate_series(1, {10_000 + 111 * number})"
                cursor.execute(f"SELECT count(nextval({sequence})) FROM {skipped}")


def paths_of(row: Any) -> set[str]:
    """Where a row lives, read off the objects and not through SQL."""
    paths = set()
    for lookup in row.scope.units:
        value = row
        for name in () if lookup == "self" else lookup.split("__"):
            value = getattr(value, name)
        if value is not None:
            paths.add(value.path)
    return paths


def roles_of(persona: str) -> tuple[str, ...]:
    return tuple(OUTSIDER_ROLES) if persona == "outsider" else (persona,)


def place_of(persona: str) -> str:
    return "WEST" if persona == "outsider" else PLACES.get(persona, "EAST")


def holds(persona: str, permission: str) -> bool:
    """Whether a role of `persona` grants `permission`, as the matrix in `apps.orgs.roles` says."""
    return any(permission in PERMISSIONS[Persona(role)] for role in roles_of(persona))


def reaches(world: World, persona: str, row: Any, *, from_below: bool = True) -> bool:
    """Whether `row` lies where `persona` works; an independent reading of what `visible_to` does in SQL."""
    scope: Scope = row.scope
    if scope.everybody:
        return True
    is_of_request = row._meta.app_label == "approvals" and "request" in " ".join((row._meta.model_name, *scope.units))
    if is_of_request and not holds(persona, "points.view_posting"):
        return False  # the planted request is one about points: who reads postings reads it
    home = world.group[place_of(persona)].path
    if scope.own:
        return bool(getattr(row, scope.own).pk == getattr(world.cast, persona).pk)
    governed = from_below and scope.governs
    return any(path.startswith(home) or (governed and home.startswith(path)) for path in paths_of(row))
