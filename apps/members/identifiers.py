"""How identifiers and names are spelt, checked and masked. Pure."""

import re
import unicodedata
from functools import lru_cache

_PHONE_NOISE = re.compile(r"[\s\-‐-―().·]+")
_EXCEL_NUMBER = re.compile(r"\.0$")
_CHINESE_MOBILE = re.compile(r"^(?:\+?86|0086)?(1\d{10})$")
_SHAPES = {
    "phone": re.compile(r"\+?\d{7,15}"),
    "email": re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]+"),
}
_KIND = re.compile(r"[a-z][a-z0-9_:.\-]{0,39}")
LONGEST = 120
LONGEST_SPELT = 1_000
"""Characters of an identifier as somebody writes it; longer texts are not read at all."""
LONGEST_NAME = 120
ASKED_CHARACTERS = 4
"""By so many last characters people ask for an identifier."""


@lru_cache(maxsize=1_024)  # one value is asked about several times, to be checked, hashed and masked
def normalise(kind: str, value: str) -> str:
    """One spelling for every way of writing the same identifier; normalised again it stays the same.

    >>> normalise("phone", "＋86 138-1234-1234"), normalise("email", " Wang@Example.COM"), normalise("card", "c 001")
    ('13812341234', 'wang@example.com', 'C001')
    """
    text = value.strip() if value.isascii() else _plain(value)
    if kind == "phone":
        text = _PHONE_NOISE.sub("", _EXCEL_NUMBER.sub("", text))
        mobile = _CHINESE_MOBILE.match(text)
        if mobile:
            return mobile[1]
        return f"+{text[2:]}" if text.startswith("00") else text
    if kind == "email":
        return text.lower()
    return "".join(text.split()).upper() if kind == "card" else text


def _plain(value: str) -> str:
    """Full width as half width, without the invisible characters that come along when a contact is copied."""
    text = unicodedata.normalize("NFKC", value)
    return "".join(each for each in text if unicodedata.category(each) != "Cf").strip()


def is_kind(kind: str) -> bool:
    """Whether `kind` can be a kind of identifier: `card`, `phone`, `erp:north`."""
    return _KIND.fullmatch(kind) is not None


def is_well_formed(kind: str, value: str) -> bool:
    """Whether `value` can name a member."""
    if len(value) > LONGEST_SPELT:
        return False
    text = normalise(kind, value)
    shape = _SHAPES.get(kind)
    return 0 < len(text) <= LONGEST and text.isprintable() and (shape is None or shape.fullmatch(text) is not None)


def tail_of(kind: str, value: str) -> str:
    """The last characters by which people ask for it."""
    return normalise(kind, value).partition("@")[0][-ASKED_CHARACTERS:].upper()


def mask(kind: str, value: str) -> str:
    """What may be shown: a beginning and an end, never what lies between.

    >>> mask("phone", "13812341234"), mask("email", "wang@example.com"), mask("card", "C0001"), mask("card", "7")
    ('138****1234', 'w***@example.com', '****01', '****')
    """
    text = normalise(kind, value)
    if kind == "email":
        name, _, domain = text.partition("@")
        return f"{name[:1] if len(name) > 2 else ''}***@{domain[-70:]}"
    shown = min(ASKED_CHARACTERS, len(text) // 2)
    start = text[: min(3, len(text) - 8)] if kind == "phone" and len(text) > 8 else ""
    return f"{start}****{text[len(text) - shown :]}"


def mask_name(name: str) -> str:
    """A name as it may be shown: its first character.

    >>> mask_name("王小明"), mask_name("Ann Lee"), mask_name("")
    ('王**', 'A**', '')
    """
    return f"{name[:1] if len(name) > 1 else ''}**" if name else ""
