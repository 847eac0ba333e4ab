"""Taking a checked file in, and taking back what it brought: chunk by chunk, each in one transaction with its
state. Several workers may share a file.

Both pass the gate: a policy may want somebody else's yes first.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count, F, Max, Min, OuterRef, Subquery
from django.utils.translation import gettext as _

from apps.conditions.words import Words
from apps.core.clock import local_day
from apps.core.errors import LoyaltyError
from apps.core.formats import percent
from apps.core.reading import FileRefused
from apps.core.transactions import in_transaction
from apps.members.importing import again, checking
from apps.members.importing.asked import TITLE_BACK, OfFile, digest_of
from apps.members.importing.bringing import State, end, hand_to_workers, locked, require_still
from apps.members.importing.models import MemberChunk, MemberImport
from apps.members.importing.parts import later_life, lives, parts
from apps.members.models import Member, MemberChange, Merge
from apps.members.quality.errors import QualityBelowGate
from apps.members.quality.standing import QUALITY, prospect_of
from apps.orgs.gate import Approval, Done, Effect, Line, NotWhatWasApproved, pass_gate, register
from apps.orgs.models import Staff

CHUNK = 5_000
MOST_COUNTED = 50_000
"""Of files with more members it is not counted beforehand who would stay."""


class TotalsDisagree(LoyaltyError):
    """What the sender says the file holds is not what it holds. `what` names the first that differs."""

    code = "totals_disagree"
    field = "stated"

    def sentence(self) -> str:
        return _("The sender states %(stated)s for %(what)s, the file holds %(found)s.") % self.data


class RowsForgotten(LoyaltyError):
    code = "import_forgotten"
    field = "state"

    def sentence(self) -> str:
        return _("The rows of this file are no longer kept: it cannot be taken back any more.")


class QuestionsOpen(LoyaltyError):
    code = "questions_open"

    def sentence(self) -> str:
        return (
            _("%(rows)s rows are still to be decided or refused, and all rows or none are to be taken in.") % self.data
        )


def _seen(job_id: int) -> MemberImport:
    return MemberImport.objects.select_related("program__unit").get(pk=job_id)


class TakingIn(OfFile):
    """A whole file of members, as it was checked and decided on."""

    code: ClassVar[str] = "members.import"
    label: ClassVar[Words] = Words("Taking a file of members in", "导入会员文件")

    def effect(self, requester: Staff | None, when: datetime) -> Effect:
        job = self.read_job()
        counts = job.counts
        lines = [
            Line("file", None, job.file_name),
            Line("rows", 0, job.rows_read, "number"),
            Line("new", 0, counts.get("new", 0), "number"),
            Line("changed", 0, counts.get("changed", 0), "number"),
            Line("left_out", 0, counts.get("refused", 0) + counts.get("question", 0), "number"),
        ]
        if job.source:
            lines.insert(1, Line("source", None, job.source))
        if (prospect := prospect_of(job)) is not None and prospect.after.pct is not None:
            before = None if prospect.before.pct is None else percent(prospect.before.pct)
            lines.append(Line("accuracy", before, percent(prospect.after.pct)))
        for part in parts():
            lines += part.lines(job)
        return Effect(tuple(lines))

    def require_ready(self, requester: Staff | None, also: Collection[Staff], when: datetime) -> None:
        require_takeable(locked(None, self.job, State.CHECKED))

    def carry_out(self, approval: Approval, when: datetime) -> Done:
        job = start(approval.requester, self.job, when=when, approval=approval)
        hand_to_workers(job.pk)
        return Done({"rows": job.rows_read}, job)


class TakingBack(OfFile):
    """What a file brought goes again: members without later life, points that are still there."""

    code: ClassVar[str] = "members.import_back"
    label: ClassVar[Words] = Words("Taking a file of members back", "撤回会员文件")
    icon: ClassVar[str] = "group_remove"

    def _states(self) -> tuple[str, ...]:
        return (MemberImport.State.DONE, MemberImport.State.CANCELLED)

    def title(self) -> Words:
        return TITLE_BACK.format(file=self.read_job().file_name)

    def effect(self, requester: Staff | None, when: datetime) -> Effect:
        job = self.read_job()
        lines = [Line("file", None, job.file_name), Line("gone", rows_in(job).get("new", 0), 0, "number")]
        # What a part of the file brought is not told: its parts count whole files.
        for part in parts() if job.state == State.DONE else ():
            lines += [Line(line.code, line.after, line.before, line.shape) for line in part.lines(job)]
        return Effect(tuple(lines))

    def carry_out(self, approval: Approval, when: datetime) -> Done:
        job = start_back(approval.requester, self.job, reason=approval.reason, when=when, approval=approval)
        hand_to_workers(job.pk)
        return Done({"rows": job.rows_read}, job)


register(TakingIn, TakingBack)


def taking_in(job: MemberImport) -> TakingIn:
    return TakingIn(job=job.pk, digest=digest_of(job))


def taking_back(job: MemberImport) -> TakingBack:
    return TakingBack(job=job.pk, digest=digest_of(job))


def rows_in(job: MemberImport) -> dict[str, int]:
    """How many rows of a file came in, by what they became; of one that was stopped, those before it was."""
    if job.state == State.DONE:
        return dict(job.counts)
    done = job.staged.filter(is_done=True).values_list("state")
    return dict(done.annotate(rows=Count("pk")).order_by())


def require_agreeing(job: MemberImport) -> None:
    """Raises TotalsDisagree where the sender states other totals than the file holds."""
    found = stated_totals(job)
    for what, stated in job.stated.items():
        if str(found.get(what, "")) != str(stated):
            raise TotalsDisagree(what=what, stated=stated, found=found.get(what, "—"))


def require_takeable(job: MemberImport) -> None:
    """Raises TotalsDisagree, QuestionsOpen."""
    require_agreeing(job)
    open_rows = job.counts.get("question", 0) + job.counts.get("refused", 0)
    if job.mode == MemberImport.Mode.ALL and open_rows:
        raise QuestionsOpen(rows=open_rows)


def stated_totals(job: MemberImport) -> dict[str, int]:
    """What a sender may state: rows without those that add others up, and each part's sums over all of them."""
    sums = {
        f"{code}:{name}": number
        for code, named in job.totals.items()
        for name, number in named.get("stated", {}).items()
    }
    refused = job.staged.filter(state="refused")
    adding_up = refused.filter(findings__has_any_keys=["total_row", "header_again"]).count()
    return {"rows": job.rows_read - adding_up, **sums}


