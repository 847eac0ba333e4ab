"""Reading files that people send: what refuses a whole file, its encoding, its size."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO

from django.utils.translation import gettext as _

from apps.core.errors import LoyaltyError

PIECE = 1 << 20
MOST_COLUMNS = 100
ZIP = b"PK\x03\x04"
NOTE = "#"
"""Columns whose name starts with it are notes for people and are not read: the faults in a file of refused rows."""


class FileRefused(LoyaltyError):
    """A file that cannot be read at all; nothing of it was taken. `reason` is one of the keys below."""

    code = "file_refused"
    field = "file"

    def sentence(self) -> str:
        return {
            "empty": _("The file is empty."),
            "not_csv": _("The file is not a CSV text: line %(line)s cannot be read."),
            "cell": _(
                "A cell that begins above line %(line)s goes on and on: a quotation mark may be missing. Correct it there."
            ),
            "no_rows": _("The file holds no row below the names of its columns."),
            "encoding": _("The file is neither UTF-8 nor GB18030 text."),
            "not_workbook": _("The workbook cannot be read: it is damaged, protected or none."),
            "nul": _("Row %(row)s holds a NUL, which no text does: the export was damaged, or is no text."),
            "bomb": _("The workbook would unpack to more than can be read safely. Save it as CSV UTF-8 and send that."),
            "mixed": _("The file is written in two encodings: line %(line)s is in another than most. Export it again."),
            "no_header": _("No row near the top of the file holds the names of its columns."),
            "columns_missing": _("The file lacks the columns %(columns)s."),
            "columns_twice": _("The columns %(columns)s stand in the header more than once."),
            "too_many_columns": _("The file has more than %(most)s columns."),
            "preset_unknown": _("There is no preset %(preset)s. There are: %(known)s."),
            "missing": _("There is no file %(name)s."),
            "too_large": _("The file is larger than %(most)s MB."),
            "too_many_rows": _("The file has more than %(most)s rows."),
            "workbook": _("This is an Excel workbook. Save it as CSV UTF-8 and send that."),
            "not_allowed": _("Whoever started this import no longer has the right to."),
        }[self.data["reason"]] % self.data


def pieces_of(content: IO[bytes], most_mb: int) -> Iterator[bytes]:
    """A file that was sent, piece by piece. Raises FileRefused where it is empty or turns out larger than `most_mb`."""
    size = 0
    while piece := content.read(PIECE):
        size += len(piece)
        if size > most_mb << 20:
            raise FileRefused(reason="too_large", most=most_mb)
        yield piece
    if not size:
        raise FileRefused(reason="empty")


def refuse_workbook(path: Path) -> None:
    """Raises FileRefused for an Excel workbook."""
    with path.open("rb") as raw:
        if raw.read(len(ZIP)) == ZIP:
            raise FileRefused(reason="workbook")


def encoding_of(path: Path) -> str:
    """UTF-8, with or without a mark, or else GB18030. Reads the file once. Raises FileRefused."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            with path.open(encoding=encoding, newline="") as text:
                while text.read(1 << 20):
                    pass
        except UnicodeDecodeError:
            continue
        return encoding
    raise FileRefused(reason="encoding")


def line_count(path: Path) -> int:
    """How many lines the file has, nearly: for progress and for the number of chunks."""
    with path.open("rb", buffering=0) as raw:
        return sum(block.count(b"\n") for block in iter(lambda: raw.read(1 << 20), b""))
