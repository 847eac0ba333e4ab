"""What a file of events says, before anything is known of its members."""

from pathlib import Path

from apps.activity.reading import PRESETS, read_rows
from apps.activity.words import FAULTS, fault_sentence
from apps.activity.words import PRESETS as PRESET_WORDS
from apps.core.exports import csv_lines


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "events.csv"
    path.write_bytes(content)
    return path


def test_notes_and_nameless_columns_are_not_read(tmp_path: Path) -> None:
    path = written(tmp_path, b"#line,#reason,event_key,kind,member,occurred_at,\n3,bad,k,check_in,1,2026-03-01,\n")
    assert list(read_rows(path, "")) == [
        (2, {"event_key": "k", "kind": "check_in", "member": "1", "occurred_at": "2026-03-01"})
    ]


def test_what_an_export_quoted_comes_back_as_it_was(tmp_path: Path) -> None:
    values = ["=1+1", "'tis", "'=x", "+8613812345678", "plain", "-5"]
    header = ["event_key", "kind", "member", "occurred_at", "a", "b"]
    path = written(tmp_path, b"".join(csv_lines(header, [values])))
    assert next(read_rows(path, ""))[1] == dict(zip(header, values, strict=True))


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    path = written(tmp_path, b'event_key,kind,member,occurred_at,a\n1,x,y,z,"two\nlines"\n\n2,x,y,z,\n')
    assert [line for line, _ in read_rows(path, "")] == [3, 5]


def test_every_kind_of_file_and_every_code_has_words() -> None:
    assert set(PRESET_WORDS) == set(PRESETS)
    assert "" not in FAULTS
    assert fault_sentence("not_a_date").startswith("This is not a date")
    assert fault_sentence("of another day") == "of another day"