@in_transaction
def start(
    actor: Any, job_id: int, *, when: datetime, approval: Approval | None = None, reason: str = ""
) -> MemberImport:
    """Has the checked file taken in. One that brings the data below the programme's gate needs others' yes, or a reason,
    which is kept with the file.

    Raises TotalsDisagree, QuestionsOpen, QualityBelowGate, NotCheckable, ApprovalNeeded, NotAllowed; NotWhatWasApproved where
    somebody decides on its rows at this very moment.
    """
    subject = taking_in(_seen(job_id))
    pass_gate(subject, actor, approval, when, reason=reason)
    job = locked(actor, job_id, State.CHECKED)
    if digest_of(job) != subject.digest:
        raise NotWhatWasApproved()
    require_takeable(job)
    prospect = prospect_of(job) if approval is None else None
    if prospect is not None and prospect.is_below:
        if not reason.strip():
            raise QualityBelowGate(after=f"{prospect.after.pct:.1f}", wanted=prospect.wanted_pct)
        told = {"reason": reason.strip()[:500], "by": str(actor or "")}
        job.totals = {**job.totals, QUALITY: {**job.totals[QUALITY], **told}}
    job.state, job.rows_done, job.started_at = State.RUNNING, 0, when
    job.save(update_fields=["state", "rows_done", "started_at", "totals"])
    _cut(job)
    return job


def _cut(job: MemberImport) -> None:
    """Cuts the file into chunks that are all to be done."""
    job.chunks.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO members_memberchunk (job_id, first, last, is_done)"
            " SELECT %(job)s, min(number), max(number), false"
            " FROM (SELECT number, (row_number() OVER (ORDER BY number) - 1) / %(size)s AS part"
            "       FROM members_memberrow WHERE job_id = %(job)s) rows GROUP BY part",
            {"job": job.pk, "size": CHUNK},
        )


@in_transaction
def take_chunk(job_id: int, *, when: datetime) -> bool:
    """Takes the next free rows in, in one transaction with their state; False when there are none or it was stopped."""
    chunk = _next_chunk(job_id, State.RUNNING)
    if chunk is None:
        _finish(job_id, State.RUNNING, State.DONE, when)
        return False
    job, first, last = chunk.job, chunk.first, chunk.last
    try:
        require_still(job)
    except FileRefused as refusal:
        end(job, State.CANCELLED, when, refusal.data)
        return False
    today = local_day(when, ZoneInfo(job.program.time_zone))
    _hold_members(job, first, last, "changed")
    if Merge.objects.filter(at__gte=job.created_at).exists():
        while _follow_merges(job, first, last):
            _hold_members(job, first, last, "changed")
        again.refuse(job, first, last)
    again.refuse_gone(job, first, last)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT members_import_take(%s, %s, %s, %s, %s, %s, %s, %s)",
            [job.pk, first, last, when, today, job.source, job.created_by_id, job.file_name],
        )
        taken = cursor.fetchone()[0]
    for part in parts():
        part.take(job, first, last, when)
    _done(chunk, taken)
    return True


def _hold_members(job: MemberImport, first: int, last: int, *states: str) -> None:
    """Locks the members of rows in those states, in the order in which everybody locks members: whoever merges, erases, changes or
    rewards one of them at this moment is waited for."""
    rows = job.staged.filter(number__range=(first, last), state__in=states, member__isnull=False)
    if members := list(rows.values_list("member_id", flat=True)):
        held = Member.objects.select_for_update(no_key=True).filter(pk__in=members).order_by("pk")
        list(held.values_list("pk"))


