"""By which parts of a name a member is found, though the name itself is encrypted.

A name is cut into grams: of a run of Chinese, Japanese or Korean characters each character and each pair of
neighbours; of any other run of letters or digits each pair and each triple. What is kept of a gram is a keyed hash of
four bytes. A text of one such character, or of two neighbouring letters, is found wherever in a name it stands,
however it is written: full width, capitals and accents make no difference.

What that gives away to somebody with the database alone, without the key: how many different grams a name has, and
so about how long it is; that two members share a part of their names, and how many share it. Whoever lines that up
with how common names are among people may guess the parts that many share, a common given name as well as the
surname whose first character is shown anyway. What few share stays hidden; no hash tells its gram.
"""

from collections.abc import Iterator
from itertools import pairwise
from re import compile as pattern
from unicodedata import category, normalize

from apps.members.crypto import gram_hashes

_CJK = (
    "\u1100-\u11ff\u3005-\u3007\u3040-\u30ff\u3100-\u318f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u9fff\uac00-\ud7ff"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
_ACCENTS = pattern("[\u0300-\u036f]")
_BETWEEN = pattern(f"(?<=[{_CJK}]) (?=[{_CJK}])")
_RUNS = pattern(f"[{_CJK}]+|[^{_CJK} ]+")
_IS_CJK = pattern(f"[{_CJK}]")


def folded(text: str) -> str:
    """The spelling in which names are compared: words with a blank between them, but none between two Chinese,
    Japanese or Korean characters.

    >>> folded("王　小明"), folded(" Zoë-Ann  O'LEARY"), folded("阿里·买买提"), folded("ＬＩ 雷")
    ('王小明', 'zoe ann o leary', '阿里买买提', 'li 雷')
    """
    plain = normalize("NFC", _ACCENTS.sub("", normalize("NFKD", normalize("NFKC", text).casefold())))
    if plain.isalnum():
        return plain
    words = "".join(each if each.isalnum() or category(each)[0] == "M" else " " for each in plain).split()
    return _BETWEEN.sub("", " ".join(words))


def grams_of(name: str) -> list[int]:
    """By what a member of this name is found; each once, in an order that says nothing.

    >>> len(grams_of("王小明")), len(grams_of("Ann Lee")), grams_of("")
    (5, 6, [])
    """
    return gram_hashes(gram for run in _RUNS.findall(folded(name)) for gram in _cut(run))


def asked_grams(term: str) -> list[int]:
    """What every member has whose name holds `term`: its longest grams. None where it has no part long enough."""
    return gram_hashes(gram for run in _RUNS.findall(folded(term)) for gram in _longest(run))


def holds(name: str, term: str) -> bool:
    """Whether each word of `term` stands in `name`."""
    text = folded(name)
    return all(word in text for word in folded(term).split())


def _cut(run: str) -> Iterator[str]:
    yield from run if _IS_CJK.match(run) else _triples(run)
    yield from _pairs(run)


def _longest(run: str) -> Iterator[str]:
    if _IS_CJK.match(run):
        return _pairs(run) if len(run) > 1 else iter(run)
    return _triples(run) if len(run) > 2 else _pairs(run)


def _pairs(run: str) -> Iterator[str]:
    return (first + second for first, second in pairwise(run))


def _triples(run: str) -> Iterator[str]:
    return (run[at : at + 3] for at in range(len(run) - 2))
