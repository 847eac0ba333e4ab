"""Searching for members: by what names them, by a part of the name, by number.

The box that every page has and the member list both search here, so that they answer alike: hashes are compared, never
texts, and only among the members that the searcher sees. A search leaves its row in the transaction that answers it,
before anything leaves and whether or not anybody still waits for the answer. So each answer has one row, and a reader
cannot have one without the other; what was typed and given up before it was sent left no row and saw nothing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from math import prod
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.fields.array import ArrayContains  # type: ignore[attr-defined]
from django.db import connection
from django.db.models import BooleanField, ExpressionWrapper, F, IntegerField, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Now

from apps.core.scope import STEP, Reach, first_of_units, reach_of
from apps.core.transactions import in_transaction
from apps.members.changes import HIDDEN
from apps.members.crypto import lookup_hash, tail_hash
from apps.members.errors import TooManySearches, Unreadable
from apps.members.identifiers import ASKED_CHARACTERS, is_kind, is_well_formed, mask, tail_of
from apps.members.models import Identifier, Look, Member
from apps.members.names import asked_grams, folded, holds
from apps.members.services.looking import place_of, record_look
from apps.members.services.reading import name_of
from apps.members.services.rows import author_of
from apps.members.words import NAME_SOUGHT

PERMISSION = "members.view_member"
MOST_FOUND = 50
MOST_SEARCHES, WINDOW = 200, timedelta(minutes=10)
"""So many searches of one person; whoever tries all that four digits can be is stopped after two in a hundred."""
LONGEST_TERM = 250
"""Characters; no name and no identifier has as many."""
ENTRIES_PER_ROW = 8
"""So many entries of an index are read in the time of one row of the table."""
NUMBER, NAME = "number", "name"
_PARTS = ArrayField(IntegerField())

_HOW_COMMON = """
SELECT part.gram, part.share, size.reltuples FROM pg_stats stats
JOIN pg_class size ON size.oid = 'members_member'::regclass,
unnest(stats.most_common_elems::text::int[], stats.most_common_elem_freqs) AS part(gram, share)
WHERE stats.schemaname = current_schema AND stats.tablename = 'members_member' AND stats.attname = 'name_grams'
    AND part.gram = ANY (%s)
