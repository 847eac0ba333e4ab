"""Policies: a draft is written, tried and published; what is published never changes, the next version replaces it."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from apps.approvals.comparing import differences
from apps.approvals.definition import Definition, Faulty, check_definition
from apps.approvals.errors import DefinitionFaulty, NoDraft, PolicyChanged, PolicyExists
from apps.approvals.models import Policy, PolicyVersion
from apps.approvals.words import policy_sentences
from apps.conditions.words import Words
from apps.core.addresses import address
from apps.core.transactions import in_transaction
from apps.orgs.gate import Approval, Done, Effect, Line, Subject, SubjectGone, kind_called, pass_gate, register
from apps.orgs.models import OrgUnit, Staff
from apps.orgs.services.actors import require, signed

State = PolicyVersion.State


class PolicyPublication(Subject):
    """The publication of a draft, as it was read."""

    code: ClassVar[str] = "approvals.policy"
    label: ClassVar[Words] = Words("Approval policy", "审批策略")
    icon: ClassVar[str] = "gavel"
    permission: ClassVar[str] = "approvals.publish_policy"
    view: ClassVar[str] = "approvals.publish_policy"
    labels: ClassVar[Mapping[str, Words]] = {
        "version": Words("Version", "版本"), "says": Words("What it says", "内容"),
        "in_force": Words("Switched on", "启用"),
    }  # fmt: skip

    version: int
    revision: int

    def _version(self) -> PolicyVersion:
        rows = PolicyVersion.objects.select_related("policy__unit").filter(state=State.DRAFT, revision=self.revision)
        version = rows.filter(pk=self.version).first()
        if version is None:
            raise SubjectGone()
        return version

    def place(self) -> OrgUnit:
        return self._version().policy.unit

    def about(self) -> str:
        return f"policy:{self._version().policy_id}"

    def address(self) -> str:
        policy = PolicyVersion.objects.filter(pk=self.version).values_list("policy_id", flat=True).first()
        return address("approvals_policy_change", policy) if policy is not None else ""

    def excluded(self) -> frozenset[int]:
        """Everybody who saved the draft, also where another sends it."""
        saved = PolicyVersion.history.filter(id=self.version).values_list("history_user_id", "changed_by_id")
        return frozenset(person for row in saved for person in row if person is not None)

    def effect(self, requester: Staff | None, when: datetime) -> Effect:
        version = self._version()
        before = version.policy.versions.filter(state=State.PUBLISHED).first()
        return Effect((
            Line("version", before.number if before else None, version.number, "number"),
            Line("says", _text(version.policy.kind, before), _text(version.policy.kind, version), "own"),
        ))  # fmt: skip

    def carry_out(self, approval: Approval, when: datetime) -> Done:
        version = publish_policy(approval.requester, self._version(), approval=approval, when=when)
        return Done({"version": version.number}, version)

    @classmethod
    def say(cls, line: Line, language: str) -> list[str]:
        """What the version says; where there was one before, what changes."""
        before, after = (json.loads(str(value)) if value else None for value in (line.before, line.after))
        if after is None:
            return []
        kind, content = after["kind"], Definition.model_validate(after["definition"])
        if before is None:
            return policy_sentences(kind, content, language)
        return differences(kind, Definition.model_validate(before["definition"]), content, language)

    def title(self) -> Words:
        return _named(self._version())


class PolicySwitch(Subject):
    """A policy switched on or off."""

    code: ClassVar[str] = "approvals.switch"
    label: ClassVar[Words] = Words("Approval policy on or off", "启用或停用审批策略")
    held_as: ClassVar[str] = PolicyPublication.code
    icon: ClassVar[str] = "toggle_on"
    permission: ClassVar[str] = "approvals.publish_policy"
    view: ClassVar[str] = "approvals.publish_policy"
    labels: ClassVar[Mapping[str, Words]] = {"active": Words("Switched on", "启用")}

    policy: int
    is_active: bool

    def _policy(self) -> Policy:
        policy = Policy.objects.select_related("unit").filter(pk=self.policy).first()
        if policy is None:
            raise SubjectGone()
        return policy

    def place(self) -> OrgUnit:
        return self._policy().unit

    def about(self) -> str:
        return f"policy:{self.policy}"

    def address(self) -> str:
        return address("approvals_policy_change", self.policy)

    def effect(self, requester: Staff | None, when: datetime) -> Effect:
        return Effect((Line("active", self._policy().is_active, self.is_active),))

    def carry_out(self, approval: Approval, when: datetime) -> Done:
        policy = switch_policy(approval.requester, self._policy(), self.is_active, approval=approval, when=when)
        return Done({"active": policy.is_active}, policy)

    def title(self) -> Words:
        what = policy_words(self._policy())
        words = (
            Words("Switch on: {what}", "启用：{what}")
            if self.is_active
            else Words("Switch off: {what}", "停用：{what}")
        )
        return words.format(what=what)


register(PolicyPublication, PolicySwitch)


def policy_words(policy: Policy) -> Words:
    """The kind and the unit of a policy."""
    return Words("{kind}, {unit}", "{kind}，{unit}").format(kind=kind_called(policy.kind).label, unit=policy.unit.name)


def _named(version: PolicyVersion) -> Words:
    return Words("{policy}, v{number}", "{policy}，第 {number} 版").format(
        policy=policy_words(version.policy), number=str(version.number)
    )


def _text(kind: str, version: PolicyVersion | None) -> str | None:
    """What a version says, as an effect keeps it."""
    if version is None:
        return None
    return json.dumps({"kind": kind, "definition": version.definition}, sort_keys=True, ensure_ascii=False)


def checked(kind: str, data: Any) -> Definition:
    """The definition, which may name units and people that there are. Raises DefinitionFaulty."""
    units = dict(OrgUnit.objects.values_list("code", "path"))
    people = frozenset(Staff.objects.filter(is_active=True).values_list("username", flat=True))
    try:
        return check_definition(kind, data, units=units, people=people)
    except Faulty as error:
        raise DefinitionFaulty(error.faults) from None


@in_transaction
def create_policy(
    actor: Staff | None, unit: OrgUnit, kind: str, *, definition: Any = None, when: datetime
) -> PolicyVersion:
    """The first draft of a policy of `unit` for requests of `kind`.

    Raises PolicyExists, SubjectGone, DefinitionFaulty, NotAllowed.
    """
    require(actor, "approvals.add_policy", unit)
    kind_called(kind)
    OrgUnit.objects.select_for_update(no_key=True).get(pk=unit.pk)
    if Policy.objects.filter(unit=unit, kind=kind).exists():
        raise PolicyExists(unit=unit.name)
    content = checked(kind, definition or {"bands": [], "otherwise": "at_once"})
    policy = signed(Policy(unit=unit, kind=kind), actor)
    policy.save()
    return _draft(actor, policy, content, when)


@in_transaction
def start_policy_draft(actor: Staff | None, policy: Policy, *, when: datetime) -> PolicyVersion:
    """A new draft that says what is in force; the one that there is, if there is one. Raises NotAllowed."""
    policy = locked_policy(policy.pk)
    require(actor, "approvals.change_policy", policy.unit)
    draft = policy.versions.filter(state=State.DRAFT).first()
    if draft is not None:
        return draft
    newest = policy.versions.order_by("-number").first()
    return _draft(actor, policy, Definition.model_validate(newest.definition if newest else {}), when)


@in_transaction
def save_policy_draft(
    actor: Staff | None, version: PolicyVersion, definition: Any, *, revision: int | None = None, when: datetime
) -> PolicyVersion:
    """The draft with another content; `revision` is the one that was read.

    Raises NoDraft, PolicyChanged, DefinitionFaulty, NotAllowed.
    """
    draft = _draft_of(version, "approvals.change_policyversion", actor, revision)
    content = checked(draft.policy.kind, definition).to_json()
    if content == draft.definition:
        return draft
    draft.definition, draft.revision = content, draft.revision + 1
    draft.changed_by, draft.changed_at = actor, when
    signed(draft, actor).save()
    return draft


@in_transaction
def publish_policy(
    actor: Staff | None,
    version: PolicyVersion,
    *,
    revision: int | None = None,
    approval: Approval | None = None,
    when: datetime,
) -> PolicyVersion:
    """The draft in force for what is sent from now on; requests that wait keep the version they were sent under.

    Raises NoDraft, PolicyChanged, DefinitionFaulty, NotAllowed, ApprovalNeeded.
    """
    pass_gate(PolicyPublication(version=version.pk, revision=version.revision), actor, approval, when)
    draft = _draft_of(version, None, actor, revision)
    checked(draft.policy.kind, draft.definition)  # a person or unit may have gone since it was saved
    for earlier in draft.policy.versions.filter(state=State.PUBLISHED):
        earlier.state, earlier.replaced_at = State.REPLACED, when
        signed(earlier, actor).save()
    draft.state, draft.published_by, draft.published_at = State.PUBLISHED, actor, when
    signed(draft, actor).save()
    return draft


@in_transaction
def discard_policy_draft(actor: Staff | None, version: PolicyVersion) -> None:
    """The draft is gone. Raises NoDraft, NotAllowed."""
    draft = _draft_of(version, "approvals.delete_policyversion", actor, None)
    signed(draft, actor).delete()


@in_transaction
def switch_policy(
    actor: Staff | None, policy: Policy, is_active: bool, *, approval: Approval | None = None, when: datetime
) -> Policy:
    """The policy in force, or not: then that of the unit above holds. Raises NotAllowed, ApprovalNeeded."""
    pass_gate(PolicySwitch(policy=policy.pk, is_active=is_active), actor, approval, when)
    policy = locked_policy(policy.pk)
    if policy.is_active != is_active:
        policy.is_active = is_active
        signed(policy, actor).save()
    return policy


def locked_policy(pk: int) -> Policy:
    """The policy, locked: what is done to its versions is done one after the other."""
    return Policy.objects.select_for_update(no_key=True, of=("self",)).select_related("unit").get(pk=pk)


def _draft_of(
    version: PolicyVersion, permission: str | None, actor: Staff | None, revision: int | None
) -> PolicyVersion:
    policy = locked_policy(version.policy_id)
    if permission is not None:
        require(actor, permission, policy.unit)
    draft = policy.versions.select_related("changed_by").filter(pk=version.pk, state=State.DRAFT).first()
    if draft is None:
        raise NoDraft()
    if revision is not None and revision != draft.revision:
        raise PolicyChanged(who=str(draft.changed_by or ""))
    draft.policy = policy
    return draft


def _draft(actor: Staff | None, policy: Policy, content: Definition, when: datetime) -> PolicyVersion:
    newest = policy.versions.order_by("-number").values_list("number", flat=True).first() or 0
    draft = PolicyVersion(
        policy=policy, number=newest + 1, definition=content.to_json(), changed_by=actor, changed_at=when
    )
    signed(draft, actor).save()
    return draft
