"""Policies, requests and what people decided on them. Nothing here knows what is approved: that is a `Subject`
(`apps.orgs.gate`), kept in its request as JSON.

What was decided, said and shown is append-only. A request holds one state; its steps and tasks hold who is asked.
"""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError
from simple_history.models import HistoricalRecords

from apps.approvals.definition import Step
from apps.approvals.scope import InRequestScope, RequestScope
from apps.core.scope import AppendOnlyModel, Scope, ScopedModel
from apps.orgs.gate import Effect, Subject, SubjectGone, digest_of, kind_called
from apps.orgs.models import OrgUnit, Persona, Staff


class Policy(ScopedModel):
    """What requests of one kind need at a unit and below it, where no unit further down has a policy of its own."""

    scope = Scope(units=("unit",), governs=True)

    unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="policies", verbose_name=_("org unit"))
    kind = models.CharField(_("kind"), max_length=40)
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("While it is switched off, the policy of the unit above holds.")
    )

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("approval policy")
        verbose_name_plural = _("approval policies")
        permissions: ClassVar = [("publish_policy", "Publishes approval policies")]
        constraints: ClassVar = [models.UniqueConstraint(fields=["unit", "kind"], name="policy_one_per_unit_and_kind")]

    def __str__(self) -> str:
        try:
            return kind_called(self.kind).label.in_language(get_language() or "en")
        except SubjectGone:
            return self.kind