def _follow_merges(job: MemberImport, first: int, last: int) -> int:
    """Members who were merged since the file was checked: their rows are of the member that answers for them. How many."""
    rows = job.staged.filter(number__range=(first, last), is_done=False, member__merged_into__isnull=False)
    answering = Member.objects.filter(pk=OuterRef("member")).values("merged_into")
    return int(rows.update(member_id=Subquery(answering)))


def _next_chunk(job_id: int, state: str) -> MemberChunk | None:
    """A chunk that nobody is at, under a lock, while the file is in `state`."""
    free = MemberChunk.objects.select_for_update(skip_locked=True, of=("self",))
    chunk: MemberChunk | None = (
        free.select_related("job__program__unit", "job__created_by")
        .filter(job_id=job_id, job__state=state, is_done=False)
        .order_by("first")
        .first()
    )
    return chunk


def _done(chunk: MemberChunk, rows: int) -> None:
    chunk.is_done = True
    chunk.save(update_fields=["is_done"])
    with connection.cursor() as cursor:
        # What is checked at the commit otherwise, while others wait.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    # Last of all: other workers at the same file wait here.
    MemberImport.objects.filter(pk=chunk.job_id).update(rows_done=F("rows_done") + rows)


def _finish(job_id: int, state: str, ended: str, when: datetime) -> None:
    """Ends the file when all its chunks are done; does nothing while somebody is at one."""
    job = MemberImport.objects.select_for_update(no_key=True).get(pk=job_id)
    if job.state == state and not job.chunks.filter(is_done=False).exists():
        end(job, ended, when)
        # What came in is what was checked, but for members who came by another way meanwhile.
        if ended != State.DONE or job.staged.filter(state="refused", findings__has_key="taken_meanwhile").exists():
            checking.count(job)


@in_transaction
def start_back(
    actor: Any, job_id: int, *, reason: str, when: datetime, approval: Approval | None = None
) -> MemberImport:
    """Has what the file brought taken back. Raises RowsForgotten, NotCheckable, ApprovalNeeded, NotAllowed."""
    if _seen(job_id).forgotten_at:
        raise RowsForgotten()
    pass_gate(taking_back(_seen(job_id)), actor, approval, when, reason=reason)
    # Waits for whoever is still at one; chunks are locked before their file, here as everywhere.
    list(MemberChunk.objects.select_for_update().filter(job_id=job_id).order_by("first"))
    job = locked(actor, job_id, State.DONE, State.CANCELLED)
    job.state, job.rows_done = State.UNDOING, 0
    job.totals = {**job.totals, "back": {}}
    job.save(update_fields=["state", "rows_done", "totals"])
    _cut(job)
    return job


def would_stay(job: MemberImport) -> int | None:
    """How many members would stay if the file were taken back now; None where it is too long to count meanwhile."""
    brought = job.staged.filter(is_done=True, state__in=["new", "changed"])
    members = list(brought.order_by("number").values_list("member_id", flat=True)[: MOST_COUNTED + 1])
    if len(members) > MOST_COUNTED:
        return None
    living: set[int] = set()
    for start_at in range(0, len(members), CHUNK):
        part = members[start_at : start_at + CHUNK]
        living.update(*(lived(part, job) for lived in lives()))
    return len(living)


@in_transaction
def take_back_chunk(job_id: int, *, when: datetime) -> bool:
    """Takes the next free rows back, in one transaction with their state; False when there are none."""
    chunk = _next_chunk(job_id, State.UNDOING)
    if chunk is None:
        _finish(job_id, State.UNDOING, State.UNDONE, when)
        return False
    job, span = chunk.job, (chunk.first, chunk.last)
    # Before it is asked who had a life since, and before their accounts are locked.
    _hold_members(job, *span, "new", "changed")
    back: dict[str, int] = {}
    for part in parts():
        back |= part.take_back(job, *span, when)
    members = list(job.staged.filter(number__range=span, is_done=True).values_list("member_id", flat=True))
    living = sorted(set().union(*(lived(members, job) for lived in lives())))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT gone, restored, stayed FROM members_import_take_back(%s, %s, %s, %s::bigint[], %s, %s, %s)",
            [job.pk, *span, living, when, job.created_by_id, job.file_name],
        )
        back |= dict(zip(("gone", "restored", "stayed"), cursor.fetchone(), strict=True))
    _add_up(job.pk, back)
    _done(chunk, len(members))
    return True


def _add_up(job_id: int, back: Mapping[str, int]) -> None:
    job = MemberImport.objects.select_for_update(no_key=True).get(pk=job_id)
    so_far = job.totals.get("back", {})
    job.totals = {**job.totals, "back": {**so_far, **{name: so_far.get(name, 0) + n for name, n in back.items()}}}
    job.save(update_fields=["totals"])


@later_life
def changed_since(members: Sequence[int], job: MemberImport) -> set[int]:
    """Whom somebody changed after the file was taken in."""
    changes = MemberChange.objects.filter(member_id__in=members)
    ours = dict(
        changes.filter(reason=job.file_name, at__gte=job.started_at).values_list("member_id").annotate(first=Min("pk"))
    )
    # Later files may have the same name: only the first of those lines is ours.
    latest = changes.values_list("member_id").annotate(last=Max("pk"))
    return {member for member, last in latest if last > ours.get(member, last)}
