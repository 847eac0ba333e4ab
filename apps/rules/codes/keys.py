"""What codes are made and found with: keys that follow from the installation's own, which is no part of the database."""

import hmac

from apps.members.crypto import derived_key
from apps.rules.codes.spelling import POSSIBLE, code_of

HASH = 16


def secret_of(seed: bytes) -> bytes:
    """What the codes of a batch are made with. The seed alone, which is shown one day, gives none of them away."""
    return derived_key(f"codes of {seed.hex()}")


def numbered_code(seed: bytes, number: int) -> str:
    """The code with that number in the batch of that seed: the same whenever it is made."""
    drawn = int.from_bytes(hmac.digest(secret_of(seed), str(number).encode(), "sha256"))
    return code_of(drawn % POSSIBLE)


def code_hash(code: str) -> bytes:
    """16 bytes by which a code is found, and from which it cannot be read."""
    return hmac.digest(derived_key("codes"), code.encode(), "sha256")[:HASH]
