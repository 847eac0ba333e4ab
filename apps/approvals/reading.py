"""What the inbox lists: four tabs, walked by key, in a constant number of statements however many requests there are.

A person decides under hats: their own, and that of everybody they stand in for. To decide is what one of the hats is
asked now, still holding the role that it was asked as; never what they sent, nor what they have decided on already.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import get_language

from apps.approvals.models import ApprovalRequest, ApprovalTask, Decision, SavedView, Watch
from apps.approvals.showing import EffectRow, effect_rows, titles_of
from apps.orgs.gate import kinds
from apps.orgs.models import OrgUnit, Staff

TABS = ("decide", "mine", "decided", "watching")
ROWS = 50
MOST_COUNTED = 99
SHOWN = (
    "kind", "about", "title", "amount", "state", "sent_at", "due_at", "needed", "asked_on", "round", "unit__name",
    "requester__username", "requester__first_name", "requester__last_name",
)  # fmt: skip
UNSETTLED = (ApprovalRequest.State.OPEN, ApprovalRequest.State.RETURNED)

_HATS = """
SELECT hat.person, hat.kinds, substr(permission.codename, 6), unit.path
FROM (SELECT %(reader)s::bigint AS person, '[]'::jsonb AS kinds
      UNION ALL
      SELECT stands_in.person_id, stands_in.kinds
      FROM approvals_delegation stands_in
      JOIN orgs_staff absent ON absent.id = stands_in.person_id AND absent.is_active
      WHERE stands_in.delegate_id = %(reader)s AND stands_in.starts_at <= %(when)s AND stands_in.ends_at > %(when)s
          AND stands_in.ended_at IS NULL) hat
LEFT JOIN (guardian_userobjectpermission held
    JOIN django_content_type content
        ON content.id = held.content_type_id AND content.app_label = 'orgs' AND content.model = 'orgunit'
    JOIN auth_permission permission ON permission.id = held.permission_id
    JOIN orgs_orgunit unit ON unit.id = held.object_pk::bigint)
    ON held.user_id = hat.person
"""


@dataclass
class Hat:
    """Somebody in whose place the reader decides, themselves included."""

    person: int
    kinds: set[str] = field(default_factory=set)
    """Codes of kinds; empty for all."""
    roles: dict[str, set[str]] = field(default_factory=dict)
    """The paths of the units where they hold each role."""


def hats_of(reader: Staff, when: datetime) -> list[Hat]:
    """The reader's own hat first, then those of whom they stand in for at `when`. One statement."""
    hats = {reader.pk: Hat(reader.pk)}
    with connection.cursor() as cursor:
        cursor.execute(_HATS, {"reader": reader.pk, "when": when})
        rows = cursor.fetchall()
    for person, kinds_of, role, path in rows:
        narrow = set(json.loads(kinds_of))
        hat = hats.get(person)
        if hat is None:
            hat = hats[person] = Hat(person, narrow)
        elif person != reader.pk:
            # Stood in for under two delegations: for what either of them covers.
            hat.kinds = hat.kinds | narrow if hat.kinds and narrow else set()
        if role is not None:
            hat.roles.setdefault(role, set()).add(path)
    return list(hats.values())


@dataclass(frozen=True)
class Narrowed:
    """The filters of a list; what is None or empty narrows nothing."""

    kind: str = ""
    within: str = ""
    """The path of a unit."""
    sent_before: datetime | None = None
    least: int | None = None
    """Of the amount, whatever its sign."""
    due_by: datetime | None = None

    def condition(self, prefix: str = "") -> Q:
        """On requests, or on what leads to them by `prefix`."""
        wanted = Q()
        if self.kind:
            wanted &= Q(**{f"{prefix}kind": self.kind})
        if self.within:
            wanted &= Q(**{f"{prefix}unit__path__startswith": self.within})
        if self.sent_before is not None:
            wanted &= Q(**{f"{prefix}sent_at__lte": self.sent_before})
        if self.least is not None:
            wanted &= Q(**{f"{prefix}amount__gte": self.least}) | Q(**{f"{prefix}amount__lte": -self.least})
        if self.due_by is not None:
            wanted &= Q(**{f"{prefix}due_at__lte": self.due_by, f"{prefix}state": ApprovalRequest.State.OPEN})
        return wanted


