"""Bringing a programme's document in: a policy may hold it. Nothing goes live by it.

The document is kept as it was sent, for ever, so that what others said yes to is what is brought in.
"""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, ClassVar

from django.db import transaction

from apps.approvals.routing import policy_in_force
from apps.approvals.services.sending import Plan as Asking
from apps.approvals.services.sending import plan_of
from apps.conditions.catalogue import Field
from apps.conditions.types import Type
from apps.conditions.words import Words
from apps.core.addresses import address
from apps.core.errors import ChangedMeanwhile
from apps.core.scope import require
from apps.orgs.gate import Approval, Done, Effect, Line, Subject, SubjectGone, digest_of, pass_gate, register
from apps.orgs.models import OrgUnit, Program, Staff
from apps.orgs.services import create_special_day
from apps.points.asked import PROGRAM_FIELD
from apps.points.services.types import create_point_type
from apps.rules import services
from apps.rules.document import ProgramDocument, RulePart
from apps.rules.errors import DocumentFaulty
from apps.rules.exchange import ADD, Beside, Plan, Step, checked_beside, read
from apps.rules.models import ProgramFile, Rule

TITLE = Words("Bring a document into {program}", "向{program}导入配置文件")
STEPS: dict[tuple[str, str], Words] = {
    ("kind", "added"): Words("Added: kind of points “{name}”", "新增积分类型“{name}”"),
    ("day", "added"): Words("Added: special day “{name}”", "新增特殊日期“{name}”"),
    ("rule", "added"): Words("Drafted: new rule “{name}”", "起草新规则“{name}”"),
    ("rule", "changed"): Words("Drafted: a change of “{name}”", "起草“{name}”的变更"),
    ("rule", "replaced"): Words("Drafted: a change of “{name}”, over the draft that is there", "起草“{name}”的变更，覆盖现有草稿"),
}  # fmt: skip
NOTHING = Words("Nothing to draft or add", "没有需要起草或新增的内容")


class ProgramImport(Subject):
    """A kept document, brought into a programme as drafts."""

    code: ClassVar[str] = "rules.import"
    label: ClassVar[Words] = Words("Import of a programme's document", "导入计划配置文件")
    icon: ClassVar[str] = "upload_file"
    permission: ClassVar[str] = ADD
    view: ClassVar[str] = "rules.view_rule"
    fields: ClassVar = (
        Field("request.rules_added", Type.INTEGER, Words("the number of rules added", "新增规则数"), "request.rules_added"),
        Field("request.rules_changed", Type.INTEGER, Words("the number of rules changed", "变更规则数"), "request.rules_changed"),
        Field(
            "request.drafts_replaced", Type.INTEGER, Words("drafts written over", "被覆盖的草稿数"), "request.drafts_replaced"
        ),
        Field(
            "request.kinds_added", Type.INTEGER, Words("kinds of points added", "新增积分类型数"), "request.kinds_added"
        ),
        Field("request.days_added", Type.INTEGER, Words("the number of special days added", "新增特殊日期数"), "request.days_added"),
        PROGRAM_FIELD,
    )  # fmt: skip
    labels: ClassVar[Mapping[str, Words]] = {
        "rules_added": Words("New rules", "新规则"),
        "rules_changed": Words("Rules changed", "变更的规则"),
        "kinds_added": Words("New kinds of points", "新积分类型"),
        "days_added": Words("New special days", "新特殊日期"),
        "steps": Words("What is drafted and added", "起草与新增内容"),
        "document": Words("Fingerprint of the document", "文件指纹"),
    }

    program: int
    document: str
    """The digest of the document, which is kept."""

    def _program(self) -> Program:
        program = Program.objects.select_related("unit").filter(pk=self.program).first()
        if program is None:
            raise SubjectGone()
        return program

    def _document(self) -> ProgramDocument:
        kept = ProgramFile.objects.filter(program=self.program, digest=self.document).first()
        if kept is None or digest_of(kept.document) != self.document:
            raise SubjectGone()
        return read(json.dumps(kept.document).encode())

    def place(self) -> OrgUnit:
        return self._program().unit

    def about(self) -> str:
        return f"program:{self.program}"

    def facts(self, requester: Staff | None, when: datetime) -> dict[str, Any]:
        program = self._program()
        try:
            steps = _steps(checked_beside(requester, program, self._document(), when, "en"))
        except DocumentFaulty:
            steps = []  # it is refused where it is sent, and where it is brought in
        return {**_counts(steps), "program": program.code}

    def effect(self, requester: Staff | None, when: datetime) -> Effect:
        try:
            steps = _steps(checked_beside(requester, self._program(), self._document(), when, "en"))
        except DocumentFaulty as refusal:
            return Effect((Line("document", self.document[:12], self.document[:12]),), refusal.sentence())
        counts = _counts(steps)
        lines = [Line(name, 0, counts[name], "number") for name in ("rules_added", "rules_changed") if counts[name]]
        lines += [Line(name, 0, counts[name], "number") for name in ("kinds_added", "days_added") if counts[name]]
        lines.append(Line("steps", None, json.dumps(steps, ensure_ascii=False), "own"))
        lines.append(Line("document", self.document[:12], self.document[:12]))
        return Effect(tuple(lines))

    def excluded(self) -> frozenset[int]:
        """Whoever brought the document first, also where another sends it."""
        kept = ProgramFile.objects.filter(program=self.program, digest=self.document).values_list("kept_by", flat=True)
        return frozenset(person for person in kept if person is not None)

    def require_ready(self, requester: Staff | None, also: Collection[Staff], when: datetime) -> None:
        """Raises DocumentFaulty."""
        checked_beside(requester, self._program(), self._document(), when, "en")

    def carry_out(self, approval: Approval, when: datetime) -> Done:
        plan = import_document(approval.requester, self._program(), self._document(), when=when, approval=approval)
        return Done({"changes": plan.changes}, plan)

    def title(self) -> Words:
        return TITLE.format(program=self._program().name)

    @classmethod
    def say(cls, line: Line, language: str) -> list[str]:
        steps = json.loads(str(line.after))
        said = [STEPS[what, verb].in_language(language).format(name=name) for what, verb, name, *_ in steps]
        return said or [NOTHING.in_language(language)]

    def address(self) -> str:
        page = address("rules_rule_program")
        return f"{page}?program={self.program}" if page else ""


