"""Adjustments in bulk: a file is staged and checked, sent as one request, and posted all or nothing.

Checking and locking are a few statements for the whole file, posting a few for each `CHUNK` rows: memory stays flat.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, ClassVar
from zoneinfo import ZoneInfo

import orjson
from django.db import connection
from django.db.models import Count, Q, Sum

from apps.approvals.models import ApprovalRequest
from apps.approvals.services.filing import File
from apps.conditions.catalogue import Field
from apps.conditions.types import Type
from apps.conditions.words import Words
from apps.core.addresses import address
from apps.core.clock import local_day
from apps.core.errors import NotAllowed
from apps.core.formats import MICROS, number, signed
from apps.core.reading import pieces_of
from apps.core.scope import STEP, Reach, reach_of, require
from apps.core.transactions import in_transaction
from apps.members.crypto import decrypt, encrypt, lookup_hash
from apps.members.services import record_export, record_matching
from apps.orgs.gate import Approval, Done, Effect, Line, Subject, SubjectGone, pass_gate, register
from apps.orgs.models import OrgUnit, Program, Staff
from apps.points.asked import DAYS, MONEY_FIELD, PROGRAM_FIELD, codes_offered
from apps.points.batch_file import COLUMNS, LARGEST_MB, FileRow, read_file
from apps.points.book import AccountState, Act, Book, LotState, Origin
from apps.points.errors import BatchHasFaults, BatchOver, EvidenceNeeded, ReasonMissing
from apps.points.expiry import expires_at, lapses_at, parse_policy
from apps.points.models import AdjustmentBatch, AdjustmentRow, PointType, ReasonCode
from apps.points.services.adjusting import PERMISSION, move_by_hand
from apps.points.services.asking import ask
from apps.points.services.ledger import content_hash, open_lots, post
from apps.points.words import fault_sentence

ADD = "points.add_adjustmentbatch"
PURPOSE = "adjustment:row"
CHUNK = 5_000
KEPT_DAYS = 7
"""How long a file that was never sent stays, until its author brings another."""
State = AdjustmentBatch.State

FLAGS = {
    "new_members": Words("has members who joined in the last 30 days", "包含入会不足 30 天的会员"),
    "both_ways": Words("adds points and takes points", "既增加又扣减积分"),
    "one_large": Words("one row moves more than half of all points", "单行超过总积分的一半"),
}
LABELS: Mapping[str, Words] = {
    "file": Words("File", "文件"),
    "rows": Words("Rows", "行数"),
    "members": Words("Members", "会员数"),
    "added": Words("Points added", "增加积分"),
    "taken": Words("Points taken", "扣减积分"),
    "largest": Words("Largest row", "最大单行"),
    "cost": Words("What the points cost", "积分成本"),
    "failing": Words("Rows that would be refused now", "目前会被拒绝的行"),
}
TITLE = Words("{points} points in {rows} rows of {file}", "{file}：共 {rows} 行，{points} 积分")
FIELDS = (
    Field("request.points", Type.INTEGER, Words("the number of points moved, whichever way", "变动积分总数"), "request.points"),
    Field("request.largest", Type.INTEGER, Words("the number of points of the largest row", "最大单行积分"), "request.largest"),
    Field("request.rows", Type.INTEGER, Words("the number of rows", "行数"), "request.rows"),
    Field("request.added", Type.INTEGER, Words("the number of points added", "增加积分"), "request.added"),
    Field("request.taken", Type.INTEGER, Words("the number of points taken", "扣减积分"), "request.taken"),
    Field("request.net", Type.INTEGER, Words("what is added less what is taken", "净增积分"), "request.net"),
    MONEY_FIELD,
    Field("request.units", Type.INTEGER, Words("the number of home units touched", "涉及门店数"), "request.units"),
    PROGRAM_FIELD,
    Field("request.reason_codes", Type.TAGS, Words("reason codes", "原因代码"), "request.reason_codes"),
    Field(
        "request.flags", Type.TAGS, Words("what looks risky", "风险标记"), "request.flags", choices=tuple(FLAGS.items()),
        is_closed=True,
    ),
)  # fmt: skip


class BulkAdjustment(Subject):
    """A whole file of adjustments, as it was checked.

    What it does to one member does not count among that member's own requests: a policy for single adjustments is not
    asked. So that nobody walks round it with a file of one row, `request.largest` tells the largest row: a policy for
    files holds it at the same bounds. Files that one person sends for one programme add up.
    """

    code: ClassVar[str] = "points.bulk"
    label: ClassVar[Words] = Words("Points adjustments in bulk", "批量积分调整")
    icon: ClassVar[str] = "table_rows"
    permission: ClassVar[str] = PERMISSION
    view: ClassVar[str] = "points.view_adjustmentbatch"
    fields: ClassVar = FIELDS
    adds_up: ClassVar[tuple[str, ...]] = ("request.points", "request.money")
    labels: ClassVar[Mapping[str, Words]] = LABELS

    batch: int
    digest: str

    def read_batch(self) -> AdjustmentBatch:
        """Raises SubjectGone where it is not there any more as it was."""
        rows = AdjustmentBatch.objects.select_related("unit", "program")
        batch = rows.filter(pk=self.batch, digest=self.digest).first()
        if batch is None:
            raise SubjectGone()
        return batch

    def place(self) -> OrgUnit:
        return self.read_batch().unit

    def about(self) -> str:
        batch = self.read_batch()
        return f"bulk:{batch.program_id}:{batch.created_by_id}"

    def amount(self) -> int:
        """All points that are moved, with the sign of what outweighs."""
        batch = self.read_batch()
        moved = batch.added + batch.taken
        return moved if batch.added >= batch.taken else -moved

    def facts(self, requester: Staff | None, when: datetime) -> dict[str, Any]:
        batch = self.read_batch()
        codes = batch.staged.exclude(reason_code="").values_list("reason_code", flat=True).order_by().distinct()
        moved = batch.added + batch.taken
        flags = {
            "new_members": batch.new_members > 0,
            "both_ways": batch.added > 0 and batch.taken > 0,
            "one_large": batch.rows > 1 and 2 * batch.largest > moved,
        }
        return {
            "points": moved, "largest": batch.largest, "rows": batch.rows, "added": batch.added, "taken": batch.taken,
            "net": batch.added - batch.taken, "money": Decimal(batch.cost_micros) / MICROS, "units": batch.units,
            "program": batch.program.code, "reason_codes": tuple(codes),
            "flags": tuple(name for name, is_set in flags.items() if is_set),
        }  # fmt: skip

    def effect(self, requester: Staff | None, when: datetime) -> Effect:
        """The totals, and how many rows would be refused at `when`: then all of it would be. Balances are left out: of
        so many members some change every minute, and nobody could ever decide on what they saw."""
        batch = self.read_batch()
        failing = 0 if batch.state == State.POSTED else sum(failing_of(batch.pk, when).values())
        currency = batch.program.currency
        totals = totals_of(batch.pk, when)
        cost = Decimal(totals.cost_micros) / MICROS
        lines = (
            Line("file", None, batch.file_name),
            Line("rows", 0, totals.rows, "number"),
            Line("members", 0, totals.members, "number"),
            Line("added", 0, totals.added, "points"),
            Line("taken", 0, totals.taken, "points"),
            Line("largest", 0, totals.largest, "points"),
            Line("cost", f"{currency} 0", f"{currency} {cost:f}", "money"),
            Line("failing", failing, failing, "number"),
        )
        refused = failing or batch.rows_refused
        return Effect(lines, BatchHasFaults(rows=refused).sentence() if refused else "")

    def excluded(self) -> frozenset[int]:
        """Whoever brought the file, also where another sends it."""
        author = self.read_batch().created_by_id
        return frozenset({author} if author is not None else ())

    def require_ready(self, requester: Staff | None, also: Collection[Staff], when: datetime) -> None:
        """From here on the file stays as it is."""
        batch = _locked(self.batch)
        if batch.digest != self.digest:
            raise SubjectGone()
        if batch.rows_refused or not batch.rows:
            raise BatchHasFaults(rows=batch.rows_refused)
        if batch.state == State.DRAFT:
            _forget_cells(batch)
            batch.state = State.SENT
            batch.save(update_fields=["state"])
        elif batch.state == State.POSTED or not _is_returned(batch.request):
            raise BatchOver()

    def carry_out(self, approval: Approval, when: datetime) -> Done:
        batch = post_batch(
            approval.requester, self.batch, reason=approval.reason, key=approval.key, when=when, approval=approval
        )
        return Done({"points": batch.added - batch.taken, "rows": batch.rows}, batch)

    def title(self) -> Words:
        batch = self.read_batch()
        moved = [signed(points) for points in (batch.added, -batch.taken) if points]
        return TITLE.format(points=" / ".join(moved) or "0", rows=number(batch.rows), file=batch.file_name)

    def address(self) -> str:
        return address("points_adjustmentbatch_change", self.batch)

    def form_address(self) -> str:
        return address("points_adjustmentbatch_send", self.batch)

    @classmethod
    def suggestions(cls, principal: Any) -> dict[str, list[str]]:
        return codes_offered(principal, "request.reason_codes")


register(BulkAdjustment)


def _is_returned(request: ApprovalRequest | None) -> bool:
    return request is not None and request.state == ApprovalRequest.State.RETURNED


# -- staging -----------------------------------------------------------------------------------------------


@in_transaction
def stage_batch(
    actor: Staff | None, content: IO[bytes], name: str, program: Program, *, when: datetime
) -> AdjustmentBatch:
    """The file, read and checked: its totals, and what is wrong with which row. That it was held against the members is
    on record. Raises FileRefused, NotAllowed."""
    reach = _reach(actor, program)
    _forget_old(actor, when)
    batch = AdjustmentBatch.objects.create(
        program=program, unit=_first_place(reach, program), file_name=name[:200], created_by=actor, created_at=when
    )
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        _keep(content, path)
        _copy_rows(batch, read_file(path))
    _check(batch, reach, when)
    record_matching(actor, f"{name[:150]}: {batch.rows}", batch.rows - batch.rows_refused)
    return batch


def _reach(actor: Staff | None, program: Program) -> Reach:
    """Where `actor` may adjust points of `program`. Raises NotAllowed."""
    if actor is None:
        return Reach(everything=True)
    is_seen = Program.objects.visible_to(actor).filter(pk=program.pk).exists()
    reach = reach_of(actor, PERMISSION)
    if not is_seen or reach.is_empty or reach_of(actor, ADD).is_empty:
        raise NotAllowed(permission=ADD)
    return reach


def _first_place(reach: Reach, program: Program) -> OrgUnit:
    """Where a file belongs of which no row is good."""
    if reach.covers(program.unit.path):
        return program.unit
    unit: OrgUnit = OrgUnit.objects.get(path=min(reach.paths))
    return unit


def _forget_old(actor: Staff | None, when: datetime) -> None:
    old = AdjustmentBatch.objects.filter(
        created_by=actor, state=State.DRAFT, created_at__lt=when - timedelta(days=KEPT_DAYS)
    )
    for batch in old:
        AdjustmentRow.objects.filter(batch=batch)._raw_delete("default")
        batch.delete()


def _keep(content: IO[bytes], path: Path) -> None:
    with path.open("xb") as copy:
        for piece in pieces_of(content, LARGEST_MB):
            copy.write(piece)


def _copy_rows(batch: AdjustmentBatch, rows: Iterator[FileRow]) -> None:
    statement = (
        "COPY points_adjustmentrow (batch_id, line, kind, value_hash, given, point_code, points, reason_code, note,"
        " cipher, fault) FROM STDIN"
    )
    with connection.cursor() as cursor, cursor.cursor.copy(statement) as copy:
        for row in rows:
            named = lookup_hash(row.kind, row.value) if row.value else None
            sealed = encrypt(orjson.dumps(row.cells).decode(), PURPOSE)
            code, reason, note = (
                "" if row.fault else row.cells.get(n, "") for n in ("point_type", "reason_code", "note")
            )
            copy.write_row(
                (batch.pk, row.line, row.kind, named, row.given, code, row.points, reason, note, sealed, row.fault)
            )


def _check(batch: AdjustmentBatch, reach: Reach, when: datetime) -> None:
    """Matches and checks every row; the batch gets its unit, its totals and its digest."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT points_batch_match(%s, %s, %s)", [batch.pk, list(reach.paths), reach.everything])
        cursor.execute(_SPAN, [batch.pk])
        first, last = cursor.fetchone()
        if first is not None and not reach.covers(_common(first, last)):
            # One request belongs to one place: what lies under another root of the actor's goes into another file.
            root = next(path for path in sorted(reach.paths) if first.startswith(path))
            cursor.execute(_ELSEWHERE, [batch.pk, root])
            cursor.execute(_SPAN, [batch.pk])
            first, last = cursor.fetchone()
        if first is not None:
            batch.unit = OrgUnit.objects.get(path=_common(first, last))
            batch.save(update_fields=["unit"])
        # By id and from what was found first: rows just copied are unknown to the planner, which would look them all
        # through once for each other.
        cursor.execute(
            "WITH failing AS MATERIALIZED (SELECT id, fault FROM points_batch_failing(%s, %s))"
            " UPDATE points_adjustmentrow r SET fault = f.fault FROM failing f WHERE r.id = f.id", [batch.pk, when],
        )  # fmt: skip
    totals = totals_of(batch.pk, when)
    counts = batch.staged.aggregate(all=Count("pk"), refused=Count("pk", filter=~Q(fault="")))
    batch.rows, batch.rows_refused = counts["all"], counts["refused"]
    for field in ("members", "added", "taken", "cost_micros", "largest", "units", "new_members"):
        setattr(batch, field, getattr(totals, field))
    batch.digest = digest_of_rows(batch.pk)
    batch.save()


