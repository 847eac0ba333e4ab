"""Retiring a rule: it earns nothing from some moment on. A policy may hold it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.db import transaction
from pydantic import AwareDatetime

from apps.conditions.catalogue import Field
from apps.conditions.types import Type
from apps.conditions.words import Words
from apps.core.addresses import address
from apps.orgs.gate import Approval, Done, Effect, Line, Subject, SubjectGone, pass_gate, register
from apps.orgs.models import OrgUnit, Staff
from apps.orgs.services.actors import signed
from apps.points.asked import PROGRAM_FIELD
from apps.rules.errors import EndInThePast, NothingToRetire
from apps.rules.locking import locked_rule
from apps.rules.models import Rule, RuleVersion
from apps.rules.publishing import PUBLISH, moment_said, soon_after
from apps.rules.reading import about_rule, reaching_beyond, standing

State = RuleVersion.State
TITLE = Words("Retire “{rule}”", "停用“{rule}”")
WHEN_APPROVED = Words("as soon as it is approved", "批准后立即失效")


class Retirement(Subject):
    """A rule that is to end `at`; None is as soon as it is approved."""

    code: ClassVar[str] = "rules.retirement"
    label: ClassVar[Words] = Words("Retirement of a rule", "规则停用")
    icon: ClassVar[str] = "event_busy"
    permission: ClassVar[str] = PUBLISH
    view: ClassVar[str] = "rules.view_rule"
    fields: ClassVar = (
        Field("request.at_once", Type.BOOLEAN, Words("it stops at once", "立即停用"), "request.at_once"),
        Field("request.is_live", Type.BOOLEAN, Words("a version is in force", "有版本正在生效"), "request.is_live"),
        Field("request.rule", Type.TEXT, Words("code of the rule", "规则代码"), "request.rule"),
        PROGRAM_FIELD,
    )  # fmt: skip
    labels: ClassVar[Mapping[str, Words]] = {
        "version": Words("Version in force", "生效版本"),
        "scheduled": Words("Version that is scheduled", "待生效版本"),
        "ends": Words("In force until", "失效时间"),
    }

    rule: int
    at: AwareDatetime | None = None

    def _rule(self) -> Rule:
        rule = Rule.objects.select_related("unit", "program__unit").filter(pk=self.rule).first()
        if rule is None:
            raise SubjectGone()
        return rule

    def place(self) -> OrgUnit:
        return self._rule().unit

    def about(self) -> str:
        return about_rule(self.rule)

    def facts(self, requester: Staff | None, when: datetime) -> dict[str, Any]:
        rule = self._rule()
        is_live = standing(rule.versions.order_by("-number"), when).live is not None
        return {"at_once": self.at is None, "is_live": is_live, "rule": rule.code, "program": rule.program.code}

    def effect(self, requester: Staff | None, when: datetime) -> Effect:
        rule = self._rule()
        stands = standing(rule.versions.order_by("-number"), when)
        if stands.live is None and stands.scheduled is None:
            raise SubjectGone()
        at = self.at if self.at is not None and self.at > when else None
        lines = [Line("ends", rule.program.time_zone, at.isoformat() if at is not None else None, "own")]
        for code, version in (("version", stands.live), ("scheduled", stands.scheduled)):
            if version is not None:
                lines.append(Line(code, version.number, None, "number"))
        return Effect(tuple(lines))

    def require_ready(self, requester: Staff | None, also: Any, when: datetime) -> None:
        """Raises EndInThePast, NothingToRetire."""
        rule = locked_rule(self.rule)
        _to_end(rule, self.at, when)

    def carry_out(self, approval: Approval, when: datetime) -> Done:
        rule = retire_rule(approval.requester, self._rule(), at=self.at, when=when, approval=approval)
        return Done({"rule": rule.code}, rule)

    def title(self) -> Words:
        return TITLE.format(rule=self._rule().name)

    @classmethod
    def say(cls, line: Line, language: str) -> list[str]:
        return [moment_said(line, WHEN_APPROVED, language)]

    def address(self) -> str:
        return address("rules_rule_change", self.rule)


register(Retirement)


@transaction.atomic
def retire_rule(
    actor: Staff | None, rule: Rule, *, at: datetime | None = None, when: datetime, approval: Approval | None = None
) -> Rule:
    """The rule, in force no longer from `at`, or from as soon as may be; what waits to start never starts.

    What was approved later than its end ends as soon as may be. Raises EndInThePast, NothingToRetire, NotAllowed,
    ApprovalNeeded.
    """
    wanted = at.astimezone(UTC) if at is not None else None
    pass_gate(Retirement(rule=rule.pk, at=wanted), actor, approval, when)
    rule = locked_rule(rule.pk)
    if approval is not None and wanted is not None and wanted < when:
        wanted = None
    end, versions = _to_end(rule, wanted, when)
    for version in versions:
        version.ends_at = max(end, version.starts_at or end)
        version.state, version.retired_at = State.RETIRED, when
        signed(version, actor).save()
    return rule


def _to_end(rule: Rule, at: datetime | None, when: datetime) -> tuple[datetime, list[RuleVersion]]:
    """When the rule would end, and the versions that end then. Raises EndInThePast, NothingToRetire."""
    if at is not None and at < when:
        raise EndInThePast()
    end = soon_after(when) if at is None else max(at, soon_after(when))
    versions = list(reaching_beyond(rule.versions.all(), end))
    if not versions:
        raise NothingToRetire()
    return end, versions