"""


@dataclass(frozen=True)
class Found:
    """A member, and by what: `number`, `name` or a kind of identifier, of which `masked` shows what may be shown."""

    member: Member
    by: str
    masked: str = ""


Way = Callable[[Any, str, int], Iterable[Found]]


@in_transaction
def search(actor: Any, text: str, limit: int = MOST_FOUND) -> list[Found]:
    """The members that `text` names, `limit` at most, as far as `actor` sees them: those first that a whole
    identifier names, then those of which it is the last four characters, then those whose name holds it; each the
    newest first. `#12` is the member of that number. On record, unless `text` can name nobody.

    Raises TooManySearches.
    """
    term = text.strip()
    ways = _ways(term)
    if not ways:
        return []
    _require_patience(actor)
    found: dict[int, Found] = {}
    for way in ways:
        for each in way(actor, term, limit):
            found.setdefault(each.member.pk, each)
    what = term if _numbered in ways else _shown(term)
    return _on_record(actor, list(found.values())[:limit], NAME_SOUGHT if what == HIDDEN else what)


@in_transaction
def find_by_identifier(actor: Any, kind: str, value: str) -> Member | None:
    """The member that an identifier names, if `actor` may see them. The search is on record, found or not; what is
    no kind of identifier names nobody and is not searched for."""
    if not is_kind(kind):
        return None
    named = _seen(actor, Identifier).filter(kind=kind, value_hash=lookup_hash(kind, value))
    found = [Found(each.member, kind, each.masked) for each in named.select_related("member__home_unit")]
    return next((each.member for each in _on_record(actor, found, f"{kind} {_shown(value)}")), None)


def _ways(term: str) -> list[Way]:
    """How `term` can name a member."""
    if len(term) > LONGEST_TERM:
        return []
    if term.startswith("#"):
        return [_numbered] if term[1:].isdecimal() and len(term) < 20 else []
    ways: list[Way] = [_identified] if len(term) >= ASKED_CHARACTERS else []
    if "@" not in term and any(each.isalpha() for each in term) and asked_grams(term):
        ways.append(_called)
    return ways


def _numbered(actor: Any, term: str, limit: int) -> Iterable[Found]:
    """The member of that number; of one who was merged, the member that answers for it."""
    number = int(term[1:])
    answering = (
        Member.objects.filter(pk=number, merged_into__isnull=False).values_list("merged_into_id", flat=True).first()
    )
    members = _seen(actor, Member).select_related("home_unit")
    return (Found(member, NUMBER, term) for member in members.filter(pk=answering or number))


def _identified(actor: Any, term: str, limit: int) -> Iterable[Found]:
    """Those whom a whole identifier names, or its last four characters: look-ups by hash."""
    hashes = {kind: lookup_hash(kind, term) for kind in Identifier.Kind.values if is_well_formed(kind, term)}
    is_whole = Q(kind__in=hashes, value_hash__in=hashes.values())
    is_tail = Q(tail_hash=tail_hash(tail_of("card", term))) if len(term) == ASKED_CHARACTERS else Q(pk__in=())
    rows = _seen(actor, Identifier).filter(is_whole | is_tail).select_related("member__home_unit")
    rows = rows.only("kind", "masked", "member__masked_name", "member__state", "member__home_unit__name")
    # Two of one member's may end alike.
    for each in rows.order_by(ExpressionWrapper(is_whole, BooleanField()).desc(), "-member_id", "pk")[: 2 * limit]:
        yield Found(each.member, each.kind, each.masked)


def _called(actor: Any, term: str, limit: int) -> Iterable[Found]:
    """Those whose name holds each word of `term`; of what the index offers, each name is held against it."""
    reach = Reach(everything=True) if actor is None else reach_of(actor, PERMISSION)
    for member in _newest(_seen(actor, Member).select_related("home_unit"), reach, term, limit):
        try:
            if holds(name_of(member), term):
                yield Found(member, NAME)
        except Unreadable:
            continue  # whoever opens the member's page is told


def _newest(members: QuerySet, reach: Reach, term: str, limit: int) -> QuerySet:
    """The newest of `members` with the parts of `term`, by the cheaper of two ways. A rare part is gathered from its
    index, and what was gathered is sorted; of a common one so much would be gathered that its newest are sooner met by
    walking down from the newest member of each unit. Where the reach is the group, the planner knows as much."""
    grams = asked_grams(term)
    if reach.units is None or any(len(path) == STEP for path in reach.paths):
        return members.filter(name_grams__contains=grams).order_by("-pk")[:limit]
    share, size = _how_common(term)
    if share and len(reach.units) * limit / share < ENTRIES_PER_ROW * share * size:
        keys = first_of_units(Member, reach.units, _holding(grams), "-pk", limit)
    else:
        # Expressions that no other index serves: the planner would bring in all members of the units, or walk all
        # members of the group down to the oldest.
        holding = Member.objects.filter(name_grams__contains=grams).annotate(unit=F("home_unit") + 0)
        keys = holding.filter(unit__in=sorted(reach.units)).order_by(-F("pk")).values("pk")[:limit]
    return members.filter(pk__in=keys).order_by("-pk")


def _holding(grams: list[int]) -> Q:
    """Not the bare column for several parts of one word: the planner, which takes them for independent, would gather
    unit by unit."""
    if len(grams) == 1:
        return Q(name_grams__contains=grams)
    return Q(ArrayContains(Coalesce("name_grams", Value([], _PARTS)), Value(grams, _PARTS)))


def _how_common(term: str) -> tuple[float, float]:
    """In what share of the members' names `term` is, as far as the database's statistics tell; and of how many
    members. What they do not list is rare."""
    with connection.cursor() as cursor:
        cursor.execute(_HOW_COMMON, [asked_grams(term)])
        rows = cursor.fetchall()
    shares = {gram: share for gram, share, _ in rows}
    words = [grams for word in folded(term).split() if (grams := asked_grams(word))]
    return prod(min(shares.get(gram, 0.0) for gram in grams) for grams in words), rows[0][2] if rows else 0.0


def _seen(actor: Any, model: Any) -> QuerySet:
    """The rows of `model` that belong to members whom `actor` sees; the studio itself sees all."""
    rows: QuerySet = model.objects.all() if actor is None else model.objects.visible_to(actor, PERMISSION)
    return rows


def _require_patience(actor: Any) -> None:
    """Raises TooManySearches. The rows of the searches themselves are counted."""
    if actor is None:
        return
    lately = Look.objects.filter(kind=Look.Kind.SEARCH, at__gt=Now() - WINDOW, **author_of(actor))
    if lately.count() >= MOST_SEARCHES:
        raise TooManySearches()


def _on_record(actor: Any, found: list[Found], what: str) -> list[Found]:
    """`found`, now that the search has its row; the studio itself searches without."""
    if actor is not None:
        only = found[0].member if len(found) == 1 else None
        unit = only.home_unit if only else place_of(actor)
        record_look(actor, Look.Kind.SEARCH, unit, member=only, what=what[:200], found=len(found))
    return found


def _shown(term: str) -> str:
    """What was asked for, as the record may show it; nothing of what might be a name."""
    kind = "email" if "@" in term else "phone" if is_well_formed("phone", term) else "card"
    if not (term.isascii() and term.isprintable() and any(each.isdigit() or each == "@" for each in term)):
        return HIDDEN
    return mask(kind, term) if len(term) > ASKED_CHARACTERS else f"{HIDDEN}{term}"
