"""How identifiers are spelt, shown and shortened. Pure."""

import re
import unicodedata

_PHONE_NOISE = re.compile(r"[\s\-().·]+")


def normalise(kind: str, value: str) -> str:
    """One spelling for every way of writing the same identifier."""
    text = unicodedata.normalize("NFKC", value).strip()
    if kind == "phone":
        text = _PHONE_NOISE.sub("", text)
        for prefix in ("+86", "0086"):
            text = text.removeprefix(prefix)
        return text
    if kind == "email":
        return text.lower()
    return text.casefold() if kind == "card" else text


def tail_of(kind: str, value: str) -> str:
    """The last four characters by which people ask for it."""
    return normalise(kind, value).partition("@")[0][-4:]


def mask(kind: str, value: str) -> str:
    """What may be shown: `138****1234`, `w***@example.com`, `****7890`."""
    text = normalise(kind, value)
    if kind == "email":
        name, _, domain = text.partition("@")
        return f"{name[:1]}***@{domain}"
    if kind == "phone" and len(text) >= 8:
        return f"{text[:-8]}****{text[-4:]}"
    return f"****{text[-4:]}" if len(text) > 4 else "****"