class PolicyVersion(ScopedModel):
    """What a policy says, `apps.approvals.definition`; immutable once published."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", pgettext_lazy("a policy version", "In force")
        REPLACED = "replaced", _("Replaced")

    scope = Scope(units=("policy__unit",), governs=True)

    policy = models.ForeignKey(Policy, models.PROTECT, related_name="versions", verbose_name=_("approval policy"))
    number = models.PositiveIntegerField(_("version"))
    definition = models.JSONField(_("definition"))
    revision = models.PositiveIntegerField(_("revision"), default=1, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.DRAFT)
    changed_by = models.ForeignKey(
        Staff, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("changed by")
    )
    changed_at = models.DateTimeField(_("changed at"))
    published_by = models.ForeignKey(
        Staff, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("published by")
    )
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)
    replaced_at = models.DateTimeField(_("replaced at"), null=True, blank=True)

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("policy version")
        verbose_name_plural = _("policy versions")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["policy", "number"], name="policyversion_number_once"),
            models.UniqueConstraint(fields=["policy"], condition=Q(state="draft"), name="policyversion_one_draft"),
            models.UniqueConstraint(
                fields=["policy"], condition=Q(state="published"), name="policyversion_one_in_force"
            ),
            models.CheckConstraint(
                name="policyversion_published_at", condition=Q(state="draft") | Q(published_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"v{self.number}"


class ApprovalRequest(ScopedModel):
    """Something that somebody asked for. What was asked stays as it was sent; sending again begins another round."""

    class State(models.TextChoices):
        OPEN = "open", _("Waiting for a decision")
        RETURNED = "returned", _("Returned for change")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        REJECTED = "rejected", _("Rejected")
        DONE = "done", _("Carried out")
        CLOSED = "closed", _("Closed without effect")

    is_large = True
    scope = RequestScope(units=("unit",))

    kind = models.CharField(_("kind"), max_length=40)
    unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("org unit"))
    about = models.CharField(_("about"), max_length=80)
    subject = models.JSONField(_("subject"))
    title = models.JSONField(_("title"), default=dict)
    """In one line, in each language, as its subject said when it was sent; see `Subject.title`."""
    facts = models.JSONField(_("facts"), default=dict)
    amount = models.BigIntegerField(_("amount"), null=True, blank=True)
    """The first of what adds up, for lists and for what was asked for in parts; its sign is the direction."""
    reason = models.CharField(_("reason"), max_length=1000, blank=True)
    requester = models.ForeignKey(
        Staff, models.PROTECT, null=True, blank=True, related_name="requests", verbose_name=_("requester")
    )
    """None is the studio itself: what it did at once."""
    key = models.CharField(_("key"), max_length=120, unique=True)

    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)
    round = models.PositiveSmallIntegerField(_("round"), default=1)
    step = models.PositiveSmallIntegerField(_("step"), default=0)
    """The number of the step that is being decided; 0 where there is none."""
    steps = models.PositiveSmallIntegerField(_("steps"), default=0)
    needed = models.PositiveSmallIntegerField(_("decisions needed"), default=0)
    """How many people at least must say yes in this round."""
    policy_version = models.ForeignKey(
        PolicyVersion, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("policy version")
    )
    band = models.CharField(_("band"), max_length=80, blank=True)
    together = models.JSONField(_("asked for in parts with"), default=list)
    """Ids of the requests that take this one the longer road."""
    excluded = models.JSONField(_("may not decide"), default=list, blank=True)
    """Ids of people beside the requester who may not: its subject said so when it was sent. A trigger holds decisions to
    it."""
    asked_on = models.JSONField(_("state it was asked on"), default=list)
    asked_hash = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(_("created at"))
    sent_at = models.DateTimeField(_("sent at"))
    due_at = models.DateTimeField(_("due at"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    refusal = models.JSONField(_("refusal"), default=dict)
    """Why carrying out was refused, or why it was closed: the code, and the sentence in each language."""
    told = models.JSONField(_("what was done"), default=dict)

    class Meta:
        verbose_name = _("approval request")
        verbose_name_plural = _("approval requests")
        permissions: ClassVar = [("direct_approvalrequest", "Names other people for requests that wait")]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="approvalrequest_closed_at",
                condition=Q(state__in=["open", "returned"], closed_at__isnull=True)
                | (~Q(state__in=["open", "returned"]) & Q(closed_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="approvalrequest_open_has_step", condition=(Q(state="open") & Q(step__gt=0)) | ~Q(state="open")
            ),
        ]
        indexes: ClassVar = [
            # A person's own; what was asked for by them within 30 days.
            models.Index(fields=["requester", "-id"], name="approvalrequest_mine"),
            # What was asked for about one thing: in parts, and before.
            models.Index(fields=["kind", "about", "-sent_at"], name="approvalrequest_about"),
            # Lists of one unit; similar cases.
            models.Index(fields=["unit", "-id"], name="approvalrequest_unit"),
            models.Index(fields=["kind", "-id"], name="approvalrequest_kind"),
            models.Index(fields=["due_at"], condition=Q(state="open"), name="approvalrequest_due"),
            # What a person asked others for, and what of it is not settled: the inbox, beside all that is done at once.
            models.Index(fields=["requester", "-id"], condition=Q(steps__gt=0), name="approvalrequest_sent"),
            models.Index(
                fields=["requester"], condition=Q(steps__gt=0, state__in=["open", "returned"]),
                name="approvalrequest_unsettled",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"#{self.pk}"

    def read_subject(self) -> Subject:
        """What was asked for. Raises SubjectGone where no room knows the kind, or its shape, any more."""
        try:
            return kind_called(self.kind).model_validate(self.subject)
        except ValidationError:
            raise SubjectGone() from None

    @property
    def asked_effect(self) -> Effect:
        """What carrying out would have done when it was sent."""
        return Effect.from_json(self.asked_on)

    def seal(self, effect: Effect) -> str:
        """What a yes is tied to: this effect in this round. What another round asks for may look the same in figures."""
        return digest_of([self.round, effect.to_json()])

    @property
    def asked_seal(self) -> str:
        """For a yes to what was sent, as it was."""
        return self.seal(self.asked_effect)


class ApprovalStep(ScopedModel):
    """One stage of a round: the parties that must say yes, pinned when the request was sent."""

    scope = InRequestScope(units=("request__unit",))

    request = models.ForeignKey(ApprovalRequest, models.PROTECT, related_name="path", verbose_name=_("request"))
    round = models.PositiveSmallIntegerField(_("round"))
    number = models.PositiveSmallIntegerField(_("number"))
    definition = models.JSONField(_("definition"))
    """A step of the policy, `apps.approvals.definition.Step`."""
    opened_at = models.DateTimeField(_("opened at"), null=True, blank=True)
    due_at = models.DateTimeField(_("due at"), null=True, blank=True)
    remind_at = models.DateTimeField(_("reminder at"), null=True, blank=True)
    escalated_at = models.DateTimeField(_("escalated at"), null=True, blank=True)
    passed_at = models.DateTimeField(_("passed at"), null=True, blank=True)
    lacks_people = models.BooleanField(_("lacks people"), default=False)
    """Whether nobody can decide any more: somebody must be named."""

    def read(self) -> Step:
        """What the policy said of it, and whom people asked as well since."""
        return Step.model_validate(self.definition)

    def task(
        self, party: int, person: Staff, why: str, when: datetime, *, role: str = "", is_open: bool = True
    ) -> "ApprovalTask":
        """One more person asked in it, not saved yet."""
        return ApprovalTask(
            request=self.request, step=self, party=party, person=person, why=why, role=role, is_open=is_open,
            asked_at=when,
        )  # fmt: skip

    class Meta:
        verbose_name = _("approval step")
        verbose_name_plural = _("approval steps")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["request", "round", "number"], name="approvalstep_number_once")
        ]
        indexes: ClassVar = [
            # What runs by the clock: deadlines, reminders.
            models.Index(
                fields=["due_at"], condition=Q(passed_at=None, escalated_at=None), name="approvalstep_due"
            ),
            models.Index(fields=["remind_at"], condition=Q(remind_at__isnull=False), name="approvalstep_remind"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.number}"


class ApprovalTask(ScopedModel):
    """One person asked in one step. They may decide while they are still what they were asked as."""

    class Why(models.TextChoices):
        ROLE = "role", _("by role")
        PERSON = "person", _("by name")
        MANAGER = "manager", _("the requester's manager")
        ESCALATION = "escalation", _("after the deadline")
        TRANSFER = "transfer", _("handed on")
        ADDED = "added", _("asked as well")

    scope = InRequestScope(units=("request__unit",))

    request = models.ForeignKey(ApprovalRequest, models.PROTECT, related_name="tasks", verbose_name=_("request"))
    step = models.ForeignKey(ApprovalStep, models.PROTECT, related_name="tasks", verbose_name=_("step"))
    party = models.PositiveSmallIntegerField(_("party"))
    person = models.ForeignKey(Staff, models.PROTECT, related_name="approval_tasks", verbose_name=_("person"))
    why = models.CharField(_("asked why"), max_length=12, choices=Why.choices)
    role = models.CharField(_("role"), max_length=40, blank=True, choices=Persona.choices)
    """The role that they must still hold; empty where it is no matter of roles."""
    is_open = models.BooleanField(_("open"), default=False)
    """Whether their decision is awaited now."""
    is_off = models.BooleanField(_("no longer asked"), default=False)
    is_absent = models.BooleanField(_("absent"), default=False, editable=False)
    """Whether, when the clock last looked, they could not sign in or no longer held the role."""
    asked_at = models.DateTimeField(_("asked at"))

    class Meta:
        verbose_name = _("approval task")
        verbose_name_plural = _("approval tasks")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["step", "party", "person"], name="approvaltask_person_once")
        ]
        indexes: ClassVar = [
            # A person's inbox, and what they wait for.
            models.Index(fields=["person", "-request"], condition=Q(is_open=True), name="approvaltask_inbox"),
            models.Index(fields=["person", "-request"], name="approvaltask_person"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id}"


class Decision(AppendOnlyModel):
    """One person's answer to one round of a request, with what they saw. A trigger holds it against who asked, who was
    asked, and who has decided already."""

    class Verdict(models.TextChoices):
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")
        RETURNED = "returned", _("Returned for change")

    scope = InRequestScope(units=("request__unit",))

    request = models.ForeignKey(ApprovalRequest, models.PROTECT, related_name="decisions", verbose_name=_("request"))
    round = models.PositiveSmallIntegerField(_("round"))
    step = models.ForeignKey(ApprovalStep, models.PROTECT, related_name="decisions", verbose_name=_("step"))
    person = models.ForeignKey(Staff, models.PROTECT, related_name="decisions", verbose_name=_("person"))
    hat = models.ForeignKey(Staff, models.PROTECT, related_name="+", verbose_name=_("in whose place"))
    """Who was asked: the person, or whom they stand in for."""
    verdict = models.CharField(_("decision"), max_length=10, choices=Verdict.choices)
    comment = models.CharField(_("comment"), max_length=1000, blank=True)
    saw = models.JSONField(_("what they saw"), default=list)
    saw_hash = models.CharField(max_length=64, editable=False)
    has_changed = models.BooleanField(_("had changed since it was sent"), default=False)
    decided_at = models.DateTimeField(_("decided at"))

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["request", "round", "person"], name="decision_once_a_person"),
            models.UniqueConstraint(fields=["request", "round", "hat"], name="decision_once_a_hat"),
        ]
        indexes: ClassVar = [models.Index(fields=["person", "-id"], name="decision_person")]

    def __str__(self) -> str:
        return self.verdict


class RequestNote(AppendOnlyModel):
    """A line of a request's story that is no decision."""

    class Kind(models.TextChoices):
        SENT = "sent", _("Sent")
        SENT_AGAIN = "sent_again", _("Sent again")
        AT_ONCE = "at_once", _("Carried out at once")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        COMMENT = "comment", _("Comment")
        EVIDENCE = "evidence", _("Evidence added")
        STEP = "step", _("Next step")
        TRANSFERRED = "transferred", _("Handed on")
        ADDED = "added", _("Asked as well")
        ESCALATED = "escalated", _("Escalated")
        REMINDED = "reminded", _("Reminded")
        LACKS_PEOPLE = "lacks_people", _("Nobody can decide")
        REFUSED = "refused", _("Could not be carried out")
        DONE = "done", _("Carried out")
        CLOSED = "closed", _("Closed without effect")

    scope = InRequestScope(units=("request__unit",))

    request = models.ForeignKey(ApprovalRequest, models.PROTECT, related_name="notes", verbose_name=_("request"))
    round = models.PositiveSmallIntegerField(_("round"))
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    person = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("person"))
    """None is the studio itself."""
    text = models.CharField(_("text"), max_length=2000, blank=True)
    data = models.JSONField(_("particulars"), default=dict)
    noted_at = models.DateTimeField(_("noted at"))

    class Meta:
        verbose_name = _("note on a request")
        verbose_name_plural = _("notes on requests")
        indexes: ClassVar = [models.Index(fields=["request", "id"], name="requestnote_story")]

    def __str__(self) -> str:
        return self.kind


