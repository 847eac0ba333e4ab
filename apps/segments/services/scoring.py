"""RFM: scores of recency, frequency and money for the members of a programme, in one statement for however many.

Of the members at home in the programme's unit who ordered within the window, each is scored 1 to 5 for the day of their
last order, for how many orders they made, and for what they spent net. A score is one more than how many fifths of all
lie below: `1 + floor(5 × members with less ÷ members scored)`. So a fifth gets each score where all differ, and who is
alike gets the same score, unlike `ntile`, which cuts through equals.
"""

import time
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.db import DatabaseError, connection
from django.db.models import QuerySet

from apps.conditions.words import Words
from apps.core.addresses import address
from apps.core.clock import local_day
from apps.core.scope import require
from apps.core.transactions import in_transaction
from apps.core.work import unless_promised
from apps.members.privacy.turns import take_part
from apps.orgs.gate import Approval, Done, Effect, Line, Subject, SubjectGone, pass_gate, register
from apps.orgs.models import OrgUnit, Program, Staff
from apps.orgs.services.actors import signed
from apps.segments.errors import WindowOutOfRange
from apps.segments.groups import GROUPS, TABLE
from apps.segments.models import KEPT_AT_MOST, RfmScheme, Tag
from apps.segments.services.defining import ASKED, TagChange, create_tag
from apps.segments.services.figures import failure_of, is_of_a_day_before, milliseconds, refreshed
from apps.segments.services.holding import at_home
from apps.segments.services.refreshing import refresh_tag
from apps.segments.touched import live_names

ADD, CHANGE = "segments.add_rfmscheme", "segments.change_rfmscheme"
SHORTEST = 30
PARENT = "rfm"
TITLE = Words("Days that the RFM groups of {program} look at", "{program}的 RFM 分组统计天数")
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


class RfmWindow(Subject):
    """Other days that scores look at, where a published rule asks for a tag that they give, or for one that members get or
    lose with it."""

    code: ClassVar[str] = "segments.rfm"
    label: ClassVar[Words] = Words(
        "Days that RFM groups look at, where rules ask for them", "规则引用的 RFM 分组的统计天数"
    )
    icon: ClassVar[str] = "grid_on"
    permission: ClassVar[str] = ADD
    view: ClassVar[str] = "segments.view_rfmscheme"
    held_as: ClassVar[str] = TagChange.code
    fields: ClassVar = ASKED
    labels: ClassVar[Mapping[str, Words]] = {
        "window_days": Words("Days looked at", "统计天数"),
        "rules": Words("Published rules that this touches", "受影响的已发布规则"),
    }

    program: int
    window_days: int

    def _scheme(self) -> RfmScheme:
        scheme: RfmScheme | None = (
            RfmScheme.objects.select_related("program__unit").filter(program=self.program).first()
        )
        if scheme is None:
            raise SubjectGone()
        return scheme

    def place(self) -> OrgUnit:
        return self._scheme().program.unit

    def about(self) -> str:
        return f"rfm:{self.program}"

    def facts(self, requester: Staff | None, when: datetime) -> dict[str, Any]:
        program = self._scheme().program
        return {"program": program.code, "tag": PARENT, "rules": len(_rules(program))}

    def effect(self, requester: Staff | None, when: datetime) -> Effect:
        scheme = self._scheme()
        rules = ", ".join(_rules(scheme.program))
        days = Line("window_days", scheme.window_days, self.window_days, "number")
        return Effect((days, Line("rules", rules, rules)))

    def require_ready(self, requester: Staff | None, also: Collection[Staff], when: datetime) -> None:
        _check(self.window_days)

    def carry_out(self, approval: Approval, when: datetime) -> Done:
        program = self._scheme().program
        set_up(approval.requester, program, window_days=self.window_days, approval=approval, when=when)
        return Done({"program": program.code})

    def title(self) -> Words:
        return TITLE.format(program=self._scheme().program.name)

    def address(self) -> str:
        return address("segments_rfmscheme_map")

    def form_address(self) -> str:
        return address("segments_tag_ready")


register(RfmWindow)


def window_asked(program: Program, window_days: int) -> RfmWindow | None:
    """What a policy may hold of `set_up` done again: other days, where a published rule asks for what the scores give."""
    others = RfmScheme.objects.filter(program=program).exclude(window_days=window_days)
    return RfmWindow(program=program.pk, window_days=window_days) if others.exists() and _rules(program) else None


@in_transaction
def set_up(
    actor: Any, program: Program, *, window_days: int = 365, when: datetime, approval: Approval | None = None
) -> RfmScheme:
    """The programme's members are scored from now on, and hold the tag of their group. Done again, it changes the window.

    Raises WindowOutOfRange, KeyTaken, AskedAlready, NotAllowed, ApprovalNeeded.
    """
    require(actor, ADD, program.unit.path)
    _check(window_days)
    approved = RfmWindow(program=program.pk, window_days=window_days) if approval else None
    if asked := approved or window_asked(program, window_days):
        pass_gate(asked, actor, approval, when)
    scheme = RfmScheme.objects.filter(program=program).first() or RfmScheme(program=program)
    scheme.window_days = window_days
    signed(scheme, actor).save()
    if not _groups(program).exists():
        _make_tags(actor, program)
    unless_promised("apps.segments.tasks.score_program", program.pk)
    return scheme


def _check(window_days: int) -> None:
    if not SHORTEST <= window_days <= KEPT_AT_MOST:
        raise WindowOutOfRange()


def _groups(program: Program) -> "QuerySet[Tag]":
    """The tags that the scores give."""
    return Tag.objects.filter(program=program).exclude(rfm_group="").order_by("position", "pk")


def _rules(program: Program) -> list[str]:
    """The names of published rules that ask for these tags, or for one that members get or lose with them."""
    return live_names(program, held=_groups(program))


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
    done: set[int] = set()
    for tag in _groups(scheme.program):  # the first brings all along where a member holds one at most
        if tag.pk not in done:
            done |= refresh_tag(tag.pk, when).keys()


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
