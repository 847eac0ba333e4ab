"""Bringing a file: kept, laid out, mapped and checked. What a person decides then is `deciding`; taking it in, `taking`."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from django.db import transaction
from django.utils.translation import gettext as _

from apps.core.errors import LoyaltyError
from apps.core.reading import FileRefused
from apps.core.scope import reach_of, require
from apps.core.transactions import in_transaction
from apps.core.work import unless_promised
from apps.members.importing import checking, layout, mapping, sealed
from apps.members.importing.mapping import ColumnMapping
from apps.members.importing.models import ImportMapping, MemberImport, MemberRow, RowIdentifier
from apps.members.importing.staging import Progress, stage
from apps.orgs.models import Program

PERMISSION = "members.add_memberimport"
STEP = "apps.members.tasks.run_member_import"
SHARES = 4
"""How many parts of one file are under way at once, workers permitting."""
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
        remembered = ImportMapping.objects.filter(program=program, name=source).first() if source else None
        columns = mapping.suggested(found.columns, program, _document(remembered))
        return MemberImport.objects.create(
            program=program, file_name=name[:200], file_hash=digest, path=str(path), source=source[:60],
            layout=_plain_layout(found), mapping=columns.model_dump(mode="json"), created_by=actor, created_at=when,
        )  # fmt: skip
    except BaseException:
        path.unlink(missing_ok=True)
        raise


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
    job = locked(actor, job_id, State.NEW)
    with sealed.opened(Path(job.path)) as content:
        found = layout.laid_out(content, encoding, delimiter, header_row)
    job.layout = _plain_layout(found)
    job.mapping = mapping.suggested(found.columns, job.program, ColumnMapping.model_validate(job.mapping)).model_dump(
        mode="json"
    )
    job.save(update_fields=["layout", "mapping"])
    return job


@in_transaction
def map_columns(
    actor: Any, job_id: int, chosen: ColumnMapping, *, source: str = "", stated: Mapping[str, Any] | None = None,
    mode: str = MemberImport.Mode.GOOD, when: datetime,
) -> MemberImport:  # fmt: skip
    """Says what the columns mean and has the file checked; remembers it for the source. What was checked before is
    forgotten. Raises MappingRefused, NotCheckable, NotAllowed."""
    job = locked(actor, job_id, State.NEW, State.CHECKED)
    mapping.check(chosen, job.layout["columns"])
    job.mapping, job.source, job.mode, job.stated = (
        chosen.model_dump(mode="json"),
        source[:60],
        mode,
        dict(stated or {}),
    )
    job.state, job.rows_read, job.counts, job.totals, job.decisions = State.CHECKING, 0, {}, {}, {}
    job.refusal, job.started_at = {}, when
    job.save()
    _forget_rows(job)
    if source:
        ImportMapping.objects.update_or_create(
            program=job.program, name=source[:60], defaults={"document": job.mapping}
        )
    return job


def _forget_rows(job: MemberImport) -> None:
    MemberRow.objects.filter(job=job)._raw_delete("default")
    RowIdentifier.objects.filter(job=job)._raw_delete("default")
    job.chunks.all()._raw_delete("default")


def check(job_id: int, *, when: datetime, tell: Progress = lambda stage, done, total: None) -> MemberImport:
    """Reads and checks every row that nobody else is reading; whoever finds all of them read matches them. A file that cannot
    be read is refused and keeps nothing."""
    job = MemberImport.objects.select_related("program__unit", "created_by").get(pk=job_id)
    if job.state != State.CHECKING:
        return job
    try:
        require_still(job)
        if not stage(job, when=when, tell=tell):
            return job
        job.refresh_from_db(fields=["rows_read"])
        if not job.rows_read:
            raise FileRefused(reason="empty")
        tell("matching", 0, job.rows_read)
        with transaction.atomic():
            if _waits_still(MemberImport.objects.select_for_update(no_key=True), job):
                checking.match(job)
                job.state = State.CHECKED
                job.save(update_fields=["state"])
    except FileRefused as refusal:
        with transaction.atomic():
            # Waits for whoever is still reading.
            if _waits_still(MemberImport.objects.select_for_update(), job):
                _forget_rows(job)
                job.state, job.refusal, job.ended_at = State.REFUSED, refusal.data, when
                job.save(update_fields=["state", "refusal", "ended_at"])
                remove_file(job)
    return job


def _waits_still(locking: Any, job: MemberImport) -> bool:
    """Whether the file, now under a lock, still waits to be checked."""
    job.state = locking.values_list("state", flat=True).get(pk=job.pk)
    return job.state == State.CHECKING


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
