"""How a code is written: twelve characters that nobody mistakes for each other, the last of which checks the rest. Pure.

The alphabet has 31 characters, a prime, and each place has a weight of its own; the weighted sum is a multiple of 31. So
every single wrong character and every two that changed places are found without asking anybody.
"""

from unicodedata import category, normalize

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
BASE = len(ALPHABET)
LENGTH = 12
POSSIBLE = BASE ** (LENGTH - 1)
"""How many codes there are: guessing one of a million takes some 25,000,000,000 tries."""
_VALUES = {character: value for value, character in enumerate(ALPHABET)}


def code_of(draw: int) -> str:
    """The code for a number of any size.

    >>> code_of(0), code_of(31**11 + 1), shown(code_of(123456789012345))
    ('222222222222', '22222222223Y', '26PS-APMA-S2DF')
    """
    characters = []
    for _ in range(LENGTH - 1):
        draw, value = divmod(draw, BASE)
        characters.append(ALPHABET[value])
    characters.reverse()
    return "".join([*characters, ALPHABET[-_sum(characters) % BASE]])


def read_code(text: str) -> str | None:
    """The code that somebody typed, with whatever spaces, dashes and small letters; None where it cannot be one.

    >>> read_code("26ps apma－s2df"), read_code("26PS-APMA-S2FD"), read_code("26PS")
    ('26PSAPMAS2DF', None, None)
    """
    if len(text) > 4 * LENGTH:
        return None
    plain = [each for each in normalize("NFKC", text).upper() if category(each) not in ("Pd", "Zs", "Cf", "Cc")]
    if len(plain) != LENGTH or any(each not in _VALUES for each in plain):
        return None
    return None if (_sum(plain) + _VALUES[plain[-1]]) % BASE else "".join(plain)


def shown(code: str) -> str:
    """As it is printed, in groups of four."""
    return "-".join(code[start : start + 4] for start in range(0, LENGTH, 4))


def masked(code: str) -> str:
    """As it is kept beside what it was redeemed for: enough to know it again, too little to use it."""
    return f"{code[:4]}-****-****"


def _sum(characters: list[str]) -> int:
    """The weighted sum of all but the last character of a code."""
    return sum(
        weight * _VALUES[each] for weight, each in zip(range(LENGTH, 1, -1), characters[: LENGTH - 1], strict=True)
    )
