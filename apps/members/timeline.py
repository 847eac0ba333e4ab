"""A member's timeline: everything that happened with them, newest first, whichever room knows of it.

A room registers what it knows in a module that its `apps.py` imports in `ready`:

    register(
        Source(
            code="look", label=gettext_lazy("Looks at personal data"), icon="visibility", permission="members.view_look",
            rows=lambda asked: Look.objects.visible_to(asked.person).filter(member=asked.member),
            at="at", facts={"reason": "reason", "who": called("actor")}, tell=tell_looks, order=60,
        )
    )

    def tell_looks(asked: Asked, rows: list[Row]) -> list[Moment]:
        return [Moment(row, _("Personal data shown"), detail=row.facts["reason"]) for row in rows]

`rows` are those of the member that the reader may see, each with its instant (`at`: a field or an expression). `facts` are
read as JSON: instants come as ISO 8601, and amounts of money must be `Cast` to text to stay exact. `code` is letters only: at
one instant moments stand in the order of codes, backwards. Sources of one `group` are one filter.

All sources are asked in one statement, each for no more than a page, from its newest row before the cursor on: give what you
register an index that begins with the member. A source may ask more for the rows of a page, in a constant number of queries.
"""

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import EmptyResultSet
from django.db.models import Case, CharField, Expression, F, Q, QuerySet, Value, When
from django.db.models.functions import Concat, JSONObject, Trim
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from apps.core.clock import local_day, start_of_day
from apps.core.formats import signed
from apps.members.page import Asked
from apps.members.querysets import zone_of
from apps.orgs.querysets import HOME_ZONE

PAGE = 30
FILE_PAGE = 1_000
"""Moments read at a time for a file."""
EARLIEST, LATEST = date(1900, 1, 2), date(2200, 1, 1)
AT, CODE, ID, FACTS = "moment_at", "moment_code", "moment_id", "moment_facts"

Key = tuple[datetime, str, int]


@dataclass(frozen=True)
class Row:
    """A row of a source, as it was read."""

    at: datetime
    code: str
    id: int
    facts: dict[str, Any]

    @property
    def key(self) -> Key:
        return self.at, self.code, self.id


@dataclass(frozen=True)
class Moved:
    """Points that moved; `name` says of which type, where the member has several in that programme."""

    points: int
    name: str = ""


@dataclass(frozen=True)
class Mark:
    """A word in a pill: `tone` is `good`, `warn`, `bad` or empty."""

    text: str
    tone: str = ""


@dataclass
class Moment:
    """One entry of the timeline. `detail` is what more there is to say, `place` where it happened, `who` did it; `address`
    leads to its record. `template`, where given, shows `more` below it, both under the name `moment`."""

    row: Row
    title: str
    detail: str = ""
    place: str = ""
    who: str = ""
    amount: str = ""
    moved: Sequence[Moved] = ()
    mark: Mark | None = None
    notes: Sequence[str] = ()
    reversals: Sequence[tuple[Moved, str]] = ()
    """What of it the reader may reverse, and where."""
    address: str = ""
    template: str = ""
    more: Any = None
    in_file: Sequence[str] = ()
    """What a file says in place of the template."""
    icon: str = ""
    """Its source's, where it has none of its own."""
    source: str = ""
    """What its source is called."""

    @property
    def at(self) -> datetime:
        return self.row.at


@dataclass(frozen=True)
class Source:
    """A kind of moments; see above."""

    code: str
    label: Any
    icon: str
    permission: str
    rows: Callable[[Asked], "QuerySet[Any]"]
    at: str | Expression
    facts: Mapping[str, Any]
    tell: Callable[[Asked, list[Row]], Iterable[Moment]]
    order: int
    """Lower ones stand first among the filters."""
    group: str = ""

    @property
    def filter(self) -> str:
        return self.group or self.code

    def arm(self, asked: Asked, narrowed: "Narrowed", size: int) -> "QuerySet[Any]":
        """Its part of the statement: at most `size` rows, the newest first."""
        rows = self.rows(asked).annotate(
            **{
                AT: F(self.at) if isinstance(self.at, str) else self.at, CODE: Value(self.code), ID: F("pk"),
                FACTS: JSONObject(**self.facts),
            }
        )  # fmt: skip
        rows = rows.filter(narrowed.condition(self.code)).order_by(f"-{AT}", "-pk")
        newest: QuerySet[Any] = rows.values_list(AT, CODE, ID, FACTS)[:size]
        return newest


