"""Publishing a draft: a policy may hold it, and then others say yes to what they read first.

A published version never changes; its end alone is set, when a later one takes over or the rule is retired. So at no
instant are two versions of one rule in force. What is published starts after its transaction is over, never before:
an event is judged by the version that is in force when it happens, whoever judges it.

While a request to publish a draft is open, the draft stays as it was sent. Whoever wrote it decides nothing on it.
"""

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F
from django.utils import translation
from pydantic import AwareDatetime

from apps.activity.models import Event
from apps.approvals.models import ApprovalRequest, Decision
from apps.approvals.services.sending import send, send_again
from apps.conditions.catalogue import Field
from apps.conditions.types import Type
from apps.conditions.words import Words
from apps.core.addresses import address
from apps.core.errors import LoyaltyError
from apps.core.formats import moment
from apps.core.scope import reach_of, require
from apps.orgs.gate import Approval, Done, Effect, Line, Subject, SubjectGone, pass_gate, register
from apps.orgs.models import OrgUnit, Program, Staff
from apps.orgs.services.actors import signed
from apps.points.asked import PROGRAM_FIELD
from apps.rules.comparing import differences
from apps.rules.errors import MayNotReview, ReviewNeeded, StackingClash, StartInThePast
from apps.rules.families import relatives, require_overridable
from apps.rules.locking import checked, draft_of, locked_program, locked_rule, require_not_sent, require_read
from apps.rules.models import Rule, RuleVersion
from apps.rules.reading import PUBLICATION, about_rule, names_of, reaching_beyond, standing
from apps.rules.sentences import rule_sentence
from apps.rules.weighing import CHANGES, PARTS, figures_of, weigh

PUBLISH = "rules.publish_rule"
SOON = timedelta(seconds=2)
"""How long “now” takes: the version is committed before it starts, also where clocks differ by a little."""
State = RuleVersion.State
TITLE = Words("Publish version {number} of “{rule}”", "发布“{rule}”第 {number} 版")
WHEN_APPROVED = Words("as soon as it is approved", "批准后立即生效")
SAME = Words("Nothing: it says the same as the version before.", "无变化：与上一版本内容相同。")


