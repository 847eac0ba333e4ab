"""That two members became one: who, why, what moved, and whether it was undone."""

from typing import ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.core.scope import Scope, ScopedModel
from apps.members.personal import Personal
from apps.orgs.models import Staff


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
