"""Conditions over members: asked as SQL of all at once, they hold for just those for whom they hold in memory."""

import json
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.activity.models import MemberDay
from apps.activity.segments import MEMBER_CATALOGUE, members_in
from apps.conditions.compiling import HOLDS, compile_tree
from apps.conditions.tree import parse
from apps.members.facts import History, MemberFacts
from apps.members.models import Member, MemberTag
from tests.conditions import trees
from tests.factories import CoffeeGroup
from tests.rules.conftest import START

DAYS = [
    date(2023, 2, 24), date(2026, 1, 1), date(2026, 1, 30), date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 22),
    date(2026, 2, 28), date(2026, 3, 1),
]  # fmt: skip
"""Edges of the windows that end on the last two of them or on 2026-02-23."""
facts = st.tuples(st.integers(0, 2), trees.numbers, trees.numbers, st.integers(0, 2))
visits = st.dictionaries(st.sampled_from(DAYS), facts, max_size=5)
texts = st.sampled_from(
    [
        "COFFEE",
        "true",
        "[]",
        "Straße",
        "STRASSE",
        "ΌΣΟΣ",
        "12",
        "-1.50",
        "1e3",
        " 12",
        "１２",
        "2026-02-30",
        "20260301",
        "2026-03-01T08:00",
    ]
)
numbers = st.sampled_from([0, 2, 20, -3, 1.5, 20.0, 1e-05, 123456789.125, 10**14])
attributes = st.dictionaries(
    st.sampled_from(trees.KEYS),
    trees.words | texts | numbers | st.booleans() | st.none() | trees.texts_of_days
    | st.lists(trees.words | numbers, max_size=3) | st.just({"coffee": 1}),
    max_size=4,
)  # fmt: skip
ends = st.none() | st.sampled_from(DAYS)
tags = st.lists(st.tuples(trees.words, st.sampled_from(DAYS), ends), max_size=3).map(
    lambda drawn: [(tag, since, until) for tag, since, until in drawn if until is None or until >= since]
)
people = st.lists(st.tuples(trees.codes, trees.days, attributes, tags, trees.births, visits), min_size=1, max_size=6)


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def window_holds(window: Any, day: date, until: date) -> bool:
    if isinstance(window, int):
        return until - timedelta(days=window) < day <= until
    quarter = (day.month - 1) // 3 == (until.month - 1) // 3
    same_year = day.year == until.year
    return day <= until and {
        "month": same_year and day.month == until.month, "quarter": same_year and quarter, "year": same_year, "ever": True,
    }[window]  # fmt: skip


def history(visited: dict[date, Any], until: date) -> History:
    windows = {
        window: [facts for day, facts in visited.items() if window_holds(window, day, until)]
        for window in trees.WINDOWS
    }
    orders = [day for day, (purchases, *_) in visited.items() if purchases and day <= until]
    return History(
        orders={window: sum(each[0] for each in found) for window, found in windows.items()},
        spent={window: sum((each[1] - each[2] for each in found), Decimal(0)) for window, found in windows.items()},
        visits={window: sum(1 for each in found if each[0] or each[3]) for window, found in windows.items()},
        check_ins={window: sum(each[3] for each in found) for window, found in windows.items()},
        days_since_order=(until - max(orders)).days if orders else None,
    )


def enrolled(group: CoffeeGroup, drawn: list[Any]) -> list[Member]:
    units = {"G": group.root, **group.units}
    members = [
        Member(
            home_unit=units[codes[0]], joined_on=joined, attributes=kept, created_at=START,
            birth_day=trees.birthday(birth, START).month_day, birth_year=trees.birthday(birth, START).year,
        )
        for codes, joined, kept, _tags, birth, _visits in drawn
    ]  # fmt: skip
    Member.objects.bulk_create(members)
    MemberDay.objects.bulk_create(
        MemberDay(
            member=member,
            program=program,
            day=day,
            purchases=purchases,
            spent=spent,
            refunded=refunded,
            check_ins=check_ins,
        )
        for member, (*_, visited) in zip(members, drawn, strict=True)
        for day, (purchases, spent, refunded, check_ins) in visited.items()
        # What was done in another programme tells nothing of this one.
        for program, purchases in ((group.east, purchases), (group.west, purchases + 5))
    )
    MemberTag.objects.bulk_create(
        MemberTag(member=member, tag=tag, from_on=since, until_on=until, rule_id=1, event_id=number)
        for member, (*_, given, _birth, _visits) in zip(members, drawn, strict=True)
        for number, (tag, since, until) in enumerate(given)
    )
    return members


