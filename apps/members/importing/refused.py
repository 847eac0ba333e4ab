"""The rows of a file that do not come in, as a file that can be corrected and sent alone."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from apps.core.reading import NOTE
from apps.core.scope import require
from apps.core.transactions import in_transaction
from apps.members.importing.bringing import PERMISSION
from apps.members.importing.models import MemberImport, MemberRow
from apps.members.importing.rows import cells_of
from apps.members.importing.words import finding_in_words
from apps.members.services.looking import record_export


@in_transaction
def refused_rows(actor: Any, job: MemberImport) -> tuple[list[str], Iterator[list[Any]]]:
    """The refused and the undecided rows: two notes, which are not read again, then the file's own columns in their order.
    That they leave is on record. Raises NotAllowed."""
    require(actor, PERMISSION, job.program.unit.path)
    record_export(actor, f"refused rows of {job.file_name}")
    columns = [name for name in job.layout["columns"] if not name.startswith(NOTE)]
    return [f"{NOTE}{_('row')}", f"{NOTE}{_('reason')}", *columns], _rows(job)


def _rows(job: MemberImport) -> Iterator[list[Any]]:
    states = (MemberRow.State.REFUSED, MemberRow.State.QUESTION)
    rows = job.staged.filter(state__in=states, cells_cipher__isnull=False).order_by("number")
    names = job.layout["columns"]
    read = [place for place, name in enumerate(names) if not name.startswith(NOTE)]
    for number, findings, cipher in rows.values_list("number", "findings", "cells_cipher").iterator(chunk_size=2_000):
        cells = cells_of(bytes(cipher or b""))
        kept = [cells[place] if place < len(cells) else "" for place in read] + cells[len(names) :]
        yield [number, _("; ").join(finding_in_words(code, value) for code, value in findings.items()), *kept]
