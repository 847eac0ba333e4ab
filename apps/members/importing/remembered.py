"""What is remembered of a source: who still reads by it, and forgetting it."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.core.errors import LoyaltyError
from apps.core.scope import require
from apps.core.transactions import in_transaction
from apps.members.allowed import listed
from apps.members.importing.models import ImportMapping, MemberImport
from apps.orgs.services.actors import signed

DELETE = "members.delete_importmapping"
State = MemberImport.State
ON_THEIR_WAY = (State.NEW, State.CHECKING, State.CHECKED, State.RUNNING)
MOST_NAMED = 5


class MappingInUse(LoyaltyError):
    """`files` by name, a few of them."""

    code = "mapping_in_use"

    def sentence(self) -> str:
        names = listed([f"“{name}”" for name in self.data["files"]], get_language() or "en")
        return _("Files on their way are read by it: %(files)s. Take them in or discard them first.") % {"files": names}


def files_reading(mapping: ImportMapping) -> "QuerySet[MemberImport]":
    """The files of its source that are on their way, the newest first: what their columns mean may be said again."""
    files = MemberImport.objects.filter(program=mapping.program_id, source=mapping.name, state__in=ON_THEIR_WAY)
    return files.order_by("-pk")


@in_transaction
def forget_mapping(actor: Any, mapping_id: int) -> None:
    """The next file of its source is read as the names of its columns suggest. Raises MappingInUse, NotAllowed."""
    rows = ImportMapping.objects.select_for_update(of=("self",)).select_related("program__unit")
    mapping = rows.get(pk=mapping_id)
    require(actor, DELETE, mapping.program.unit.path)
    if names := list(files_reading(mapping).values_list("file_name", flat=True)[:MOST_NAMED]):
        raise MappingInUse(files=names)
    signed(mapping, actor).delete()
