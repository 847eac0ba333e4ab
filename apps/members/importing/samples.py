"""What stands in the first rows of a file, so that a person can say what its columns mean. Nothing of it leaves in clear
but what repeats, and that only where it does not look like somebody's number or address."""

import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from apps.members.changes import HIDDEN
from apps.members.identifiers import mask, mask_name
from apps.members.importing import sealed
from apps.members.importing.cleaning import is_total
from apps.members.importing.layout import rows_of
from apps.members.importing.models import MemberImport
from apps.members.importing.rows import layout_of
from apps.members.importing.workbook import XLSX

SEEN, SHOWN, OFFERED = 2_000, 5, 30
REPEATS = 3
"""So often a text must stand there to be offered where nobody has said yet what its column means."""
_PERSONAL = re.compile(r"(?:\d\D{0,2}){7,}|@")
"""Seven figures, whatever stands between them: of a phone number, or a day."""
_INNER = re.compile(r"(?<=.)\w", re.DOTALL)
MEASURED = 1 << 20


@dataclass(frozen=True, slots=True)
class Sample:
    """The first rows, and by column the texts that stand there most often, with how often."""

    rows: list[list[str]]
    values: dict[str, list[tuple[str, int]]]


def sample_of(job: MemberImport) -> Sample:
    """Raises FileRefused where the file cannot be read."""
    layout = layout_of(job)
    with sealed.opened(Path(job.path)) as content:
        rows = [cells for _number, cells in islice(rows_of(content, layout), SEEN)]
    counts: dict[str, Counter[str]] = {name: Counter() for name in layout.columns}
    for cells in rows:
        if not is_total(cells):
            for name, text in zip(layout.columns, cells, strict=False):
                counts[name][" ".join(text.split())[:200]] += 1
    values = {
        name: [(text, times) for text, times in found.most_common(OFFERED) if text and not _PERSONAL.search(text)]
        for name, found in counts.items()
    }
    return Sample(rows[:SHOWN], values)


def offered(sample: Sample, column: str, target: str) -> list[tuple[str, int]]:
    """The texts of a column to which a person may give a meaning."""
    if target == "store" or target.startswith("attribute:"):
        return sample.values.get(column, [])
    if target:
        return []
    return [(text, times) for text, times in sample.values.get(column, []) if times >= REPEATS]


def shown_cell(target: str, text: str) -> str:
    """A cell as it may be shown to whoever maps the columns."""
    head, _colon, kind = target.partition(":")
    if not text:
        return ""
    if head == "identifier":
        return mask(kind, text)
    if head == "name":
        return mask_name(text)
    if head == "birth_on":
        return HIDDEN
    if not head:
        # Nobody has said what it is: how it is written tells that, what stands there may be a name or an address.
        return _INNER.sub("*", text[:80])
    return mask("external", text) if _PERSONAL.search(text) and head == "attribute" else text[:80]


def rows_expected(job: MemberImport) -> int:
    """How many rows the file has, about; 0 where that is not known before it is read."""
    path = Path(job.path)
    if job.layout.get("encoding") == XLSX or not path.is_file():
        return 0
    with sealed.opened(path) as content:
        start = content.read(MEASURED)
    return start.count(b"\n") * max(path.stat().st_size, 1) // max(len(start), 1)
