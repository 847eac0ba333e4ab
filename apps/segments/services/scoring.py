"""RFM: scores of recency, frequency and money for the members of a programme, in one statement for however many.

Of the members at home in the programme's unit who ordered within the window, each is scored 1 to 5 for the day of their
last order, for how many orders they made, and for what they spent net. A score is one more than how many fifths of all
lie below: `1 + floor(5 × members with less ÷ members scored)`. So a fifth gets each score where all differ, and who is
alike gets the same score, unlike `ntile`, which cuts through equals.
"""

import time
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import DatabaseError, connection

from apps.core.clock import local_day
from apps.core.scope import require
from apps.core.transactions import in_transaction
from apps.core.work import unless_promised
from apps.members.privacy.turns import take_part
from apps.orgs.models import Program
from apps.orgs.services.actors import signed
from apps.segments.errors import WindowOutOfRange
from apps.segments.groups import GROUPS, TABLE
from apps.segments.models import KEPT_AT_MOST, RfmScheme, Tag
from apps.segments.services.defining import create_tag
from apps.segments.services.figures import failure_of, is_of_a_day_before, milliseconds, refreshed
from apps.segments.services.holding import at_home
from apps.segments.services.refreshing import refresh_tag

ADD, CHANGE = "segments.add_rfmscheme", "segments.change_rfmscheme"
SHORTEST = 30
PARENT = "rfm"
CELLS = ", ".join(
    f"({recency}, {worth}, '{code}')" for recency, codes in TABLE.items() for worth, code in enumerate(codes, 1)
)
SCORE = f"""WITH done AS (
    SELECT day.member_id, max(day.day) FILTER (WHERE day.purchases > 0) AS last_on, sum(day.purchases) AS orders,
           sum(day.spent - day.refunded) AS spent
    FROM activity_memberday AS day JOIN ({{members}}) AS member ON member.id = day.member_id
    WHERE day.program_id = %s AND day.day > %s AND day.day <= %s
    GROUP BY day.member_id HAVING sum(day.purchases) > 0
), ranked AS (
    SELECT member_id, 1 + 5 * (rank() OVER (ORDER BY last_on) - 1) / count(*) OVER () AS recency,
           1 + 5 * (rank() OVER (ORDER BY orders) - 1) / count(*) OVER () AS frequency,
           1 + 5 * (rank() OVER (ORDER BY spent) - 1) / count(*) OVER () AS money
    FROM done
), scored AS (
    SELECT ranked.member_id, ranked.recency, ranked.frequency, ranked.money, cell.worth, cell.code
    FROM ranked JOIN (VALUES {CELLS}) AS cell (recency, worth, code)
        ON cell.recency = ranked.recency AND cell.worth = (ranked.frequency + ranked.money + 1) / 2
), gone AS (
    DELETE FROM segments_rfmscore AS held
    WHERE held.scheme_id = %s AND NOT EXISTS (SELECT FROM scored WHERE scored.member_id = held.member_id)
), written AS (
    INSERT INTO segments_rfmscore AS held (scheme_id, member_id, recency, frequency, money, worth, "group")
    SELECT %s, member_id, recency, frequency, money, worth, code FROM scored
    ON CONFLICT (scheme_id, member_id) DO UPDATE SET recency = excluded.recency, frequency = excluded.frequency,
        money = excluded.money, worth = excluded.worth, "group" = excluded."group"
    WHERE (held.recency, held.frequency, held.money, held."group")
        IS DISTINCT FROM (excluded.recency, excluded.frequency, excluded.money, excluded."group")
)
SELECT count(*) FROM scored"""  # noqa: S608 -- of our own table


@in_transaction
def set_up(actor: Any, program: Program, *, window_days: int = 365) -> RfmScheme:
    """The programme's members are scored from now on, and hold the tag of their group. Done again, it changes the window.

    Raises WindowOutOfRange, KeyTaken, NotAllowed.
    """
    require(actor, ADD, program.unit.path)
    if not SHORTEST <= window_days <= KEPT_AT_MOST:
        raise WindowOutOfRange()
    scheme = RfmScheme.objects.filter(program=program).first() or RfmScheme(program=program)
    scheme.window_days = window_days
    signed(scheme, actor).save()
    if not Tag.objects.filter(program=program).exclude(rfm_group="").exists():
        _make_tags(actor, program)
    unless_promised("apps.segments.tasks.score_program", program.pk)
    return scheme


def _make_tags(actor: Any, program: Program) -> None:
    above = create_tag(
        actor, program, key=PARENT, kind=Tag.Kind.VALUE, label="RFM groups", label_zh="RFM 分组", is_exclusive=True,
        definition="按最近购买、频次与金额分组 By recency, frequency and money", refresh=Tag.Refresh.BY_HAND,
    )  # fmt: skip
    for number, group in enumerate(GROUPS.values(), 1):
        create_tag(
            actor, program, key=group.key, parent=above, rfm_group=group.code, position=number,
            label=group.words.en, label_zh=group.words.zh, refresh=Tag.Refresh.DAILY,
            definition=f"{group.advice.zh} {group.advice.en}"[:300],
        )  # fmt: skip


def score(program_id: int, when: datetime) -> None:
    """Scores the members anew, and brings the tags of their groups up to date. A failure is kept on the scheme."""
    scheme = RfmScheme.objects.select_related("program__unit").filter(program=program_id).first()
    if scheme is None:
        return
    try:
        _score(scheme, when)
    except DatabaseError as error:
        RfmScheme.objects.filter(pk=scheme.pk).update(last_error=failure_of(error))
        return
    given = Tag.objects.filter(program=program_id).exclude(rfm_group="").order_by("position", "pk").first()
    if given is not None:
        refresh_tag(given.pk, when)


@in_transaction
def _score(scheme: RfmScheme, when: datetime) -> None:
    take_part()
    RfmScheme.objects.select_for_update(no_key=True).get(pk=scheme.pk)
    day = local_day(when, ZoneInfo(scheme.program.time_zone))
    members, given = at_home(scheme.program).order_by().values("id").query.sql_with_params()
    window: list[Any] = [scheme.program_id, day - timedelta(days=scheme.window_days), day]
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(SCORE.format(members=members), [*given, *window, scheme.pk, scheme.pk])
        (size,) = cursor.fetchone()
    RfmScheme.objects.filter(pk=scheme.pk).update(**refreshed(size, milliseconds(started), when))


def programs_due(when: datetime) -> list[int]:
    """The programmes that were not scored since their day began."""
    rows = RfmScheme.objects.select_related("program").order_by("program_id")
    return [row.program_id for row in rows if is_of_a_day_before(row.program, row.refreshed_at, when)]