class Publication(Subject):
    """The draft of a rule as it was read, in force from `starts_at`; None is as soon as it is approved."""

    code: ClassVar[str] = PUBLICATION
    label: ClassVar[Words] = Words("Publication of a rule", "规则发布")
    icon: ClassVar[str] = "publish"
    permission: ClassVar[str] = "rules.change_ruleversion"
    view: ClassVar[str] = "rules.view_rule"
    fields: ClassVar = (
        Field(
            "request.change", Type.CHOICE, Words("how much changes", "变更程度"), "request.change",
            choices=tuple(CHANGES.items()), is_closed=True,
        ),
        Field(
            "request.changes", Type.TAGS, Words("what changes", "变更内容"), "request.changes",
            choices=tuple(PARTS.items()), is_closed=True,
        ),
        Field("request.rate", Type.NUMBER, Words("points for each 1 spent", "每消费 1 的积分"), "request.rate"),
        Field(
            "request.rate_before", Type.NUMBER, Words("points for each 1 spent so far", "此前每消费 1 的积分"),
            "request.rate_before",
        ),
        Field("request.points", Type.INTEGER, Words("points given at once", "单次赠送积分"), "request.points"),
        Field("request.budget", Type.INTEGER, Words("budget in points", "积分预算"), "request.budget"),
        Field("request.has_budget", Type.BOOLEAN, Words("it has a budget in points", "设有积分预算"), "request.has_budget"),
        Field(
            "request.overrides", Type.BOOLEAN, Words("it stands in the place of another rule", "替代其他规则"),
            "request.overrides",
        ),
        Field("request.rule", Type.TEXT, Words("code of the rule", "规则代码"), "request.rule"),
        PROGRAM_FIELD,
    )  # fmt: skip
    labels: ClassVar[Mapping[str, Words]] = {
        "version": Words("Version in force", "生效版本"),
        "says": Words("What changes", "变更内容"),
        "starts": Words("In force from", "生效时间"),
        "ends": Words("In force until", "失效时间"),
        "revision": Words("Revision of the draft", "草稿修订号"),
    }

    rule: int
    version: int
    revision: int
    starts_at: AwareDatetime | None = None

    def _rule(self) -> Rule:
        rule = Rule.objects.select_related("unit", "program__unit", "overrides__unit").filter(pk=self.rule).first()
        if rule is None:
            raise SubjectGone()
        return rule

    def _draft(self) -> RuleVersion:
        """The draft, if it is still the one that was read."""
        drafts = RuleVersion.objects.filter(rule=self.rule, state=State.DRAFT, revision=self.revision)
        draft = drafts.filter(pk=self.version).first()
        if draft is None:
            raise SubjectGone()
        draft.rule = self._rule()
        return draft

    def place(self) -> OrgUnit:
        return self._rule().unit

    def about(self) -> str:
        return about_rule(self.rule)

    def facts(self, requester: Staff | None, when: datetime) -> dict[str, Any]:
        draft = self._draft()
        base, others = _in_force(draft.rule, when)
        weight = weigh([each.definition for each in others], draft.definition, falls_away=_end_of(base) is not None)
        after, before = figures_of(draft.definition), figures_of(base.definition) if base else None
        return {
            "change": weight.change, "changes": tuple(weight.parts), "rate": after.rate,
            "rate_before": before.rate if before else None, "points": after.points, "budget": after.budget,
            "has_budget": after.budget is not None, "overrides": draft.rule.overrides_id is not None,
            "rule": draft.rule.code, "program": draft.rule.program.code,
        }  # fmt: skip

    def effect(self, requester: Staff | None, when: datetime) -> Effect:
        draft = self._draft()
        rule = draft.rule
        base, _ = _in_force(rule, when)
        where = {"program": rule.program_id, "place": "" if rule.unit_id == rule.program.unit_id else rule.unit.name}
        start, obstacle = None, ""
        try:
            start = self.starts_at if _still_ahead(draft, self.starts_at, when) else None
            start_of(draft, start, when)
        except LoyaltyError as refusal:
            obstacle = refusal.sentence()
        lines = [
            Line("version", base.number if base else None, draft.number, "number"),
            Line("says", _said(where, base), _said(where, draft), "own"),
            Line("starts", rule.program.time_zone, start.isoformat() if start is not None else None, "own"),
            Line("revision", draft.revision, draft.revision, "number"),
        ]
        if (end := _end_of(base)) is not None:
            lines.append(Line("ends", end.isoformat(), None, "moment"))
        return Effect(tuple(lines), obstacle)

    def excluded(self) -> frozenset[int]:
        """Everybody who saved the draft."""
        saved = RuleVersion.history.filter(id=self.version).values_list("history_user_id", "created_by", "changed_by")
        return frozenset(person for row in saved for person in row if person is not None)

    def require_ready(self, requester: Staff | None, also: Collection[Staff], when: datetime) -> None:
        """Locks the programme and the rule. Raises what publishing would: NotADraft, DraftChanged, DraftInReview,
        DefinitionFaulty, StartInThePast, StackingClash; MayNotReview where somebody is named who may not publish there."""
        locked_program(self._rule().program_id)
        rule = locked_rule(self.rule)
        draft = draft_of(rule, RuleVersion(pk=self.version))
        require_read(draft, self.revision)
        require_not_sent(rule)
        for person in also:
            if not reach_of(person, PUBLISH).covers(rule.unit.path):
                raise MayNotReview(person=str(person))
        start_of(draft, self.starts_at, when)

    def carry_out(self, approval: Approval, when: datetime) -> Done:
        live = publish_version(
            approval.requester, self._draft(), starts_at=self.starts_at, revision=self.revision, when=when,
            approval=approval,
        )  # fmt: skip
        return Done({"number": live.number, "starts_at": live.starts_at.isoformat() if live.starts_at else None}, live)

    def title(self) -> Words:
        draft = self._draft()
        return TITLE.format(number=str(draft.number), rule=draft.rule.name)

    @classmethod
    def say(cls, line: Line, language: str) -> list[str]:
        if line.code == "starts":
            return [moment_said(line, WHEN_APPROVED, language)]
        older = json.loads(str(line.before)) if line.before is not None else None
        newer = json.loads(str(line.after))
        program = Program.objects.select_related("unit").filter(pk=newer["program"]).first()
        if program is None:
            return []
        names = replace(names_of([program])[program.pk], place=newer["place"])
        if older is None:
            return [rule_sentence(newer["definition"], names, language)]
        found = differences(older["definition"], newer["definition"], names, language)
        return found or [SAME.in_language(language)]

    def address(self) -> str:
        return address("rules_rule_change", self.rule)


