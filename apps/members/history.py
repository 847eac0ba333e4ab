"""The history of a member, as the history page shows it."""

from typing import Any

from django.utils.translation import gettext as _

from apps.core.history import PAGE, Version
from apps.members.changes import FieldChange
from apps.members.models import Member, MemberChange
from apps.members.words import change_in_words
from apps.orgs.models import OrgUnit


def versions_of(member: Member, reader: Any, before: int | None = None) -> tuple[list[Version], bool]:
    """A page of the member's history, newest first, and whether there is more. Two queries."""
    rows = MemberChange.objects.visible_to(reader).filter(member=member).select_related("actor", "client")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    page = list(rows.order_by("-pk")[: PAGE + 1])
    changes = {row.pk: [FieldChange.model_validate(each) for each in row.changes] for row in page}
    moves = {text for made in changes.values() for each in made if each.field == "home_unit"
             for text in (each.old, each.new) if text}  # fmt: skip
    names = {str(unit.pk): unit.name for unit in OrgUnit.objects.visible_to(reader).filter(pk__in=moves)}

    def version(row: MemberChange) -> Version:
        told = tuple(
            change_in_words(each, lambda text: names.get(text, _("beyond your reach"))) for each in changes[row.pk]
        )
        return Version(row.pk, row.at, row.author, row.reason, row.kind, told)

    return [version(row) for row in page[:PAGE]], len(page) > PAGE
