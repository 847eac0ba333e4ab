"""One spelling for every way of writing an identifier, and masks that never show what lies between."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.members.identifiers import is_kind, is_well_formed, mask, mask_name, normalise, tail_of

SPELLINGS = [
    ("phone", "138 1234 1234", "13812341234"),
    ("phone", "+86 138-1234-1234", "13812341234"),
    ("phone", "008613812341234", "13812341234"),
    ("phone", "8613812341234", "13812341234"),
    ("phone", "(138)1234.1234", "13812341234"),
    ("phone", "１３８１２３４１２３４", "13812341234"),
    ("phone", "＋８６　１３８－１２３４－１２３４", "13812341234"),
    ("phone", "138–1234—1234", "13812341234"),
    ("phone", "\u202d13812341234\u202c", "13812341234"),
    ("phone", "13812341234.0", "13812341234"),
    ("phone", "\t13812341234\n", "13812341234"),
    ("phone", "021-61234567", "02161234567"),
    ("phone", "+862161234567", "+862161234567"),
    ("phone", "00442079460000", "+442079460000"),
    ("email", "  Wang.XiaoMing@Example.COM ", "wang.xiaoming@example.com"),
    ("email", "ｗａｎｇ＠example.com", "wang@example.com"),
    ("card", "c 0001 2345", "C00012345"),
    ("card", "Ｃ０００１", "C0001"),
    ("external", "aB-1", "aB-1"),
    ("erp:north", " 77 ", "77"),
]


@pytest.mark.parametrize(("kind", "written", "spelt"), SPELLINGS)
def test_every_way_of_writing_it_has_one_spelling(kind: str, written: str, spelt: str) -> None:
    assert normalise(kind, written) == spelt


KINDS = st.sampled_from(["phone", "email", "card", "external"])
CHARACTERS = string.ascii_letters + string.digits + " +-().@_·－＋（）０１２３　王小明\u200b\u202d\u00a0"


@given(KINDS, st.text(CHARACTERS, max_size=40))
def test_a_spelling_is_its_own_spelling(kind: str, value: str) -> None:
    assert normalise(kind, normalise(kind, value)) == normalise(kind, value)


@pytest.mark.parametrize(
    ("kind", "value", "is_good"),
    [
        ("phone", "13812341234", True), ("phone", "+44 20 7946 0000", True), ("phone", "123456", False),
        ("phone", "1.3812341234E+10", False), ("phone", "call me", False), ("phone", "1234567890123456", False),
        ("email", "a@b.cn", True), ("email", "a@b", False), ("email", "a b@c.cn", False), ("email", "@b.cn", False),
        ("card", "C1", True), ("card", "", False), ("card", "   ", False), ("card", "9" * 121, False),
        ("external", "a\0b", False), ("external", "a\nb", False),
    ],
)  # fmt: skip
def test_what_cannot_name_a_member_is_told(kind: str, value: str, is_good: bool) -> None:
    assert is_well_formed(kind, value) is is_good


def test_kinds_are_short_and_plain() -> None:
    assert [kind for kind in ("card", "erp:north", "wechat", "", "Phone", "é", "x" * 41) if is_kind(kind)] == [
        "card", "erp:north", "wechat",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("phone", "+86 138 1234 1234", "138****1234"), ("phone", "02161234567", "021****4567"),
        ("phone", "+4915112345678", "+49****5678"), ("phone", "12345678", "****5678"), ("phone", "1234567", "****567"),
        ("email", "wang@example.com", "w***@example.com"), ("email", "w@example.com", "***@example.com"),
        ("card", "C00012345", "****2345"), ("card", "00012", "****12"), ("card", "7", "****"), ("external", "", "****"),
    ],
)  # fmt: skip
def test_a_mask_shows_a_beginning_and_an_end(kind: str, value: str, shown: str) -> None:
    assert mask(kind, value) == shown


@given(st.sampled_from(["phone", "card", "external"]), st.text(string.ascii_uppercase + string.digits, min_size=1))
def test_a_mask_never_shows_the_middle(kind: str, value: str) -> None:
    start, _, end = mask(kind, value).partition("****")
    spelt = normalise(kind, value)
    assert spelt.startswith(start)
    assert spelt.endswith(end)
    assert len(spelt) - len(start) - len(end) >= min(4, (len(spelt) + 1) // 2)
    assert len(mask(kind, value)) <= 80


@given(st.text(string.ascii_lowercase + ".", min_size=1, max_size=64))
def test_the_mask_of_an_address_shows_at_most_its_first_letter(name: str) -> None:
    shown = mask("email", f"{name}@example.com").removesuffix("@example.com")
    assert shown in ("***", f"{name[0]}***")
    assert shown != name


@given(st.text(min_size=1, max_size=120))
def test_the_mask_of_a_name_shows_at_most_its_first_character(name: str) -> None:
    assert mask_name(name) in ("**", f"{name[0]}**")
    assert len(name) > 1 or mask_name(name) == "**"


def test_people_ask_by_the_last_four_characters() -> None:
    assert [tail_of("phone", "138 1234 5678"), tail_of("card", "c 12ab"), tail_of("email", "wang@example.com")] == [
        "5678", "12AB", "WANG",
    ]  # fmt: skip
