"""Rows of one file that are one member of the studio, each by another identifier: the later ones are questions. Of rows that
are taken in each has a member to itself."""

from django.db import connection
from django.db.models import Q

from apps.members.importing.models import MemberImport
from apps.members.models import Member

State = MemberImport.State

CODE = "member_again"
_STANDING = "r.job_id = %(job)s AND r.state NOT IN ('left', 'refused') AND NOT r.findings ? 'decided'"
_MARK = f"""
WITH known AS MATERIALIZED (
    SELECT member_id FROM members_rowidentifier WHERE job_id = %(job)s AND member_id IS NOT NULL
    GROUP BY member_id HAVING min(number) < max(number)
), rows AS MATERIALIZED (
    SELECT r.id, row_number() OVER (PARTITION BY r.member_id ORDER BY r.number) AS place
    FROM members_memberrow r JOIN known USING (member_id) WHERE {_STANDING}
)
UPDATE members_memberrow r SET findings = r.findings || '{{"{CODE}": ""}}' FROM rows WHERE rows.id = r.id AND rows.place > 1
"""  # noqa: S608 -- our own text
_CLEAR = f"""
UPDATE members_memberrow r SET findings = r.findings - '{CODE}' WHERE r.id IN (
    SELECT DISTINCT ON (r.member_id) r.id FROM members_memberrow r
    WHERE {_STANDING} AND r.member_id IN (SELECT member_id FROM members_memberrow WHERE job_id = %(job)s AND findings ? '{CODE}')
    ORDER BY r.member_id, r.number
) AND r.findings ? '{CODE}'
"""  # noqa: S608 -- our own text
_JOIN = f"""
WITH rows AS MATERIALIZED (
    SELECT r.id, r.number, r.amounts, r.findings, first_value(r.number) OVER (PARTITION BY r.member_id ORDER BY r.number) AS first
    FROM members_memberrow r
    WHERE {_STANDING} AND r.member_id IN (SELECT member_id FROM members_memberrow WHERE job_id = %(job)s AND findings ? '{CODE}')
), later AS MATERIALIZED (
    SELECT * FROM rows WHERE findings ? '{CODE}' AND number > first
), summed AS (
    SELECT first, key, sum((value->>'points')::bigint) AS points, (array_agg(value ORDER BY number))[1] AS amount
    FROM later, LATERAL jsonb_each(amounts) GROUP BY 1, 2
), whole AS (
    SELECT s.first, jsonb_object_agg(s.key, jsonb_set(coalesce(f.amounts->s.key, s.amount), '{{points}}',
               to_jsonb(s.points + coalesce((f.amounts->s.key->>'points')::bigint, 0)))) AS amounts
    FROM summed s JOIN rows f ON f.number = s.first GROUP BY 1
), given AS (
    UPDATE members_memberrow r SET amounts = r.amounts || whole.amounts FROM whole WHERE r.job_id = %(job)s AND r.number = whole.first
), moved AS (
    UPDATE members_rowidentifier n SET number = later.first FROM later WHERE n.job_id = %(job)s AND n.number = later.number
), gone AS (
    UPDATE members_memberrow r SET state = 'left', findings = '{{}}' FROM later WHERE r.id = later.id
)
SELECT DISTINCT first FROM later ORDER BY first
"""  # noqa: S608 -- our own text
_TAKEN = f"""
UPDATE members_memberrow r SET state = 'refused', findings = '{{"taken_meanwhile": ""}}'
WHERE {_STANDING} AND r.number BETWEEN %(first)s AND %(last)s AND NOT r.is_done AND EXISTS (
    SELECT FROM members_memberrow o WHERE o.member_id = r.member_id AND o.job_id = r.job_id AND o.number < r.number
      AND o.state IN ('new', 'changed', 'same'))
"""  # noqa: S608 -- our own text
_LEAVE = """
UPDATE members_memberrow r SET findings = r.findings - %(code)s
WHERE r.job_id = %(job)s AND r.findings ? %(code)s AND (r.state = 'refused' OR r.findings ? 'decided') AND NOT r.is_done
"""
_SHARED = f"""
WITH named AS (
    SELECT t.kind, r.id, row_number() OVER (PARTITION BY n.kind, n.value_hash ORDER BY r.number) AS place
    FROM members_import_twice(%(job)s, NULL, true) t JOIN members_rowidentifier n ON n.id = t.id
    JOIN members_memberrow r ON r.number = t.number WHERE {_STANDING}
)
UPDATE members_memberrow r SET findings = r.findings || again.codes
FROM (SELECT id, jsonb_object_agg(kind || '_duplicate', '') AS codes FROM named WHERE place > 1 GROUP BY id) again
WHERE again.id = r.id
"""  # noqa: S608 -- our own text
_ONCE = """
DELETE FROM members_rowidentifier n USING members_rowidentifier o
WHERE n.job_id = %(job)s AND o.job_id = n.job_id AND o.number = n.number AND o.kind = n.kind AND o.value_hash = n.value_hash
  AND o.id < n.id
"""


def mark(job: MemberImport) -> None:
    """Asks about each row whose member an earlier row of the file is already."""
    _run(_MARK, job)


def clear(job: MemberImport) -> None:
    """Asks no more where the earlier rows were refused since."""
    _run(_CLEAR, job)


def join(job: MemberImport) -> list[int]:
    """Adds such rows' points, and what names their member, to the first row of it; the numbers of those rows."""
    with connection.cursor() as cursor:
        cursor.execute(_JOIN, {"job": job.pk})
        return [number for (number,) in cursor]


def leave(job: MemberImport, code: str) -> None:
    """Has rows that are refused stay so, whatever is decided of what else was found in them."""
    _run(_LEAVE, job, code=code)


def ask_of_shared(job: MemberImport) -> None:
    """Asks of each row that has come to share an identifier with an earlier one, since a third went into that. What two rows
    brought to one names its member once."""
    _run(_ONCE, job)
    _run(_SHARED, job)


def refuse(job: MemberImport, first: int, last: int) -> None:
    """Of rows that became one member since the file was checked, since somebody merged two, all but the first are refused."""
    _run(_TAKEN, job, first=first, last=last)


def refuse_gone(job: MemberImport, first: int, last: int) -> None:
    """Refuses the rows of members who went, since the file that had brought them was taken back meanwhile."""
    undone = Q(state=State.UNDOING) | Q(state=State.UNDONE, ended_at__gte=job.created_at)
    if MemberImport.objects.filter(undone).exists():
        rows = job.staged.filter(number__range=(first, last), state__in=("changed", "same"), is_done=False)
        members = Member.objects.select_for_update(no_key=True).filter(pk__in=rows.values("member")).order_by("pk")
        gone = [pk for pk, state in members.values_list("pk", "state") if state == Member.State.REMOVED]
        rows.filter(member__in=gone).update(state="refused", findings={"taken_meanwhile": ""})


def _run(statement: str, job: MemberImport, **more: int | str) -> None:
    with connection.cursor() as cursor:
        # Nothing is known to the planner of rows just copied: left to itself it would hold each against each.
        cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(statement, {"job": job.pk, **more})
        cursor.execute("SET LOCAL enable_nestloop = on")