class Evidence(AppendOnlyModel):
    """A file that somebody attached: checked when it came in, kept as it was."""

    scope = InRequestScope(units=("request__unit",))

    request = models.ForeignKey(ApprovalRequest, models.PROTECT, related_name="evidence", verbose_name=_("request"))
    name = models.CharField(_("name"), max_length=120)
    content_type = models.CharField(_("type"), max_length=60)
    size = models.PositiveIntegerField(_("bytes"))
    digest = models.CharField(max_length=64, editable=False)
    content = models.BinaryField(editable=False)
    person = models.ForeignKey(Staff, models.PROTECT, related_name="+", verbose_name=_("person"))
    added_at = models.DateTimeField(_("added at"))

    class Meta:
        verbose_name = _("evidence")
        verbose_name_plural = _("evidence")

    def __str__(self) -> str:
        return self.name


class Watch(ScopedModel):
    """Somebody who follows a request that is not theirs to decide."""

    scope = InRequestScope(units=("request__unit",))

    request = models.ForeignKey(ApprovalRequest, models.PROTECT, related_name="watchers", verbose_name=_("request"))
    person = models.ForeignKey(Staff, models.PROTECT, related_name="+", verbose_name=_("person"))

    class Meta:
        verbose_name = _("watcher")
        verbose_name_plural = _("watchers")
        constraints: ClassVar = [models.UniqueConstraint(fields=["person", "request"], name="watch_once")]

    def __str__(self) -> str:
        return f"{self.person_id}"