_SPAN = """
SELECT min(u.path), max(u.path) FROM points_adjustmentrow r JOIN members_member m ON m.id = r.member_id
JOIN orgs_orgunit u ON u.id = m.home_unit_id WHERE r.batch_id = %s AND r.fault = ''
"""
_ELSEWHERE = """
UPDATE points_adjustmentrow r SET fault = 'elsewhere' FROM members_member m JOIN orgs_orgunit u ON u.id = m.home_unit_id
WHERE r.batch_id = %s AND r.fault = '' AND m.id = r.member_id AND NOT starts_with(u.path, %s)
"""


def _common(first: str, last: str) -> str:
    """The path of the nearest unit above all between the first and the last.

    >>> _common("000100020003", "000100020007"), _common("0001", "0001")
    ('00010002', '0001')
    """
    steps = 0
    while first[steps : steps + STEP] == last[steps : steps + STEP] and steps < len(first):
        steps += STEP
    return first[:steps]


def digest_of_rows(batch_id: int) -> str:
    """A hash of what the good rows would do, in the order of their lines."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT encode(sha256(convert_to(coalesce(string_agg(concat_ws('|', line, member_id, point_type_id, points,"
            " reason_code, note), E'\\n' ORDER BY line), ''), 'UTF8')), 'hex')"
            " FROM points_adjustmentrow WHERE batch_id = %s AND fault = ''", [batch_id],
        )  # fmt: skip
        return str(cursor.fetchone()[0])


@dataclass(frozen=True, slots=True)
class Totals:
    """What the good rows of a batch come to."""

    rows: int
    members: int
    added: int
    taken: int
    cost_micros: int
    largest: int
    units: int
    new_members: int


def totals_of(batch_id: int, when: datetime) -> Totals:
    """One statement; what points cost is read anew."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(DISTINCT r.member_id), coalesce(sum(r.points) FILTER (WHERE r.points > 0), 0)::bigint,"
            " coalesce(-sum(r.points) FILTER (WHERE r.points < 0), 0)::bigint,"
            " coalesce(sum(abs(r.points) * t.unit_cost_micros), 0)::bigint, coalesce(max(abs(r.points)), 0)::bigint,"
            " count(DISTINCT m.home_unit_id), count(DISTINCT m.id) FILTER (WHERE m.joined_on > %s)"
            " FROM points_adjustmentrow r JOIN members_member m ON m.id = r.member_id"
            " JOIN points_pointtype t ON t.id = r.point_type_id WHERE r.batch_id = %s AND r.fault = ''",
            [(when - timedelta(days=DAYS)).date(), batch_id],
        )  # fmt: skip
        return Totals(*cursor.fetchone())


