"""Which prize a use of a code draws: the same for whoever draws again from the seed. Pure, in whole numbers.

Use `k` of code number `n` (single-use codes have `k` = 1) takes the ticket

    HMAC-SHA256(key = the seed's 32 bytes, message = the text "n/k") as one big-endian number, modulo D

where D is the least common multiple of the numbers that the odds are out of. Prizes take their shares of the D tickets in
the order in which they are stated, from 0 up; tickets left over draw nothing. Each use of a code that many may use draws
for itself, so that whoever shares a code shares no luck.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from apps.conditions.words import Words

NONE = "none"
"""What is drawn where no prize is."""
MOST_PRIZES = 20
LARGEST = 1_000_000_000
MOST_TICKETS = 10**12
LONGEST_NAME = 40


class Prize(BaseModel):
    """One prize, drawn by `wins` in `out_of` uses."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
    wins: Annotated[int, Field(ge=1, le=LARGEST)]
    out_of: Annotated[int, Field(ge=1, le=LARGEST)]

    @property
    def odds(self) -> Fraction:
        return Fraction(self.wins, self.out_of)


Prizes = Sequence[Prize]
_READER = TypeAdapter(list[Prize])


@dataclass(frozen=True)
class OddsFault:
    """What is wrong with the odds: in which row, from 0 (None: with all together), in which field, and why."""

    row: int | None
    field: str
    message: Words


def read_prizes(data: Any) -> Prizes:
    """The prizes that JSON says, which has been checked."""
    return _READER.validate_python(data)


def faults_of(data: Any) -> list[OddsFault]:
    """Everything that is wrong with prizes as JSON."""
    try:
        prizes = _READER.validate_python(data)
    except ValidationError as error:
        return [_fault(each) for each in error.errors()]
    faults = []
    seen: dict[str, int] = {}
    for row, prize in enumerate(prizes):
        name = prize.name.strip().casefold()
        if not name or not prize.name.isprintable() or prize.name != prize.name.strip():
            faults.append(OddsFault(row, "name", WORDS["name"]))
        elif name == NONE:
            faults.append(OddsFault(row, "name", WORDS["none"]))
        elif name in seen:
            faults.append(OddsFault(row, "name", WORDS["twice"]))
        seen.setdefault(name, row)
        if prize.odds > 1:
            faults.append(OddsFault(row, "out_of", WORDS["more_than_all"]))
    if len(prizes) > MOST_PRIZES:
        faults.append(OddsFault(None, "", WORDS["too_many"]))
    elif tickets_of(prizes) > MOST_TICKETS:
        faults.append(OddsFault(None, "", WORDS["too_fine"]))
    elif all(prize.odds <= 1 for prize in prizes) and sum(prize.odds for prize in prizes) > 1:
        faults.append(OddsFault(None, "", WORDS["sum"]))
    return faults


WORDS = {
    "name": Words("Give the prize a name of up to 40 characters.", "请填写奖项名称，最多 40 个字符。"),
    "none": Words("“none” is what is drawn where no prize is: call it otherwise.", "“none”表示未中奖，请换一个名称。"),
    "twice": Words("This name stands above already.", "该名称已在上方使用。"),
    "number": Words("A whole number from 1 to 1,000,000,000.", "请填写 1 到 1,000,000,000 之间的整数。"),
    "more_than_all": Words("These odds come to more than 1 in 1.", "该概率超过 1/1。"),
    "too_many": Words("A batch has 20 prizes at most.", "每个批次最多 20 个奖项。"),
    "too_fine": Words(
        "These odds have no common denominator below 1,000,000,000,000: take rounder numbers.",
        "这些概率的公分母超过 1,000,000,000,000，请使用更规整的数字。",
    ),
    "sum": Words(
        "Together the odds come to more than 1: there are not that many draws.", "各奖项概率之和大于 1，无法抽取。"
    ),
    "shape": Words("The prizes did not arrive in one piece. Reload the page.", "奖项数据不完整，请刷新页面。"),
}


def _fault(error: Any) -> OddsFault:
    row, name = (*error["loc"], None, None)[:2]
    if not isinstance(row, int) or name not in ("name", "wins", "out_of"):
        return OddsFault(row if isinstance(row, int) else None, "", WORDS["shape"])
    return OddsFault(row, name, WORDS["name" if name == "name" else "number"])


def tickets_of(prizes: Prizes) -> int:
    """How many tickets there are."""
    return lcm(*(prize.out_of for prize in prizes))


def draw(seed: bytes, prizes: Prizes, number: int, use: int) -> str:
    """The name of the prize that a use of a code draws; `NONE` where it draws nothing.

    >>> draw(bytes(32), [Prize(name="small", wins=1, out_of=2)], 1, 1)
    'small'
    """
    tickets = tickets_of(prizes)
    ticket = int.from_bytes(hmac.digest(seed, f"{number}/{use}".encode(), "sha256")) % tickets
    for prize in prizes:
        ticket -= prize.wins * tickets // prize.out_of
        if ticket < 0:
            return prize.name
    return NONE


def chances(prizes: Prizes) -> list[tuple[str, Fraction]]:
    """Each prize with its odds, and at last nothing."""
    left = 1 - sum((prize.odds for prize in prizes), Fraction(0))
    return [*((prize.name, prize.odds) for prize in prizes), (NONE, left)]
