"""Cipher texts: nobody swaps, bends or moves them unnoticed, and old keys still open what they closed."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.members.crypto import decrypt, encrypt, key_number, lookup_hash, open_sealed, tail_hash
from apps.members.errors import Unreadable

KEY_1 = "1:" + base64.urlsafe_b64encode(b"1" * 32).decode()
KEY_2 = "2:" + base64.urlsafe_b64encode(b"2" * 32).decode()


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_what_was_encrypted_is_read_again(text: str) -> None:
    assert decrypt(encrypt(text, "name"), "name") == text


def test_the_same_text_never_looks_the_same() -> None:
    assert encrypt("13812341234", "identifier:phone") != encrypt("13812341234", "identifier:phone")


def test_every_bent_bit_is_found() -> None:
    cipher = encrypt("13812341234", "identifier:phone")
    for place in range(1, len(cipher)):
        bent = cipher[:place] + bytes([cipher[place] ^ 1]) + cipher[place + 1 :]
        with pytest.raises(Unreadable):
            open_sealed(bent, "identifier:phone")
    for short in range(len(cipher)):
        with pytest.raises(Unreadable):
            open_sealed(cipher[:short], "identifier:phone")


def test_a_value_moved_to_another_column_does_not_open() -> None:
    with pytest.raises(Unreadable):
        open_sealed(encrypt("13812341234", "identifier:phone"), "identifier:card")


def test_the_newest_key_closes_and_every_key_opens(settings: Any) -> None:
    settings.PERSONAL_DATA_KEYS = KEY_1
    old = encrypt("王小明", "name")
    settings.PERSONAL_DATA_KEYS = f"{KEY_2},{KEY_1}"
    new = encrypt("王小明", "name")
    assert (key_number(old), key_number(new)) == (1, 2)
    assert (decrypt(old, "name"), decrypt(new, "name")) == ("王小明", "王小明")
    settings.PERSONAL_DATA_KEYS = KEY_2
    with pytest.raises(Unreadable):
        open_sealed(old, "name")


def test_hashes_find_every_spelling_and_tell_kinds_apart(settings: Any) -> None:
    assert lookup_hash("phone", "+86 138-1234-1234") == lookup_hash("phone", "13812341234")
    assert lookup_hash("phone", "13812341234") != lookup_hash("card", "13812341234")
    before = (lookup_hash("phone", "1"), tail_hash("1234"))
    settings.LOOKUP_KEY = base64.urlsafe_b64encode(b"x" * 32).decode()
    assert not set(before) & {lookup_hash("phone", "1"), tail_hash("1234")}