@dataclass(frozen=True)
class Narrowed:
    """Which moments: of one filter, of days from `since` to `until`, both included, in `zone`; those before `before`."""

    zone: ZoneInfo
    source: str = ""
    since: date | None = None
    until: date | None = None
    before: Key | None = None

    @property
    def is_narrowed(self) -> bool:
        return bool(self.source or self.since or self.until)

    @property
    def query(self) -> dict[str, str]:
        """As an address says it, without the place in it."""
        told = {"source": self.source, "since": self.since, "until": self.until}
        return {name: str(value) for name, value in told.items() if value}

    def condition(self, code: str) -> Q:
        """What holds for rows of the source called `code`."""
        wanted = Q()
        if self.since:
            wanted &= Q(**{f"{AT}__gte": start_of_day(self.since, self.zone)})
        if self.until:
            wanted &= Q(**{f"{AT}__lt": start_of_day(self.until + timedelta(days=1), self.zone)})
        if self.before is None:
            return wanted
        at, other, pk = self.before
        if code > other:
            return wanted & Q(**{f"{AT}__lt": at})
        wanted &= Q(**{f"{AT}__lte": at})
        return wanted if code < other else wanted & (Q(**{f"{AT}__lt": at}) | Q(pk__lt=pk))


@dataclass(frozen=True)
class Day:
    """The moments of one local day that stand on a page."""

    on: date
    moments: list[Moment]


@dataclass
class Page:
    """A page of the timeline. `older` is the cursor of the next one, empty on the last."""

    narrowed: Narrowed
    moments: list[Moment]
    older: str = ""

    @property
    def days(self) -> list[Day]:
        days: list[Day] = []
        for moment in self.moments:
            on = local_day(moment.at, self.narrowed.zone)
            if not days or days[-1].on != on:
                days.append(Day(on, []))
            days[-1].moments.append(moment)
        return days

    @property
    def zone(self) -> str:
        return str(self.narrowed.zone)

    @property
    def is_first(self) -> bool:
        return self.narrowed.before is None

    @property
    def older_query(self) -> str:
        return urlencode({**self.narrowed.query, "before": self.older})

    @property
    def filter_query(self) -> str:
        return urlencode(self.narrowed.query)


@dataclass(frozen=True)
class Filter:
    """A choice of sources, and the address that makes it."""

    code: str
    label: str
    icon: str
    query: str
    is_chosen: bool


_sources: dict[str, Source] = {}


def register(source: Source) -> None:
    """Adds a source; its code is letters only, so that the database orders codes as Python does."""
    if not (source.code.isascii() and source.code.isalpha() and source.code.islower()):
        raise ValueError(source.code)
    _sources[source.code] = source


def sources_for(asked: Asked) -> list[Source]:
    """Those whose moments of the member the reader may see, in the order of filters."""
    seen = (each for each in _sources.values() if asked.person.has_perm(each.permission, asked.member))
    return sorted(seen, key=lambda each: each.order)


def called(person: str) -> Expression:
    """The fact how a staff person is called, to whom the lookup `person` leads; None where there is nobody."""
    name = Trim(Concat(f"{person}__first_name", Value(" "), f"{person}__last_name"))
    return Case(
        When(Q(**{f"{person}__first_name": "", f"{person}__last_name": ""}), then=F(f"{person}__username")),
        When(Q(**{f"{person}__isnull": False}), then=name),
        default=None, output_field=CharField(),
    )  # fmt: skip


# Reading it.


def zone_on(asked: Asked) -> ZoneInfo:
    """By which the member's company tells days; for `asked.once`. One query where `with_zone` was not asked before."""
    known: str | None = asked.member.__dict__.get("zone") or zone_of(asked.member)
    return ZoneInfo(known) if known else HOME_ZONE


