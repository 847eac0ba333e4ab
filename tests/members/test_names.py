"""Parts of names: whatever piece of a name somebody types finds it, and the database alone tells no name."""

import base64
from importlib import import_module
from typing import Any
from unicodedata import normalize

import pytest
from django.apps import apps
from django.db import connection
from hypothesis import assume, given
from hypothesis import strategies as st

from apps.members import services
from apps.members.models import Member
from apps.members.names import asked_grams, grams_of, holds
from tests.factories import CoffeeGroup
from tests.members.conftest import NAME, WHEN

LETTERS = "王李小明阿里买提田中さくらカタがパ김민준ー々〇aBcdEéßñłøÅİжйДωςคสิक0123456789 -·'.　ＡｂＣ"
NAMES = st.text(st.sampled_from(LETTERS), max_size=14) | st.text(
    st.characters(exclude_categories=["Cs", "Cc"]), max_size=14
)


@given(NAMES, st.data())
def test_every_part_of_a_name_that_is_long_enough_finds_it(name: str, data: Any) -> None:
    whole = normalize("NFKC", name)
    start = data.draw(st.integers(0, len(whole)))
    part = whole[start : data.draw(st.integers(start, len(whole)))]
    assume(asked_grams(part))
    assert set(asked_grams(part)) <= set(grams_of(name))
    assert holds(name, part)


@pytest.mark.parametrize(
    ("name", "part"),
    [("王小明", "明"), ("王小明", "小明"), ("王小明", "王 小明"), ("王 小明", "王小明"), ("王小明", "王明"), ("ＷＡＮＧ 小明", "an"),
     ("Zoë O'Leary", "zoe"), ("Zoe", "ZOË"), ("Ann Lee", "lee ann"), ("Ann Lee", "nn"), ("阿卜杜拉·买买提", "拉买"),
     ("田中さくら", "さ"), ("김민준", "민준"), ("김민준", normalize("NFD", "민준")), ("José 2", "jos")],
)  # fmt: skip
def test_how_a_name_is_written_makes_no_difference(name: str, part: str) -> None:
    found = set(asked_grams(part)) <= set(grams_of(name)) and holds(name, part)
    assert found is (part != "王明")


@pytest.mark.parametrize("part", ["", " ", "l", "A.", "%", "--", "*"])
def test_one_letter_or_a_sign_asks_for_nobody(part: str) -> None:
    assert asked_grams(part) == []


def test_hashes_of_parts_follow_from_the_key_alone(settings: Any) -> None:
    before = grams_of(NAME)
    assert before == sorted(before) == grams_of(NAME)
    settings.LOOKUP_KEY = base64.urlsafe_b64encode(b"x" * 32).decode()
    assert not set(before) & set(grams_of(NAME))


def test_a_member_is_found_by_the_name_of_the_moment(group: CoffeeGroup, wang: Member) -> None:
    assert wang.name_grams == grams_of(NAME)
    services.change_member(None, wang.pk, name="李雷", when=WHEN)
    assert Member.objects.get().name_grams == grams_of("李雷")
    services.change_member(None, wang.pk, name="", when=WHEN)
    assert Member.objects.get().name_grams is None


def test_a_migration_finds_the_names_that_were_there(wang: Member) -> None:
    Member.objects.update(name_grams=None)
    with connection.schema_editor() as editor:
        import_module("apps.members.migrations.0010_fill_name_grams").fill(apps, editor)
    assert Member.objects.get().name_grams == grams_of(NAME)


@pytest.mark.parametrize("part", ["王", "王小", "王小明", "an", "ann", "anna", "さ", "민", "j an", "12"])
def test_one_character_or_two_letters_are_enough(part: str) -> None:
    assert len(asked_grams(part)) == max(1, len(part.replace("j ", "")) - (1 if part > "\u2e80" else 2))