@dataclass(frozen=True)
class Row:
    """One line of a list."""

    key: int
    request: ApprovalRequest
    title: str
    kind: str
    """Its label."""
    is_late: bool
    change: EffectRow | None
    """The first thing that it would change, as it was when it was sent."""
    decision: Decision | None = None


@dataclass(frozen=True)
class Page:
    rows: list[Row]
    newer: int | None
    older: int | None


@dataclass(frozen=True)
class Walk:
    """Which part of a list: what lies beyond `key`, older or newer, and one row more."""

    key: int | None = None
    is_back: bool = False
    count: int = ROWS + 1

    def of(self, rows: "QuerySet[Any]", name: str) -> "QuerySet[Any]":
        if self.key is not None:
            rows = rows.filter(**{f"{name}__{'gt' if self.is_back else 'lt'}": self.key})
        return rows.order_by(self.order(name))[: self.count]

    def order(self, name: str) -> str:
        return name if self.is_back else f"-{name}"


def page_of(tab: str, reader: Staff, hats: list[Hat], narrowed: Narrowed, walk: Walk, when: datetime) -> Page:
    """A page of one of `TABS`, newest first: one or two statements, and one for the names in titles."""
    if tab == "decided":
        made = walk.of(Decision.objects.filter(narrowed.condition("request__"), person=reader), "id")
        decisions = list(made.only("request_id", "verdict", "decided_at"))
        requests = _requests(reader, {decision.request_id for decision in decisions})
        found = [(each.pk, requests[each.request_id], each) for each in decisions if each.request_id in requests]
    else:
        requests = _requests(reader, _keys(tab, reader, hats, narrowed, walk))
        ordered = sorted(requests.items(), reverse=not walk.is_back)
        found = [(pk, request, None) for pk, request in ordered]
    return _paged(found, walk, when)


def longest_waiting(reader: Staff, hats: list[Hat], most: int) -> tuple[list[ApprovalRequest], int]:
    """What waits longest for `reader`, the oldest first, and how much waits; that stops at one more than MOST_COUNTED.
    One statement."""
    oldest = Walk(is_back=True, count=MOST_COUNTED + 1)
    requests = sorted(_requests(reader, _keys("decide", reader, hats, Narrowed(), oldest)).items())
    return [request for _, request in requests[:most]], len(requests)


def count_waiting(reader: Staff, hats: list[Hat]) -> int:
    """How much waits for `reader`, up to one more than MOST_COUNTED. One statement, by the index of open tasks."""
    return len(_keys("decide", reader, hats, Narrowed(), Walk(count=MOST_COUNTED + 1)))


def _paged(found: list[tuple[int, ApprovalRequest, Decision | None]], walk: Walk, when: datetime) -> Page:
    size = walk.count - 1
    has_more, found = len(found) > size, found[:size]
    if walk.is_back:
        found.reverse()
    titles = titles_of(request for _, request, _ in found)
    rows = [_row(key, request, titles[request.pk], decision, when) for key, request, decision in found]
    has_newer, has_older = (has_more, True) if walk.is_back else (walk.key is not None, has_more)
    return Page(
        rows, rows[0].key if rows and has_newer else None, rows[-1].key if rows and has_older else None
    )  # fmt: skip


def _row(key: int, request: ApprovalRequest, title: str, decision: Decision | None, when: datetime) -> Row:
    kind = kinds().get(request.kind)
    is_open = request.state == ApprovalRequest.State.OPEN
    changes = [each for each in effect_rows(kind, request.asked_effect) if each.changes] if kind else []
    is_late = is_open and request.due_at is not None and request.due_at <= when
    label = kind.label.in_language(get_language() or "en") if kind is not None else request.kind
    return Row(key, request, title, label, is_late, changes[0] if changes else None, decision)


def _requests(reader: Staff, keys: Any) -> dict[int, ApprovalRequest]:
    rows = ApprovalRequest.objects.visible_to(reader).filter(pk__in=keys).select_related("requester", "unit")
    return {request.pk: request for request in rows.only(*SHOWN)}


def _keys(tab: str, reader: Staff, hats: list[Hat], narrowed: Narrowed, walk: Walk) -> "QuerySet[Any]":
    if tab == "mine":
        sent = ApprovalRequest.objects.filter(narrowed.condition(), requester=reader, steps__gt=0)
        return walk.of(sent, "id").values_list("id", flat=True)
    if tab == "watching":
        watched = Watch.objects.filter(narrowed.condition("request__"), person=reader)
        return walk.of(watched, "request_id").values_list("request_id", flat=True)
    parts = []
    for hat in hats:
        asked = _awaiting(reader, hat).filter(narrowed.condition("request__"))
        parts.append(walk.of(asked.values_list("request_id", flat=True).distinct(), "request_id"))
    return _merged(parts, walk)