register(Publication)


def _said(where: Mapping[str, Any], version: RuleVersion | None) -> str | None:
    """What a version says, as an effect keeps it: JSON, whatever the reader's language."""
    if version is None:
        return None
    return json.dumps({**where, "definition": version.definition}, ensure_ascii=False, sort_keys=True)


def _in_force(rule: Rule, when: datetime) -> tuple[RuleVersion | None, list[RuleVersion]]:
    """The version that the draft follows, and all that it takes over from: what is in force and what is scheduled."""
    stands = standing(rule.versions.order_by("-number"), when)
    found = [each for each in (stands.live, stands.scheduled) if each is not None]
    return (found[0] if found else None), found


def _end_of(version: RuleVersion | None) -> datetime | None:
    """When what is in force ends by itself: a later version has no end."""
    is_retired = version is not None and version.state == State.RETIRED
    return version.ends_at if version is not None and is_retired else None


def publication_of(version: RuleVersion, starts_at: datetime | None = None, revision: int | None = None) -> Publication:
    """The draft as it stands now, or in the `revision` that was read."""
    if revision is None:
        stands = RuleVersion.objects.filter(pk=version.pk).values_list("revision", flat=True).first()
        revision = stands or version.revision
    start = starts_at.astimezone(UTC) if starts_at is not None else None
    return Publication(rule=version.rule_id, version=version.pk, revision=revision, starts_at=start)


@transaction.atomic
def send_publication(
    actor: Staff,
    version: RuleVersion,
    *,
    starts_at: datetime | None = None,
    revision: int | None = None,
    reason: str,
    key: str,
    also: Collection[Staff] = (),
    when: datetime,
) -> ApprovalRequest:
    """The draft, sent to whoever has to say yes, `also` first: another round of what was returned to `actor`, else a new
    request. Raises what `send`, `send_again` and the subject refuse."""
    subject = publication_of(version, starts_at, revision)
    returned = returned_to(actor, version.rule_id)
    if returned is not None:
        return send_again(actor, returned.pk, subject, reason=reason, when=when, also=also)
    return send(actor, subject, reason=reason, key=key, when=when, also=also)


def returned_to(actor: Staff, rule_id: int) -> ApprovalRequest | None:
    """The request about that rule's draft that was returned to `actor` to be changed."""
    about = ApprovalRequest.objects.filter(kind=PUBLICATION, about=about_rule(rule_id), requester=actor)
    return about.filter(state=ApprovalRequest.State.RETURNED).order_by("-pk").first()


@transaction.atomic
def publish_version(
    actor: Staff | None,
    version: RuleVersion,
    *,
    starts_at: datetime | None = None,
    revision: int | None = None,
    when: datetime,
    approval: Approval | None = None,
) -> RuleVersion:
    """The draft, published: in force from `starts_at`, or as soon as may be. Earlier versions end where it starts.

    A group holds no two rules with one number, nor two ways of taking.
    A start in the past is taken only where no event has happened since that this version could have judged; what was
    approved later than its start begins as soon as may be. `revision` is the one that the person read. Where the
    programme's rules are reviewed, nothing is published without the yes of another. Raises ReviewNeeded, DraftInReview,
    NotADraft, DraftChanged, DefinitionFaulty, StartInThePast, StackingClash, NotAllowed, ApprovalNeeded.
    """
    subject = publication_of(version, starts_at, revision)
    pass_gate(subject, actor, approval, when)
    program = locked_program(version.rule.program_id)  # who comes second with a number in a group is told so
    rule = locked_rule(version.rule_id)
    version = draft_of(rule, version)
    require_read(version, revision)
    if version.revision != subject.revision:
        pass_gate(publication_of(version, starts_at), actor, approval, when)  # saved while this waited for its turn
    if approval is None or not _another_said_yes(approval):
        require(actor, PUBLISH, rule.unit.path)
        if program.reviews_rules:
            raise ReviewNeeded()
    require_not_sent(rule, but=approval.request_id if approval is not None else None)
    if approval is not None and not _still_ahead(version, starts_at, when):
        starts_at = None
    return publish_draft(actor, version, start_of(version, starts_at, when), when)