def failing_of(batch_id: int, when: datetime) -> Counter[str]:
    """How many of the good rows would be refused at `when`, by what is wrong with them. One statement."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT fault, count(*) FROM points_batch_failing(%s, %s) GROUP BY fault", [batch_id, when])
        return Counter(dict(cursor.fetchall()))


@dataclass(frozen=True, slots=True)
class UnitTotals:
    """What a batch does to the members of one unit."""

    unit: str
    rows: int
    added: int
    taken: int


def per_unit(batch: AdjustmentBatch) -> list[UnitTotals]:
    """The home units touched, the most points first."""
    good = batch.staged.filter(fault="").values_list("member__home_unit__name")
    rows = good.annotate(rows=Count("pk"), plus=Sum("points", filter=Q(points__gt=0), default=0),
                         minus=Sum("points", filter=Q(points__lt=0), default=0))  # fmt: skip
    found = [UnitTotals(unit, count, plus, -minus) for unit, count, plus, minus in rows]
    return sorted(found, key=lambda each: (-each.added - each.taken, each.unit))


@in_transaction
def refused_rows(actor: Staff, batch: AdjustmentBatch) -> tuple[list[str], Iterator[list[Any]]]:
    """The refused rows as a file that can be corrected and brought again: two notes, then the columns. That they leave
    is on record. Raises NotAllowed."""
    require(actor, ADD, batch.unit.path)
    record_export(actor, f"refused adjustments of {batch.file_name}")
    return ["#line", "#reason", *COLUMNS], _refused(batch)


def _refused(batch: AdjustmentBatch) -> Iterator[list[Any]]:
    rows = batch.staged.exclude(fault="").order_by("line").values_list("line", "fault", "cipher")
    for line, fault, cipher in rows.iterator(chunk_size=2_000):
        cells = cells_of(cipher)
        yield [line, fault_sentence(fault), *(cells.get(name, "") for name in COLUMNS)]


def cells_of(cipher: bytes | memoryview) -> dict[str, str]:
    """The cells of a staged row by column."""
    found: dict[str, str] = orjson.loads(decrypt(bytes(cipher), PURPOSE))
    return found


@in_transaction
def discard_batch(actor: Staff, batch_id: int) -> None:
    """A file that was not sent is gone. Raises BatchOver, NotAllowed."""
    batch = _locked(batch_id)
    require(actor, ADD, batch.unit.path)
    if batch.state != State.DRAFT:
        raise BatchOver()
    AdjustmentRow.objects.filter(batch=batch)._raw_delete("default")
    batch.delete()


# -- sending and posting -------------------------------------------------------------------------------------


def subject_of(batch: AdjustmentBatch) -> BulkAdjustment:
    return BulkAdjustment(batch=batch.pk, digest=batch.digest)


@in_transaction
def ask_batch(
    actor: Staff,
    batch: AdjustmentBatch,
    *,
    reason: str,
    key: str,
    when: datetime,
    files: Sequence[File] = (),
    again: int | None = None,
) -> ApprovalRequest:
    """One request for the whole file, done where no policy holds it; see `ask`.

    Raises BatchHasFaults, BatchOver, EvidenceNeeded, and what `ask` does.
    """

    def check(has_evidence: bool) -> None:
        if batch.rows_refused or not batch.rows:
            raise BatchHasFaults(rows=batch.rows_refused)
        _require_evidence(batch, has_evidence)

    request = ask(actor, subject_of(batch), reason=reason, key=key, when=when, files=files, again=again, check=check)
    AdjustmentBatch.objects.filter(pk=batch.pk, request=None).update(request=request)
    return request


def _require_evidence(batch: AdjustmentBatch, has_evidence: bool) -> None:
    if has_evidence:
        return
    codes = batch.staged.values("reason_code")
    needing = ReasonCode.objects.filter(program=batch.program_id, needs_evidence=True, code__in=codes).first()
    if needing is not None:
        raise EvidenceNeeded(name=needing.name)


def _forget_cells(batch: AdjustmentBatch) -> None:
    """Who is meant is settled: what named them in clear is needed no more."""
    batch.staged.update(cipher=b"", value_hash=None)


@in_transaction
def post_batch(
    actor: Staff | None,
    batch_id: int,
    *,
    reason: str,
    key: str,
    when: datetime,
    approval: Approval | None = None,
    tell: Callable[[int], None] = lambda rows: None,
) -> AdjustmentBatch:
    """Posts every row under a key of its own, `key:line`, or none. `tell` hears how many rows are posted.

    Raises BatchHasFaults where a row would be refused now, BatchOver, EvidenceNeeded, ReasonMissing, SubjectGone,
    NotAllowed, ApprovalNeeded.
    """
    if not reason.strip():
        raise ReasonMissing()
    batch = AdjustmentBatch.objects.select_related("program", "unit").get(pk=batch_id)
    if batch.state == State.POSTED and batch.key == key:
        require(actor, PERMISSION, batch.unit.path)
        return batch
    if approval is None:
        _require_evidence(batch, False)
    pass_gate(subject_of(batch), actor, approval, when, reason=reason.strip())
    batch = _locked(batch_id)
    if batch.state == State.POSTED:
        raise BatchOver()
    if batch.digest != digest_of_rows(batch_id):
        raise SubjectGone()
    with connection.cursor() as cursor:
        cursor.execute("SELECT points_batch_lock(%s)", [batch_id])
    failing = sum(failing_of(batch_id, when).values()) + batch.rows_refused
    if failing or not batch.rows:
        raise BatchHasFaults(rows=failing)
    _post_rows(batch, actor, reason.strip(), key, when, tell)
    if batch.state == State.DRAFT:
        _forget_cells(batch)
    batch.state, batch.key, batch.posted_at = State.POSTED, key, when
    if batch.request_id is None and approval is not None:
        batch.request_id = approval.request_id
    batch.save()
    return batch


_ROWS = """
SELECT a.id, a.member_id, a.point_type_id, a.balance, a.pending, a.held, a.debt, a.lapses_at,
       r.line, r.points, r.note, m.home_unit_id