class SavedView(ScopedModel):
    """A tab of the inbox with filters, under a name of the person's own."""

    scope = Scope(own="person")

    person = models.ForeignKey(Staff, models.CASCADE, related_name="+", verbose_name=_("person"))
    name = models.CharField(_("name"), max_length=60)
    query = models.CharField(_("tab and filters"), max_length=300)
    """As in the page's address."""

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        constraints: ClassVar = [models.UniqueConstraint(fields=["person", "name"], name="savedview_name_once")]

    def __str__(self) -> str:
        return self.name


class Delegation(ScopedModel):
    """Somebody who stands in for somebody else, from the first day to the last, both included."""

    scope = Scope(units=("person__unit",))

    person = models.ForeignKey(Staff, models.PROTECT, related_name="delegations", verbose_name=_("person"))
    delegate = models.ForeignKey(Staff, models.PROTECT, related_name="stands_in", verbose_name=_("stands in"))
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    """Excluded."""
    kinds = models.JSONField(_("kinds"), default=list, blank=True)
    """Codes of kinds; empty for all."""
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    ended_at = models.DateTimeField(_("ended early at"), null=True, blank=True)

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("absence")
        verbose_name_plural = _("absences")
        constraints: ClassVar = [
            models.CheckConstraint(name="delegation_to_another", condition=~Q(person=F("delegate"))),
            models.CheckConstraint(name="delegation_in_order", condition=Q(starts_at__lt=F("ends_at"))),
        ]
        indexes: ClassVar = [models.Index(fields=["delegate", "ends_at"], name="delegation_delegate")]

    def __str__(self) -> str:
        return f"{self.person_id} → {self.delegate_id}"