register(ProgramImport)


def _steps(beside: Beside) -> list[list[str]]:
    """What an import does, as an effect keeps it: what, how, its name, its code, and a fingerprint of what it said."""
    plan = beside.plan()
    parts = (("kind", plan.point_types), ("day", plan.special_days), ("rule", plan.rules))
    return [
        [what, "replaced" if step.replaces_draft else step.verb, step.name, step.code, _before(beside, what, step)]
        for what, steps in parts
        for step in steps
        if step.verb in ("added", "changed")
    ]


def _before(beside: Beside, what: str, step: Step) -> str:
    stands = beside.stands.get(step.code) if what == "rule" else None
    base = (stands.draft or stands.shown) if stands is not None else None
    return digest_of(base.definition)[:12] if base is not None else ""


def _counts(steps: list[list[str]]) -> dict[str, int]:
    made = [(what, verb) for what, verb, *_ in steps]
    return {
        "rules_added": made.count(("rule", "added")),
        "rules_changed": made.count(("rule", "changed")) + made.count(("rule", "replaced")),
        "drafts_replaced": made.count(("rule", "replaced")),
        "kinds_added": made.count(("kind", "added")), "days_added": made.count(("day", "added")),
    }  # fmt: skip


def import_of(actor: Staff | None, program: Program, document: ProgramDocument, when: datetime) -> ProgramImport:
    """The document as it can be asked for: kept first, once for each programme and content."""
    written = document.model_dump(mode="json")
    subject = ProgramImport(program=program.pk, document=digest_of(written))
    kept = ProgramFile.objects.filter(program=program, digest=subject.document)
    if not kept.exists():
        ProgramFile.objects.bulk_create(
            [ProgramFile(program=program, digest=subject.document, document=written, kept_by=actor, kept_at=when)],
            ignore_conflicts=True,
        )
    return subject


def import_planned(actor: Staff, program: Program, document: ProgramDocument, when: datetime) -> Asking | None:
    """Who would have to say yes to the import, without keeping anything; None where there is no policy."""
    if policy_in_force(ProgramImport.code, program.unit) is None:
        return None
    with transaction.atomic():
        plan = plan_of(actor, import_of(actor, program, document, when), when, with_effect=False)
        transaction.set_rollback(True)
    return plan


@transaction.atomic
def import_document(
    actor: Staff | None,
    program: Program,
    document: ProgramDocument,
    *,
    digest: str | None = None,
    language: str = "en",
    when: datetime,
    approval: Approval | None = None,
) -> Plan:
    """Drafts what `document` says of rules, adds its kinds of points and special days, and says what was done. Nothing
    goes live.

    `digest` is that of the plan which the person read; None takes the programme as it is. Raises DocumentFaulty,
    ChangedMeanwhile, NotAllowed, ApprovalNeeded, and what the verbs of rules and of kinds of points refuse.
    """
    pass_gate(import_of(actor, program, document, when), actor, approval, when)
    program = services.locked_program(program.pk)
    require(actor, ADD, program.unit.path)
    beside = checked_beside(actor, program, document, when, language)
    plan = beside.plan()
    if digest is not None and digest != plan.digest:
        raise ChangedMeanwhile()
    verbs = {step.code: step.verb for step in plan.point_types}
    for kind in document.point_types:
        if verbs[kind.code] == "added":
            values = kind.model_dump(exclude={"code", "funder"})
            funder = beside.units[kind.funder] if kind.funder else None
            create_point_type(program, code=kind.code, actor=actor, funder=funder, **values)
    verbs = {step.code: step.verb for step in plan.special_days}
    for day in document.special_days:
        if verbs[day.code] == "added":
            create_special_day(program, code=day.code, name=day.name, days=day.days, actor=actor)
    verbs = {step.code: step.verb for step in plan.rules}
    for part in sorted(document.rules, key=lambda part: beside.units[part.unit].depth):  # what is overridden first
        if verbs[part.code] in ("added", "changed"):
            _bring_in(actor, beside, part, when)
    return plan


def _bring_in(actor: Staff | None, beside: Beside, part: RulePart, when: datetime) -> None:
    wanted = beside.wanted[part.code]
    if part.code not in beside.rules:
        unit = beside.units[part.unit]
        overridden = Rule.objects.select_related("unit").filter(program=beside.program, code=part.overrides).first()
        services.create_rule(
            actor, beside.program, unit, code=part.code, name=part.name, definition=wanted,
            allows_override=part.allows_override, overrides=overridden, when=when,
        )  # fmt: skip
        return
    stands = beside.stands[part.code]
    draft = stands.draft
    if draft is None:
        assert stands.shown is not None
        draft = services.start_draft(actor, stands.shown, when=when)
    services.save_draft(actor, draft, wanted, revision=draft.revision, when=when)