FROM (
    SELECT line, member_id, point_type_id, points, note FROM points_adjustmentrow
    WHERE batch_id = %s AND line > %s ORDER BY line LIMIT %s
) r
JOIN points_account a ON a.member_id = r.member_id AND a.point_type_id = r.point_type_id
JOIN members_member m ON m.id = r.member_id
ORDER BY r.line
"""


def _post_rows(
    batch: AdjustmentBatch, actor: Staff | None, reason: str, key: str, when: datetime, tell: Callable[[int], None]
) -> None:
    """Chunk by chunk, three statements each. All accounts are locked, so that their order does not matter any more."""
    terms = {kind.pk: Terms.of(kind, when) for kind in PointType.objects.filter(program=batch.program_id)}
    last, done = 0, 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_ROWS, [batch.pk, last, CHUNK])
            rows = cursor.fetchall()
        if not rows:
            return
        lots: dict[int, list[LotState]] = defaultdict(list)
        for lot in open_lots(row[0] for row in rows if row[9] < 0 or _has_lapsed(row[7], when)):
            lots[lot.account_id].append(lot)
        book = Book()
        for account, member, kind, balance, pending, held, debt, lapses, line, points, note, home in rows:
            state = AccountState(account, member, kind, batch.program_id, balance, pending, held, debt, lapses)
            said = f"{reason} · {note}"[:500] if note else reason
            row_key = f"{key}:{line}"
            digest = content_hash("bulk", account, points, said)
            act = Act(
                row_key, when, terms[kind].day, home, actor_id=actor.pk if actor is not None else None, reason=said,
                content_hash=digest,
            )  # fmt: skip
            origin = Origin(home, terms[kind].funder or home, terms[kind].unit_cost_micros)
            move_by_hand(book, state, act, origin, points, lots[account], terms[kind].expires_at, terms[kind].lapses_at)
        post(book)
        last, done = rows[-1][8], done + len(rows)
        tell(done)


def _has_lapsed(lapses: datetime | None, when: datetime) -> bool:
    return lapses is not None and lapses <= when


@dataclass(frozen=True, slots=True)
class Terms:
    """What a point type says of points given at one moment."""

    day: Any
    unit_cost_micros: int
    funder: int | None
    expires_at: datetime | None
    lapses_at: datetime | None

    @classmethod
    def of(cls, kind: PointType, when: datetime) -> "Terms":
        zone = ZoneInfo(kind.program.time_zone)
        day, policy = local_day(when, zone), parse_policy(kind.expiry)
        return cls(
            day, kind.unit_cost_micros, kind.funder_id, expires_at(policy, day, zone), lapses_at(policy, day, zone)
        )


def _locked(pk: int) -> AdjustmentBatch:
    batches = AdjustmentBatch.objects.select_for_update(no_key=True, of=("self",))
    return batches.select_related("program", "unit", "request").get(pk=pk)
