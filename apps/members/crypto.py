"""Personal data at rest: AES-256-GCM under a ring of keys, and keyed hashes by which a value is found again.

A cipher text is: format (1 byte, 1), key number (2 bytes), nonce (12 bytes), the encrypted text with its tag. Its
purpose, such as `identifier:phone`, is authenticated with it: a value moved to another column does not decrypt.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from os import getpid, urandom

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from apps.members.errors import Unreadable
from apps.members.identifiers import normalise

FORMAT = 1
NONCE = 12
DRAWN = 256
"""Nonces that are drawn at once where many are used."""


@lru_cache(maxsize=4)
def key_ring(written: str) -> dict[int, AESGCM]:
    """`1:base64,2:base64` as ciphers by number. The highest number encrypts, all decrypt."""
    ring = {}
    for part in written.split(","):
        number, _, key = part.strip().partition(":")
        ring[int(number)] = AESGCM(urlsafe_b64decode(key))
    return ring


@lru_cache(maxsize=4)
def _lookup_key(written: str) -> bytes:
    return urlsafe_b64decode(written)


def newest_key() -> int:
    """The number of the key that encrypts."""
    return max(key_ring(settings.PERSONAL_DATA_KEYS))


def encrypt(text: str, purpose: str) -> bytes:
    return seal_bytes(text.encode(), purpose)


def seal_bytes(content: bytes, purpose: str) -> bytes:
    """`encrypt` of what is no text: a block of a file."""
    start, cipher = _sealing(settings.PERSONAL_DATA_KEYS)
    nonce = secrets.token_bytes(NONCE)
    return start + nonce + cipher.encrypt(nonce, content, purpose.encode())


def sealer(purpose: str) -> Callable[[str], bytes]:
    """`encrypt` under one purpose, for many texts; it goes on with the key that is the newest now."""
    start, cipher = _sealing(settings.PERSONAL_DATA_KEYS)
    authenticated, seal, nonces = purpose.encode(), cipher.encrypt, _nonces()

    def sealed(text: str) -> bytes:
        nonce = next(nonces)
        return start + nonce + seal(nonce, text.encode(), authenticated)

    return sealed


def _nonces() -> Iterator[bytes]:
    """Random ones, each given once: drawn many at a time, and anew in a process that was forked meanwhile."""
    while True:
        owner, drawn = getpid(), urandom(NONCE * DRAWN)
        for at in range(0, len(drawn), NONCE):
            if getpid() != owner:
                break
            yield drawn[at : at + NONCE]


@lru_cache(maxsize=4)
def _sealing(written: str) -> tuple[bytes, AESGCM]:
    """What a cipher text begins with, and what encrypts it."""
    ring = key_ring(written)
    number = max(ring)
    return bytes([FORMAT]) + number.to_bytes(2, "big"), ring[number]


def decrypt(cipher: bytes, purpose: str) -> str:
    """Raises cryptography's InvalidTag when the text, its purpose or the key is another."""
    return open_sealed_bytes(cipher, purpose).decode()


def open_sealed_bytes(cipher: bytes, purpose: str) -> bytes:
    """What `seal_bytes` was given. Raises as `decrypt`."""
    nonce, sealed = cipher[3 : 3 + NONCE], cipher[3 + NONCE :]
    return key_ring(settings.PERSONAL_DATA_KEYS)[key_number(cipher)].decrypt(nonce, sealed, purpose.encode())


def open_sealed(cipher: bytes | memoryview, purpose: str) -> str:
    """The text of a column's cipher. Raises Unreadable."""
    try:
        return decrypt(bytes(cipher), purpose)
    except (InvalidTag, KeyError, ValueError):
        raise Unreadable() from None


def purpose_of(kind: str) -> str:
    """The purpose under which identifiers of a kind are encrypted."""
    return f"identifier:{kind}"


def key_number(cipher: bytes) -> int:
    """Which key a cipher text needs."""
    return int.from_bytes(cipher[1:3], "big")


def lookup_hash(kind: str, value: str) -> bytes:
    """16 bytes by which an identifier is found; the same for every spelling that means the same."""
    return _hash(f"{kind}:{normalise(kind, value)}")[:16]


def tail_hash(tail: str) -> bytes:
    """8 bytes by which identifiers with these last characters are found; see `identifiers.tail_of`."""
    return _hash(f"tail:{tail}")[:8]


def alike_hash(value: str) -> bytes:
    """16 bytes by which the same value is found whatever kind of identifier it is: no kind has a space in it."""
    return _hash(f"any kind:{value.casefold()}")[:16]


def gram_hashes(grams: Iterable[str]) -> list[int]:
    """4 bytes of each, as signed numbers, by which names with these parts are found; see `names`."""
    key = derived_key("parts of names")
    return sorted({_gram_hash(key, gram) for gram in grams})


@lru_cache(maxsize=1 << 16)
def _gram_hash(key: bytes, gram: str) -> int:
    hashed = hashlib.blake2s(gram.encode(), digest_size=4, key=key).digest()
    return int.from_bytes(hashed, "big", signed=True)


def derived_key(purpose: str) -> bytes:
    """32 bytes that follow from the installation's key for lookups: what is made with them can be made again, and by
    nobody who has the database alone. No kind of identifier has a space in it, so no hash of one is the same."""
    return _derived(settings.LOOKUP_KEY, purpose)


@lru_cache(maxsize=256)
def _derived(written: str, purpose: str) -> bytes:
    return hmac.digest(_lookup_key(written), f"key for {purpose}".encode(), hashlib.sha256)


def _hash(text: str) -> bytes:
    return hmac.digest(_lookup_key(settings.LOOKUP_KEY), text.encode(), hashlib.sha256)
