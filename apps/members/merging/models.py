"""Members who may be one person, and that two became one: who, why, what moved, and whether it was undone."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.scope import Scope, ScopedModel
from apps.members.personal import Personal
from apps.orgs.models import OrgUnit, Program, Staff


class Merge(ScopedModel):
    """`gone` became part of `kept`. The row stays when it is undone.

    `choices` says by field whose value was taken (`choosing.FIELDS`); `moved` what went along (`moving.Moved`, and by its
    code what each part of the rooms above says), `returned` what came back. What the kept member's name and birthday were
    before stands beside it, encrypted.
    """

    scope = Scope(units=("kept__home_unit", "gone__home_unit"))
    personal = Personal.ENCRYPTED

    kept = models.ForeignKey("members.Member", models.PROTECT, related_name="merges", verbose_name=_("kept member"))
    gone = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="merged_by", verbose_name=_("merged member")
    )
    at = models.DateTimeField(_("when"))
    author = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+", verbose_name=_("by"))
    reason = models.CharField(_("reason"), max_length=500)
    choices = models.JSONField(_("particulars taken"), default=dict)
    moved = models.JSONField(_("what moved"), default=dict, encoder=DjangoJSONEncoder)
    name_cipher = models.BinaryField(null=True, editable=False)
    birth_on_cipher = models.BinaryField(null=True, editable=False)
    undone_at = models.DateTimeField(_("undone at"), null=True)
    undone_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+", verbose_name=_("undone by"))
    undo_reason = models.CharField(_("why it was undone"), max_length=500, blank=True)
    returned = models.JSONField(_("what came back"), default=dict, encoder=DjangoJSONEncoder)

    class Meta:
        verbose_name = _("merge of members")
        verbose_name_plural = _("merges of members")
        constraints: ClassVar = [
            models.CheckConstraint(name="merge_of_two", condition=~Q(kept=F("gone"))),
            # Nobody is in two places.
            models.UniqueConstraint(fields=["gone"], name="merge_gone_once", condition=Q(undone_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"#{self.gone_id} → #{self.kept_id}"


class DuplicateSearch(ScopedModel):
    """One search of all members for those who may be one person: how far it is, and what it left out."""

    class Stage(models.TextChoices):
        WAITING = "waiting", _("Waiting for a worker")
        VALUES = "values", _("Reading identifiers")
        PAIRS = "pairs", _("Comparing members")
        DONE = "done", _("Done")

    scope = Scope(everybody=True)

    asked_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+", verbose_name=_("asked by"))
    asked_at = models.DateTimeField(_("asked at"))
    stage = models.CharField(_("stage"), max_length=10, choices=Stage.choices, default=Stage.WAITING)
    done = models.IntegerField(_("done"), default=0)
    total = models.IntegerField(_("rows in all"), default=0)
    found = models.IntegerField(_("pairs found"), default=0)
    skipped = models.IntegerField(_("values left out"), default=0)
    """Identifiers, birthdays and endings that too many share to say anything."""
    ended_at = models.DateTimeField(_("ended at"), null=True)

    class Meta:
        verbose_name = _("search for duplicates")
        verbose_name_plural = _("searches for duplicates")

    def __str__(self) -> str:
        return f"{self.asked_at:%Y-%m-%d %H:%M}"


class DuplicatePair(ScopedModel):
    """Two members who may be one person. `unit` is the nearest unit above both: who reaches it sees both.

    `reasons` says by its code how strongly each speaks for it, in per cent; `score` all of them together.
    """

    class State(models.TextChoices):
        OPEN = "open", _("To be looked at")
        MERGED = "merged", _("Merged")
        DIFFERENT = "different", _("Not the same person")

    scope = Scope(units=("unit",))
    personal = Personal.WORDS

    first = models.ForeignKey("members.Member", models.CASCADE, related_name="+", verbose_name=_("member"))
    second = models.ForeignKey("members.Member", models.CASCADE, related_name="+", verbose_name=_("other member"))
    unit = models.ForeignKey(OrgUnit, models.PROTECT, related_name="+", verbose_name=_("org unit"))
    score = models.SmallIntegerField(_("how alike"))
    reasons = models.JSONField(_("why"), default=dict)
    found_at = models.DateTimeField(_("found at"))
    seen_at = models.DateTimeField(_("last found at"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)
    proposed_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+", verbose_name=_("proposed by"))
    note = models.CharField(_("note"), max_length=500, blank=True)
    decided_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+", verbose_name=_("decided by"))
    decided_at = models.DateTimeField(_("decided at"), null=True)
    why = models.CharField(_("reason"), max_length=500, blank=True)
    merge = models.ForeignKey(Merge, models.PROTECT, null=True, related_name="pairs", verbose_name=_("merge"))

    class Meta:
        verbose_name = _("possible duplicate")
        verbose_name_plural = _("possible duplicates")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["first", "second"], name="duplicatepair_once"),
            models.CheckConstraint(name="duplicatepair_in_order", condition=Q(first__lt=F("second"))),
            models.CheckConstraint(
                name="duplicatepair_decided",
                condition=Q(state="open", decided_at=None) | Q(~Q(state="open"), decided_at__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            # The board: what is to be looked at, the most alike first.
            models.Index(fields=["state", "-score", "-id"], name="duplicatepair_board"),
        ]

    def __str__(self) -> str:
        return f"#{self.first_id} · #{self.second_id}"


MOST_KINDS = 10
"""In a programme's order."""


class MatchingOrder(ScopedModel):
    """By which kinds of identifier a programme recognises members, the first first."""

    scope = Scope(units=("program__unit",), governs=True)

    program = models.OneToOneField(Program, models.PROTECT, related_name="matching", verbose_name=_("programme"))
    kinds = ArrayField(
        models.CharField(max_length=40), default=list, verbose_name=_("recognised by"),
        help_text=_("Kinds of identifier with commas between them, the first first: card, phone, email, external:pos"),
    )  # fmt: skip
    only_verified = models.BooleanField(
        _("only by what is verified"), default=False,
        help_text=_(
            "For enrolments: an identifier that nobody has verified names no member who enrols again. Files recognise by every "
            "identifier, for no other member may have the same one; what a row would change is shown before it is taken in."
        ),
    )  # fmt: skip
    enrols_known = models.BooleanField(
        _("who is known enrols as that member"), default=False,
        help_text=_("An enrolment by the API that names a member is answered with that member, instead of being refused."),
    )  # fmt: skip

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("order of recognition")
        verbose_name_plural = _("orders of recognition")
        constraints: ClassVar = [
            models.CheckConstraint(name="matchingorder_has_kinds", condition=Q(kinds__len__range=(1, MOST_KINDS)))
        ]

    def __str__(self) -> str:
        return ", ".join(self.kinds)
