"""Searching all members for those who may be one person, in a few statements for however many.

What speaks for it, and how strongly:

- `value`: an identifier of the one is, under another kind, one of the other: 90 of 100;
- `birthday`: both were born on the same day and their names are alike: 40 and half of how alike, from 50 on;
- `ending`: identifiers end in the same four characters and the names are nearly the same: 30 and 40 hundredths, from 80 on.

How alike two names are is |A ∩ B| / |A ∪ B| of the hashes of their parts (`names`). Several reasons leave doubt only where
each of them does. What very many share says nothing and is left out: it would hold everybody against everybody.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from apps.core.errors import NotAllowed
from apps.core.scope import reach_of
from apps.core.transactions import in_transaction
from apps.core.work import unless_promised
from apps.members.crypto import alike_hash
from apps.members.errors import Unreadable
from apps.members.merging.models import DuplicateSearch
from apps.members.models import Identifier
from apps.members.privacy.turns import take_part
from apps.members.services.reading import value_of

SEARCH = "members.add_duplicatesearch"
STEP = "apps.members.tasks.find_duplicates"
READ = 5_000
"""Identifiers read at once."""
LEAST_CHARACTERS = 6
"""Shorter values are the same by chance."""
MOST_SHARING, MOST_BORN, MOST_ALIKE = 20, 2_000, 200
"""Members who share a value, a birthday, or a birthday or ending and a part of the name; with more it is left out."""
MOST_PAIRS = 100_000
Stage = DuplicateSearch.Stage
Tell = Callable[[int, int], None]

_BY_VALUE = """
CREATE TEMP TABLE pairs_found ON COMMIT DROP AS
WITH groups AS (
    SELECT alike_hash FROM members_identifier WHERE alike_hash IS NOT NULL
    GROUP BY 1 HAVING count(DISTINCT member_id) BETWEEN 2 AND %(sharing)s
)
SELECT DISTINCT a.member_id AS first, b.member_id AS second, 'value'::text AS reason, 90 AS strength
FROM groups JOIN members_identifier a USING (alike_hash) JOIN members_identifier b USING (alike_hash)
WHERE a.member_id < b.member_id
"""
# How many hashes two names share is counted by joining on each: only names that share one meet at all.
_BY_BIRTHDAY = """
INSERT INTO pairs_found
WITH days AS (
    SELECT birth_day, birth_year FROM members_member
    WHERE state IN ('active', 'closed') AND birth_day IS NOT NULL AND name_grams IS NOT NULL
    GROUP BY 1, 2 HAVING count(*) BETWEEN 2 AND %(born)s
), parts AS MATERIALIZED (
    SELECT m.id, m.birth_day, m.birth_year, cardinality(m.name_grams) AS size, g AS gram
    FROM members_member m JOIN days USING (birth_day, birth_year), unnest(m.name_grams) AS g
    WHERE m.state IN ('active', 'closed')
), told AS MATERIALIZED (
    SELECT *, count(*) OVER (PARTITION BY birth_day, birth_year, gram) AS sharing FROM parts
)
SELECT a.id, b.id, 'birthday', 40 + 50 * count(*) / (min(a.size) + min(b.size) - count(*))
FROM told a JOIN told b USING (birth_day, birth_year, gram)
WHERE a.id < b.id AND a.sharing BETWEEN 2 AND %(alike)s
GROUP BY a.id, b.id
HAVING 2 * count(*) >= min(a.size) + min(b.size) - count(*)
"""
_BY_ENDING = """
INSERT INTO pairs_found
WITH parts AS MATERIALIZED (
    SELECT DISTINCT m.id, i.tail_hash, cardinality(m.name_grams) AS size, g AS gram
    FROM members_identifier i JOIN members_member m ON m.id = i.member_id, unnest(m.name_grams) AS g
    WHERE m.state IN ('active', 'closed') AND cardinality(m.name_grams) > 2
), told AS MATERIALIZED (
    SELECT *, count(*) OVER (PARTITION BY tail_hash, gram) AS sharing FROM parts
)
SELECT DISTINCT first, second, 'ending', strength FROM (
    SELECT a.id AS first, b.id AS second, 30 + 40 * count(*) / (min(a.size) + min(b.size) - count(*)) AS strength
    FROM told a JOIN told b USING (tail_hash, gram)
    WHERE a.id < b.id AND a.sharing BETWEEN 2 AND %(alike)s
    GROUP BY a.id, b.id, a.tail_hash
    HAVING 5 * count(*) >= 4 * (min(a.size) + min(b.size) - count(*))
) alike
"""
_KEEP = """
WITH scored AS (
    SELECT first, second, (100 - 100 * exp(sum(ln(1 - strength / 100.0))))::smallint AS score,
           jsonb_object_agg(reason, strength) AS reasons
    FROM (SELECT first, second, reason, max(strength) AS strength FROM pairs_found GROUP BY 1, 2, 3) each
    GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT %(most)s
), placed AS (
    SELECT s.*, ua.path AS a, ub.path AS b FROM scored s
    JOIN members_member ma ON ma.id = s.first AND ma.state IN ('active', 'closed')
    JOIN members_member mb ON mb.id = s.second AND mb.state IN ('active', 'closed')
    JOIN orgs_orgunit ua ON ua.id = ma.home_unit_id JOIN orgs_orgunit ub ON ub.id = mb.home_unit_id
), above AS (
    SELECT a, b, (SELECT u.id FROM orgs_orgunit u WHERE starts_with(a, u.path) AND starts_with(b, u.path)
                  ORDER BY u.depth DESC LIMIT 1) AS unit
    FROM (SELECT DISTINCT a, b FROM placed) both_homes
), kept AS (
    INSERT INTO members_duplicatepair AS known (first_id, second_id, unit_id, score, reasons, found_at, seen_at, state, note, why)
    SELECT first, second, unit, score, reasons, %(at)s, %(at)s, 'open', '', '' FROM placed JOIN above USING (a, b)
    ORDER BY first, second
    ON CONFLICT (first_id, second_id) DO UPDATE SET
        score = excluded.score, reasons = excluded.reasons, unit_id = excluded.unit_id, seen_at = excluded.seen_at
        WHERE known.state = 'open'
    RETURNING known.state
), gone AS (
    DELETE FROM members_duplicatepair p WHERE p.state = 'open' AND p.seen_at < %(at)s AND p.proposed_by_id IS NULL
        AND NOT EXISTS (SELECT FROM placed WHERE placed.first = p.first_id AND placed.second = p.second_id)
)
SELECT count(*) FROM kept
"""
_LEFT_OUT = """
SELECT (SELECT count(*) FROM (SELECT FROM members_identifier WHERE alike_hash IS NOT NULL GROUP BY alike_hash
                              HAVING count(DISTINCT member_id) > %(sharing)s) v)
     + (SELECT count(*) FROM (SELECT FROM members_member WHERE birth_day IS NOT NULL AND state IN ('active', 'closed')
                              GROUP BY birth_day, birth_year HAVING count(*) > %(born)s) d)
