"""The verbs of bringing members in, and the work that they leave to be done: killed at any moment, it goes on where it stopped."""

from collections.abc import Callable
from datetime import datetime

from django.db import IntegrityError

from apps.core.work import after_commit
from apps.members.importing.bringing import (
    PERMISSION,
    STEP,
    NotCheckable,
    State,
    bring,
    cancel,
    hand_to_workers,
    lay_out,
    map_columns,
)  # fmt: skip
from apps.members.importing.deciding import decide, take_decision_back
from apps.members.importing.forgetting import forget_old
from apps.members.importing.models import MemberImport
from apps.members.importing.reading import check
from apps.members.importing.refused import refused_rows
from apps.members.importing.staging import Progress
from apps.members.importing.taking import start, start_back, take_back_chunk, take_chunk, taking_back, taking_in
from apps.orgs.models import Program

__all__ = [
    "PERMISSION", "NotCheckable", "bring", "cancel", "check", "decide", "forget_old", "hand_to_workers", "lay_out", "map_columns", "refused_rows",
    "run", "run_step", "start", "start_back", "step", "take_decision_back", "taking_back", "taking_in", "unfinished", "unfinished_of",
]  # fmt: skip


def run(
    job_id: int, *, clock: Callable[[], datetime], tell: Progress = lambda stage, done, total: None
) -> MemberImport:
    """Works off what there is to do with a file, to its end."""
    while step(job_id, when=clock(), tell=tell):
        pass
    return MemberImport.objects.get(pk=job_id)


def step(job_id: int, *, when: datetime, tell: Progress = lambda stage, done, total: None) -> bool:
    """One task's worth of a file's work; whether there is more."""
    job = MemberImport.objects.get(pk=job_id)
    if job.state == State.CHECKING:
        check(job_id, when=when, tell=tell)
        return False
    verb = {State.RUNNING: take_chunk, State.UNDOING: take_back_chunk}.get(State(job.state))
    if verb is None:
        return False
    more = _again_on_conflict(verb, job_id, when)
    if more:
        job.refresh_from_db()
        tell(job.state, job.rows_done, sum(job.counts.get(state, 0) for state in ("new", "changed", "same")))
    return more


def _again_on_conflict(verb: Callable[..., bool], job_id: int, when: datetime) -> bool:
    """Somebody enrolled one of them at this very moment: the next time it is known."""
    for _attempt in range(3):
        try:
            return verb(job_id, when=when)
        except IntegrityError:
            continue
    return verb(job_id, when=when)


def run_step(job_id: int, *, when: datetime) -> None:
    """One task: a step, and the promise of the next."""
    if step(job_id, when=when):
        after_commit(STEP, job_id)


def unfinished_of(program: Program, file_hash: bytes, source: str) -> MemberImport | None:
    """The file with this content that is being checked or taken in for the programme, if there is one."""
    begun = MemberImport.objects.filter(
        program=program, file_hash=file_hash, source=source, state__in=(State.CHECKING, State.RUNNING)
    )
    found: MemberImport | None = begun.order_by("-pk").first()
    return found


def unfinished() -> list[int]:
    """Files that some worker should go on with, whatever became of the broker."""
    busy = (State.CHECKING, State.RUNNING, State.UNDOING)
    return list(MemberImport.objects.filter(state__in=busy).order_by("pk").values_list("pk", flat=True))
