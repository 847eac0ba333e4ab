"""Bringing a file: kept, laid out and mapped. Every row is checked then (`reading`), a person decides (`deciding`), and it is taken
in (`taking`)."""

from collections.abc import Mapping
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any

from django.db import transaction
from django.utils.translation import gettext as _

from apps.core.errors import LoyaltyError
from apps.core.reading import FileRefused
from apps.core.scope import reach_of, require
from apps.core.transactions import in_transaction
from apps.core.work import unless_promised
from apps.members.importing import layout, mapping, sealed
from apps.members.importing.mapping import ColumnMapping
from apps.members.importing.models import ImportMapping, MemberImport, MemberRow, RowIdentifier
from apps.members.merging.models import MatchingOrder
from apps.orgs.models import Program

PERMISSION = "members.add_memberimport"
STEP = "apps.members.tasks.run_member_import"
SHARES = 4
"""How many parts of one file are under way at once, workers permitting."""
READ_AT_ONCE = 2_000
State = MemberImport.State


class NotCheckable(LoyaltyError):
    """The file is in a state in which this cannot be done with it."""

    code = "import_state"
    field = "state"

    def sentence(self) -> str:
        return _("This cannot be done with a file that is in the state “%(state)s”.") % {
            "state": State(self.data["state"]).label
        }


def locked(actor: Any, job_id: int, *states: str) -> MemberImport:
    """The file under a lock, in one of `states`. Raises NotCheckable, NotAllowed."""
    job = (
        MemberImport.objects.select_for_update(no_key=True, of=("self",)).select_related("program__unit").get(pk=job_id)
    )
    require(actor, PERMISSION, job.program.unit.path)
    if job.state not in states:
        raise NotCheckable(state=job.state)
    return job


def hand_to_workers(job_id: int) -> None:
    """Has the workers do what there is to do, several of them at once; changes nothing when they are at it."""
    unless_promised(STEP, job_id, times=SHARES)


@transaction.atomic
def bring(
    actor: Any, content: IO[bytes], name: str, program: Program, *, source: str = "", when: datetime
) -> MemberImport:
    """A file, kept and laid out, its columns read as its source's were before or as their names suggest.

    Raises FileRefused, NotAllowed.
    """
    require(actor, PERMISSION, program.unit.path)
    path, digest = sealed.keep(content)
    try:
        with sealed.opened(path) as kept:
            found = layout.detect(kept)
            # What cannot be read near its beginning is refused at once, instead of when its columns are looked at.
            for _row in islice(layout.rows_of(kept, found), READ_AT_ONCE):
                pass
        remembered = ImportMapping.objects.filter(program=program, name=source).first() if source else None
        columns = mapping.suggested(found.columns, program, _document(remembered))
        if remembered is None:
            columns = columns.model_copy(update={"match": kinds_of(program, columns.match)})
        return MemberImport.objects.create(
            program=program, file_name=name[:200], file_hash=digest, path=str(path), source=source[:60],
            layout=_plain_layout(found), mapping=columns.model_dump(mode="json"), created_by=actor, created_at=when,
        )  # fmt: skip
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def kinds_of(program: Program, otherwise: tuple[str, ...]) -> tuple[str, ...]:
    """By what a programme recognises members (`merging.order`), where it says so."""
    order = MatchingOrder.objects.filter(program=program).first()
    return tuple(order.kinds) if order else otherwise


def _document(remembered: ImportMapping | None) -> ColumnMapping | None:
    return ColumnMapping.model_validate(remembered.document) if remembered else None


def _plain_layout(found: layout.Layout) -> dict[str, Any]:
    return {
        "encoding": found.encoding, "delimiter": found.delimiter, "header_row": found.header_row,
        "columns": list(found.columns),
    }  # fmt: skip


@in_transaction
def lay_out(actor: Any, job_id: int, encoding: str, delimiter: str, header_row: int) -> MemberImport:
    """Has the file read in another way than was detected. Raises FileRefused, NotCheckable, NotAllowed."""
    job = locked(actor, job_id, State.NEW, State.CHECKED)
    with sealed.opened(Path(job.path)) as content:
        found = layout.laid_out(content, encoding, delimiter, header_row)
    job.layout = _plain_layout(found)
    job.mapping = mapping.suggested(found.columns, job.program, ColumnMapping.model_validate(job.mapping)).model_dump(
        mode="json"
    )
    job.state, job.rows_read, job.counts, job.totals, job.decisions = State.NEW, 0, {}, {}, []
    job.save()
    forget_rows(job)
    return job


@in_transaction
def map_columns(
    actor: Any, job_id: int, chosen: ColumnMapping, *, source: str = "", stated: Mapping[str, Any] | None = None,
    mode: str = MemberImport.Mode.GOOD, when: datetime,
) -> MemberImport:  # fmt: skip
    """Says what the columns mean and has the file checked; remembers it for the source. What was decided before holds on
    where the columns mean the same. Raises MappingRefused, NotCheckable, NotAllowed."""
    job = locked(actor, job_id, State.NEW, State.CHECKED)
    mapping.check(chosen, job.layout["columns"])
    document = chosen.model_dump(mode="json")
    job.decisions = job.decisions if document == job.mapping else []
    job.mapping, job.source, job.mode, job.stated = document, source[:60], mode, dict(stated or {})
    check_again(job, when)
    if source:
        ImportMapping.objects.update_or_create(
            program=job.program, name=source[:60], defaults={"document": job.mapping}
        )
    return job


def check_again(job: MemberImport, when: datetime) -> None:
    """Has a file checked from its first row on; what was found before is forgotten."""
    job.state, job.rows_read, job.counts, job.totals, job.refusal = State.CHECKING, 0, {}, {}, {}
    job.started_at = when
    job.save()
    forget_rows(job)


def forget_rows(job: MemberImport) -> None:
    MemberRow.objects.filter(job=job)._raw_delete("default")
    RowIdentifier.objects.filter(job=job)._raw_delete("default")
    job.chunks.all()._raw_delete("default")


@in_transaction
def cancel(actor: Any, job_id: int, *, when: datetime) -> MemberImport:
    """Stops it before its next rows; what was taken in stays, and can be taken back. Raises NotCheckable, NotAllowed."""
    job = locked(actor, job_id, State.NEW, State.CHECKING, State.CHECKED, State.RUNNING)
    end(job, State.CANCELLED, when)
    return job


def end(job: MemberImport, state: str, when: datetime, refusal: Mapping[str, Any] | None = None) -> None:
    job.state, job.ended_at, job.refusal = state, when, dict(refusal or {})
    job.save(update_fields=["state", "ended_at", "refusal"])
    remove_file(job)


def remove_file(job: MemberImport) -> None:
    """It names people, and what it said is staged."""
    transaction.on_commit(lambda: Path(job.path).unlink(missing_ok=True))


def require_still(job: MemberImport) -> None:
    """A right taken away ends what was begun under it. Raises FileRefused."""
    if job.created_by is not None and not reach_of(job.created_by, PERMISSION).covers(job.program.unit.path):
        raise FileRefused(reason="not_allowed")