def narrowed_of(asked: Asked) -> Narrowed:
    """What the address asks for; of what it says wrongly, nothing."""
    codes = {each.filter for each in _sources.values()}
    source = asked.query.get("source", "")
    return Narrowed(
        asked.once(zone_on), source if source in codes else "",
        _day(asked.query.get("since", "")), _day(asked.query.get("until", "")), _cursor(asked.query.get("before", "")),
    )  # fmt: skip


def page_of(asked: Asked, narrowed: Narrowed, size: int = PAGE) -> Page:
    """The moments asked for, the newest first. One statement, and what its sources ask for their rows."""
    chosen = {each.code: each for each in sources_for(asked) if narrowed.source in ("", each.filter)}
    rows = _rows([each.arm(asked, narrowed, size + 1) for each in chosen.values()], size + 1)
    shown: dict[str, list[Row]] = {}
    for row in rows[:size]:
        shown.setdefault(row.code, []).append(row)
    moments = [
        replace(moment, icon=moment.icon or chosen[code].icon, source=str(chosen[code].label))
        for code, told in shown.items()
        for moment in chosen[code].tell(asked, told)
    ]
    moments.sort(key=lambda moment: moment.row.key, reverse=True)
    return Page(narrowed, moments, cursor_of(rows[size - 1].key) if len(rows) > size else "")


def pages_of(asked: Asked, narrowed: Narrowed) -> Iterator[Moment]:
    """All moments from the newest on, read a thousand at a time."""
    page = page_of(asked, narrowed, FILE_PAGE)
    yield from page.moments
    while page.older:
        page = page_of(asked, replace(narrowed, before=_cursor(page.older)), FILE_PAGE)
        yield from page.moments


def file_header() -> list[str]:
    return [
        _("When"), _("Kind"), _("What"), _("Details"), _("Place"), _("Who"), _("Amount"), _("Points"), _("Further"),
    ]  # fmt: skip


def file_row(moment: Moment, zone: ZoneInfo) -> list[Any]:
    """A moment as a line of a file, at the time that the company's clocks showed."""
    one = moment.moved[0].points if len(moment.moved) == 1 else None
    several = "; ".join(f"{signed(each.points)} {each.name}".strip() for each in moment.moved)
    further = [moment.mark.text] if moment.mark else []
    return [
        moment.at.astimezone(zone).isoformat(" ", "seconds"), moment.source, moment.title, moment.detail, moment.place,
        moment.who, moment.amount, several if one is None else one, "; ".join([*further, *moment.notes, *moment.in_file]),
    ]  # fmt: skip


def filters_of(asked: Asked, narrowed: Narrowed) -> list[Filter]:
    """What the timeline can be narrowed to: everything first."""
    kept = {name: value for name, value in narrowed.query.items() if name != "source"}
    first = {each.filter: each for each in reversed(sources_for(asked))}
    return [
        Filter(code, str(first[code].label), first[code].icon, urlencode({**kept, "source": code}), code == narrowed.source)
        for code in reversed(first)
    ]  # fmt: skip


def _rows(arms: list["QuerySet[Any]"], size: int) -> list[Row]:
    if not arms:
        return []
    joined = arms[0].union(*arms[1:], all=True) if len(arms) > 1 else arms[0]
    if len(arms) > 1:
        joined = joined.order_by(f"-{AT}", f"-{CODE}", f"-{ID}")[:size]
    try:
        return [Row(*each) for each in joined]
    except EmptyResultSet:
        return []


def cursor_of(key: Key) -> str:
    """The place of a row in the timeline, as addresses hold it."""
    at, code, pk = key
    return base64.urlsafe_b64encode(f"{at.isoformat()},{code},{pk}".encode()).decode().rstrip("=")


def _cursor(text: str) -> Key | None:
    """The place that an address names; None for anything else."""
    try:
        at, code, pk = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().split(",")
        when = datetime.fromisoformat(at)
    except (ValueError, binascii.Error):
        return None
    is_place = when.tzinfo is not None and code in _sources and pk.isdecimal() and len(pk) < 19
    return (when, code, int(pk)) if is_place else None


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if EARLIEST <= day <= LATEST else None