def on(day: date, given: list[Any]) -> tuple[str, ...]:
    return tuple({tag for tag, since, until in given if since <= day and (until is None or until > day)})


def read(member: Member) -> Any:
    """Its attributes as the main road reads them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT attributes::text FROM members_member WHERE id = %s", [member.pk])
        return orjson.loads(cursor.fetchone()[0])


def held(group: CoffeeGroup, tree: Any, units: dict[str, str], until: date) -> list[int]:
    text, parameters = members_in(Member.objects.all(), group.east, parse(tree, MEMBER_CATALOGUE, units), units, until)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT member.id {text} ORDER BY 1", parameters)
        return [pk for (pk,) in cursor.fetchall()]


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(people, st.lists(trees.member_trees, min_size=1, max_size=6), st.sampled_from([*DAYS[-2:], date(2026, 2, 23)]))
def test_a_condition_holds_in_sql_for_just_whom_it_holds_in_memory(
    group: CoffeeGroup, drawn: list[Any], asked: list[Any], until: date
) -> None:
    compare(group, drawn, asked, until)


def compare(group: CoffeeGroup, drawn: list[Any], asked: list[Any], until: date) -> None:
    units = {code: group.units[code].path if code in group.units else group.root.path for code in trees.UNITS}
    with undone():
        members = enrolled(group, drawn)
        brought = {member.pk for member in members[1::2]}
        Member.objects.filter(pk__in=brought).update(brought_by=members[0])
        subjects = [
            MemberFacts(
                member.pk, member.home_unit.path, member.joined_on, read(member), history(visited, until),
                trees.birthday(birth, until), on(until, given), until, member.pk in brought,
            )
            for member, (*_, given, birth, visited) in zip(members, drawn, strict=True)
        ]  # fmt: skip
        for tree in asked:
            test = compile_tree(parse(tree, MEMBER_CATALOGUE, units), MEMBER_CATALOGUE, units).test
            in_memory = [subject.id for subject in subjects if test(subject) == HOLDS]
            assert held(group, tree, units, until) == in_memory, json.dumps(tree)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(trees.births, min_size=1, max_size=8), st.lists(trees.birthday_leaves, min_size=1, max_size=12), trees.any_day
)  # fmt: skip
def test_a_birthday_is_read_alike_in_sql_and_in_memory_on_any_day(
    group: CoffeeGroup, births: list[Any], asked: list[Any], until: date
) -> None:
    drawn = [(["S001"], birth[0] if birth else until, {}, [], birth, {}) for birth in births]
    compare(group, drawn, [*asked, *({"not": leaf} for leaf in asked)], until)


@pytest.mark.django_db
def test_case_is_ignored_alike_for_every_letter_that_python_knows() -> None:
    letters = [
        chr(code) for code in range(1, sys.maxunicode + 1) if unicodedata.category(chr(code)) not in ("Cs", "Cn")
    ]
    with connection.cursor() as cursor:
        cursor.execute("SELECT array_agg(casefold(letter COLLATE pg_unicode_fast) ORDER BY n)"
                       " FROM unnest(%s::text[]) WITH ORDINALITY AS told(letter, n)", [letters])  # fmt: skip
        (folded,) = cursor.fetchone()
    assert [letter for letter, told in zip(letters, folded, strict=True) if letter.casefold() != told] == []
