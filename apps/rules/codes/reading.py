"""What a batch has come to so far, and its odds in words."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _

from apps.core.formats import number
from apps.rules.codes.drawing import NONE, Prizes, chances, faults_of, read_prizes
from apps.rules.codes.keys import code_hash
from apps.rules.codes.models import CodeBatch, CodeUse
from apps.rules.codes.spelling import read_code

OFFERED = 100


@dataclass(frozen=True)
class Share:
    """One prize: how often it is expected among so many draws, and how often it was drawn."""

    prize: str
    odds: str
    expected: str
    drawn: int


@dataclass(frozen=True)
class Standing:
    """What a batch has come to. `seed` is empty until the batch is stopped, for who has it and the file of codes knows
    what each code draws; its fingerprint is there from the first day."""

    redeemed: int
    uses: int
    shares: list[Share]
    fingerprint: str
    seed: str


def standing_of(batch: CodeBatch) -> Standing:
    """One query. Expected are the shares of what was redeemed; of a batch that nobody could use yet, of all uses."""
    drawn = dict(CodeUse.objects.filter(batch=batch).values_list("prize").annotate(number=Count("pk")))
    redeemed, uses = sum(drawn.values()), batch.size * batch.uses
    among = uses if batch.state in (CodeBatch.State.DRAFT, CodeBatch.State.MAKING) else redeemed
    shares = [
        Share(prize_in_words(name), odds_in_words(odds), _about(odds * among), drawn.get(name, 0))
        for name, odds in chances(read_prizes(batch.prizes))
    ]
    seed = bytes(batch.seed)
    return Standing(
        redeemed, uses, shares, hashlib.sha256(seed).hexdigest(), seed.hex() if batch.state == CodeBatch.State.STOPPED else ""
    )  # fmt: skip


def use_of(principal: Any, text: str) -> CodeUse | None:
    """Who redeemed a code that is used up, as far as `principal` sees it: for who is asked why it is refused."""
    code = read_code(text)
    if code is None:
        return None
    uses = CodeUse.objects.visible_to(principal).filter(code__value_hash=code_hash(code), batch__uses=1)
    return uses.select_related("member", "event__program").first()


def redeemed_of(batches: Iterable[CodeBatch]) -> dict[int, int]:
    """How many uses of codes each batch has seen. One query."""
    used = CodeUse.objects.filter(batch__in=[batch.pk for batch in batches])
    return dict(used.values_list("batch").annotate(number=Count("pk")))


def prize_in_words(name: str) -> str:
    return _("no prize (none)") if name == NONE else name


def odds_in_words(odds: Fraction) -> str:
    """`1 in 1,000`, and per cent where that says more.

    >>> odds_in_words(Fraction(1, 1000)), odds_in_words(Fraction(3, 70)), odds_in_words(Fraction(0))
    ('1 in 1,000', '3 in 70', '0 in 1')
    """
    return _("%(wins)s in %(out_of)s") % {"wins": number(odds.numerator), "out_of": number(odds.denominator)}


def forecast(prizes: Prizes, uses: int) -> list[str]:
    """What so many draws would bring, a sentence for each prize."""
    return [
        _("%(prize)s: %(odds)s, about %(times)s of %(all)s")
        % {
            "prize": prize_in_words(name),
            "odds": odds_in_words(odds),
            "times": _about(odds * uses),
            "all": number(uses),
        }
        for name, odds in chances(prizes)
    ]


def prizes_in_words(data: Any) -> str:
    """The odds of a batch in one line, for its history."""
    if faults_of(data):
        return ""
    told = [f"{prize_in_words(name)}: {odds_in_words(odds)}" for name, odds in chances(read_prizes(data))]
    return _("; ").join(told)


def _about(expected: Fraction) -> str:
    """Whole numbers, and below ten one decimal.

    >>> [_about(Fraction(wins, 100)) for wins in (3, 250, 300, 123_456, 0)]
    ['< 0.1', '2.5', '3', '1,235', '0']
    """
    if 0 < expected < Fraction(1, 10):
        return "< 0.1"
    return number(float(expected), 1) if expected < 10 and expected.denominator > 1 else number(round(expected))


def codes_seen(principal: Any) -> dict[str, list[str]]:
    """What conditions may ask of codes, to offer while somebody writes one: the latest batches, and their prizes."""
    batches = CodeBatch.objects.visible_to(principal).order_by("-pk").values_list("code", "prizes")[:OFFERED]
    prizes = {prize["name"]: None for _code, prizes in batches for prize in prizes}
    return {"event.code_batch": [code for code, _prizes in batches], "event.prize": [*prizes, NONE]}