def _another_said_yes(approval: Approval) -> bool:
    decisions = Decision.objects.filter(request=approval.request_id, verdict=Decision.Verdict.APPROVED)
    return decisions.filter(round=F("request__round")).exists()


def _still_ahead(version: RuleVersion, wanted: datetime | None, when: datetime) -> bool:
    """Whether the wished start can still be kept."""
    if wanted is None:
        return False
    try:
        return _start(version.rule, wanted, when) == wanted
    except StartInThePast:
        return False


def start_of(version: RuleVersion, wanted: datetime | None, when: datetime) -> datetime:
    """When `version` would come into force; what it cannot is refused.

    Raises DefinitionFaulty, StartInThePast, StackingClash, and OverrideNotAllowed where it would begin, or begin again,
    to stand in the place of a rule that does not allow it any more.
    """
    rule = version.rule
    if rule.overrides is not None and not reaching_beyond(rule.versions.all(), when).exists():
        require_overridable(rule.overrides, rule.unit, when, own=rule)
    checked(rule.program, version.definition)  # a point type or unit may have gone since it was saved
    start = _start(rule, wanted, when)
    _require_no_clash(rule, version.definition.get("stacking"), start)
    return start


def publish_draft(actor: Staff | None, version: RuleVersion, start: datetime, when: datetime) -> RuleVersion:
    """`version`, in force from `start`, for who holds its programme and rule locked and has asked `start_of`."""
    for earlier in reaching_beyond(version.rule.versions.all(), start):
        earlier.ends_at = max(start, earlier.starts_at or start)
        signed(earlier, actor).save()
    version.state = State.PUBLISHED
    version.starts_at = start
    version.published_by, version.published_at = actor, when
    signed(version, actor).save()
    return version


def _require_no_clash(rule: Rule, stacking: Any, start: datetime) -> None:
    """Raises StackingClash where a published rule of the group takes otherwise, or has the same number in it. Rules
    that stand in each other's place never meet."""
    if not stacking:
        return
    never_met = [rule, *relatives(rule)]
    rivals = RuleVersion.objects.filter(
        rule__program=rule.program_id, definition__stacking__group=stacking["group"]
    ).exclude(rule__in=never_met)  # fmt: skip
    for rival in reaching_beyond(rivals, start).select_related("rule"):
        for why in ("take", "order"):
            if (rival.definition["stacking"][why] == stacking[why]) == (why == "order"):
                raise StackingClash(rule=rival.rule.name, group=stacking["group"], why=why)


def soon_after(when: datetime) -> datetime:
    """The instant from which what is decided at `when` holds, where “now” is wished for: a whole second."""
    return datetime.fromtimestamp(math.ceil((when + SOON).timestamp()), UTC)


def moment_said(line: Line, otherwise: Words, language: str) -> str:
    """The instant after, by the clocks of the time zone that the line keeps as its before; `otherwise` without one."""
    if line.after is None:
        return otherwise.in_language(language)
    with translation.override(language):
        return moment(datetime.fromisoformat(str(line.after)), ZoneInfo(str(line.before)))


def _start(rule: Rule, wanted: datetime | None, when: datetime) -> datetime:
    soon = soon_after(when)
    if wanted is None:
        return soon
    happened = Event.objects.filter(
        program=rule.program_id, org_unit__path__startswith=rule.unit.path, occurred_at__gte=wanted
    )
    if wanted >= soon or not happened.exists():
        return wanted
    if wanted < when:
        raise StartInThePast()
    return soon