"""


def search(search_id: int, *, when: datetime) -> DuplicateSearch:
    """Searches all members, and keeps the pairs; run again after it was killed, it goes on."""
    asked = DuplicateSearch.objects.get(pk=search_id)
    if asked.stage == Stage.DONE:
        return asked
    _at(asked, Stage.VALUES, total=Identifier.objects.filter(alike_hash=None).count())
    for number in _read_values():
        _at(asked, Stage.VALUES, done=asked.done + number)
    _at(asked, Stage.PAIRS)
    asked.found, asked.skipped = _compare(when)
    asked.ended_at = when
    _at(asked, Stage.DONE)
    return asked


def _at(asked: DuplicateSearch, stage: str, **more: int) -> None:
    asked.stage = stage
    for name, value in more.items():
        setattr(asked, name, value)
    asked.save()


def _read_values() -> Iterator[int]:
    """Gives each identifier that has none the hash of its value, whatever its kind; how many at a time."""
    after = 0
    while True:
        with transaction.atomic():
            rows = list(Identifier.objects.filter(alike_hash=None, pk__gt=after).order_by("pk")[:READ])
            if not rows:
                return
            hashes = [(row.pk, _alike(row)) for row in rows]
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE members_identifier i SET alike_hash = told.hash FROM unnest(%s::bigint[], %s::bytea[]) AS told(id, hash)"
                    " WHERE i.id = told.id AND told.hash IS NOT NULL",
                    [[pk for pk, _hash in hashes], [hashed for _pk, hashed in hashes]],
                )
        after = rows[-1].pk
        yield len(rows)


def _alike(row: Identifier) -> bytes | None:
    """None for a value that is too short to say anything, or that no key opens."""
    try:
        value = value_of(row)
    except Unreadable:
        return None
    return alike_hash(value) if len(value) >= LEAST_CHARACTERS else None


@in_transaction
def _compare(when: datetime) -> tuple[int, int]:
    """Finds the pairs and keeps them: how many there are, and how many values were left out."""
    limits: dict[str, Any] = {
        "sharing": MOST_SHARING,
        "born": MOST_BORN,
        "alike": MOST_ALIKE,
        "most": MOST_PAIRS,
        "at": when,
    }
    take_part()
    with connection.cursor() as cursor:
        # Whole tables meet: nothing of it is looked up row by row, and groups are held in memory.
        cursor.execute("SET LOCAL work_mem = '256MB'; SET LOCAL enable_nestloop = off")
        cursor.execute("DROP TABLE IF EXISTS pairs_found")
        for statement in (_BY_VALUE, _BY_BIRTHDAY, _BY_ENDING):
            cursor.execute(statement, limits)
        cursor.execute("SET LOCAL enable_nestloop = on")
        cursor.execute("ANALYZE pairs_found")
        cursor.execute(_KEEP, limits)
        found = int(cursor.fetchone()[0])
        cursor.execute(_LEFT_OUT, limits)
        return found, int(cursor.fetchone()[0])


@in_transaction
def ask_search(actor: Any, *, when: datetime) -> DuplicateSearch:
    """Has the members searched; one search at a time, so that whoever asks meanwhile gets that one. Raises NotAllowed."""
    if actor is not None and reach_of(actor, SEARCH).is_empty:
        raise NotAllowed(permission=SEARCH)
    running = DuplicateSearch.objects.exclude(stage=Stage.DONE).order_by("pk").first()
    asked = running or DuplicateSearch.objects.create(asked_by=actor, asked_at=when)
    unless_promised(STEP, asked.pk)
    return asked