def _merged(parts: "list[QuerySet[Any]]", walk: Walk) -> "QuerySet[Any]":
    """The first of all hats together: each hat's are found by the index, however many there are."""
    first, *others = parts
    if not others:
        return first
    merged: QuerySet[Any] = first.union(*others).order_by(walk.order("request_id"))[: walk.count]
    return merged


def _awaiting(reader: Staff, hat: Hat) -> "QuerySet[ApprovalTask]":
    """What `hat` is asked now and may decide; the same that the service will ask."""
    both = {reader.pk, hat.person}
    holds = Q(role="")
    for role, paths in hat.roles.items():
        held = Q()
        for path in paths:
            held |= Q(request__unit__path__startswith=path)
        holds |= Q(role=role) & held
    made = Decision.objects.filter(request=OuterRef("request"), round=OuterRef("request__round"))
    used = made.filter(Q(person__in=both) | Q(hat__in=both))
    tasks = ApprovalTask.objects.filter(holds, ~Exists(used), person=hat.person, is_open=True)
    tasks = tasks.exclude(request__requester__in=both)
    for person in both:
        tasks = tasks.exclude(request__excluded__contains=person)
    return tasks.filter(request__kind__in=hat.kinds) if hat.kinds else tasks


@dataclass(frozen=True)
class Desk:
    """What stands round the list: how many there are under each tab, the person's views, the units to filter by."""

    counts: Mapping[str, str]
    views: list[tuple[int, str, str]]
    """The id, name and query of each."""
    units: list[tuple[str, str, int]]
    """The code, name and depth of each."""


def desk_of(reader: Staff, hats: list[Hat]) -> Desk:
    """One statement; nothing is counted beyond MOST_COUNTED."""
    some = Walk(count=MOST_COUNTED + 1)
    everything = Narrowed()
    counted = {tab: _keys(tab, reader, hats, everything, some) for tab in ("decide", "watching")}
    unsettled = ApprovalRequest.objects.filter(requester=reader, steps__gt=0, state__in=UNSETTLED)
    counted["mine"] = unsettled.order_by().values_list("id")[: some.count]
    counted["decided"] = Decision.objects.filter(person=reader).order_by().values_list("id")[: some.count]
    larger = OrgUnit.objects.visible_to(reader).exclude(kind=OrgUnit.Kind.STORE).order_by("path")
    asked = {tab: ("count(*)", rows) for tab, rows in counted.items()} | {
        "views": (
            "jsonb_agg(r)",
            SavedView.objects.filter(person=reader).order_by("name").values("id", "name", "query"),
        ),
        "units": ("jsonb_agg(r)", larger.values("code", "name", "depth")),
    }
    told = _asked_at_once(asked)
    counts = {tab: f"{MOST_COUNTED}+" if told[tab] > MOST_COUNTED else str(told[tab]) for tab in TABS}
    views, units = (json.loads(told[name] or "[]") for name in ("views", "units"))
    return Desk(
        counts,
        [(each["id"], each["name"], each["query"]) for each in views],
        [(each["code"], each["name"], each["depth"]) for each in units],
    )


def _asked_at_once(asked: "Mapping[str, tuple[str, QuerySet[Any]]]") -> dict[str, Any]:
    """What `count(*)` or the like makes of each queryset, in one statement."""
    parts, values = [], list[Any]()
    for wanted, rows in asked.values():
        try:
            sql, own = rows.query.get_compiler(connection=connection).as_sql()
        except EmptyResultSet:
            sql, own = "SELECT 1 WHERE false", ()
        parts.append(f"(SELECT {wanted} FROM ({sql}) r)")  # noqa: S608 -- made of querysets, values apart
        values += own
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", values)
        return dict(zip(asked, cursor.fetchone(), strict=True))


def unit_called(reader: Staff, code: str) -> OrgUnit | None:
    """The unit of that code, where `reader` sees it."""
    found: OrgUnit | None = OrgUnit.objects.visible_to(reader).filter(code=code).first()
    return found


def kinds_in_words(language: str) -> list[tuple[str, str]]:
    """Each kind of request and its label, for filters."""
    return [(code, kind.label.in_language(language)) for code, kind in kinds().items()]
