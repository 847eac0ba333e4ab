"""How files are written: what is recognised, and what is refused with a sentence before it costs anything."""

import io
import time
import tracemalloc
import zipfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from apps.core.exports import csv_lines
from apps.core.reading import FileRefused
from apps.members.importing import sealed
from apps.members.importing.layout import detect, laid_out, rows_of
from apps.members.importing.samples import shown_cell

HEADER, ROW = "会员卡号,姓名,手机号", "C1,王小明,13812345678"


def file(text: str, encoding: str = "utf-8") -> io.BytesIO:
    return io.BytesIO(text.encode(encoding))


def refusal(content: io.BytesIO) -> dict[str, Any]:
    with pytest.raises(FileRefused) as refused:
        list(rows_of(content, detect(content)))
    assert refused.value.sentence()
    return refused.value.data


@pytest.mark.parametrize(
    ("encoding", "named"), [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("gb18030", "gb18030"), ("gbk", "gb18030"), ("utf-16", "utf-16")]
)  # fmt: skip
@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_encodings_and_delimiters_are_recognised(encoding: str, named: str, delimiter: str) -> None:
    content = file(f"{HEADER}\r\n{ROW}\r\n".replace(",", delimiter), encoding)
    found = detect(content)
    assert (found.encoding, found.delimiter, found.header_row) == (named, delimiter, 1)
    assert found.columns == ("会员卡号", "姓名", "手机号")
    assert list(rows_of(content, found)) == [(2, ["C1", "王小明", "13812345678"])]


def test_the_header_stands_below_titles_and_rows_are_counted_as_a_spreadsheet_does() -> None:
    content = file(f'会员导出,,\n2026-11-30,,\n,,\n{HEADER}\n\nC1,"王\n小明",138\nC2,李,139\n')
    found = detect(content)
    assert found.header_row == 4
    assert list(rows_of(content, found)) == [(6, ["C1", "王\n小明", "138"]), (7, ["C2", "李", "139"])]
    assert list(rows_of(content, found, after=6)) == [(7, ["C2", "李", "139"])]


def test_a_column_that_stands_twice_keeps_both() -> None:
    assert detect(file("card,phone,phone,\n1,2,3,4\n")).columns == ("card", "phone", "phone (2)", "(4)")


def test_a_column_is_called_as_it_was_before_it_left_in_quotation() -> None:
    """The mistake: refused rows that are corrected and sent alone lose the column, since it is called `'@wechat` now."""
    lines = b"".join(csv_lines(["card", "@wechat"], [["C1", "@wang"]]))
    assert detect(io.BytesIO(lines)).columns == ("card", "@wechat")


@pytest.mark.parametrize(
    ("target", "text", "shown"),
    [
        ("", "王小明", "王**"), ("", "12 Nanjing Road", "1* ******* ****"), ("", "138-1234-5678", "1**-****-****"),
        ("", "1990-05-04", "1***-**-**"), ("attribute:note", "138 1234 5678", "****5678"), ("attribute:level", "金卡", "金卡"),
    ],
)  # fmt: skip
def test_a_cell_of_which_nobody_has_said_what_it_is_shows_how_it_is_written_alone(
    target: str, text: str, shown: str
) -> None:
    """The mistake: names and addresses in clear, where a column is called as no suggestion knows it."""
    assert shown_cell(target, text) == shown


def test_a_person_may_choose_another_layout() -> None:
    content = file("a;b\nc;d\n1;2\n")
    assert laid_out(content, "utf-8", ";", 2).columns == ("c", "d")
    assert laid_out(content, "utf-8", ",", 1).columns == ("a;b",)


def test_a_file_in_two_encodings_is_refused_at_its_line() -> None:
    lines = [f"C{n},王小明,138".encode() for n in range(50)]
    lines[30] = "C30,李小红,139".encode("gb18030")
    data = refusal(io.BytesIO(b"\n".join([HEADER.encode(), *lines])))
    assert data == {"reason": "mixed", "line": 32}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"1,2,3\n4,5,6\n", "no_header"),
        (b"a,b\n1,\x00\n", "nul"),
        (b'a,b\n1,"2\n', "not_csv"),
        (b"a,b\n1," + b"x" * (1 << 20) + b"\n", "cell"),
        (",".join(f"c{n}" for n in range(10_000)).encode() + b"\n", "too_many_columns"),
        (b"card,name\n" + bytes([0xFF, 0xFE, 0x80, 0x81]) + b",x\n", "encoding"),
        (b"PK\x03\x04" + b"x" * 100, "not_workbook"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(content: bytes, reason: str) -> None:
    assert refusal(io.BytesIO(content))["reason"] == reason


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_line_that_never_ends_is_refused_before_it_fills_the_memory(encoding: str) -> None:
    """The mistake: half a gigabyte without a line's end is one line, and each worker that looks at it holds it whole."""
    content = io.BytesIO(f"{HEADER}\n{ROW}\n".encode(encoding) + f"{'x' * 99},".encode(encoding)[-200:] * 400_000)
    tracemalloc.start()
    assert refusal(content) == {"reason": "cell", "line": 3}
    assert tracemalloc.get_traced_memory()[1] < 48 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_lines_may_end_as_on_old_computers_and_in_more_than_one_way(encoding: str) -> None:
    content = file(
        f"{HEADER}\rC1,王小明,1\r\nC2,李,2\n" + "".join(f"C{n},李小红,3\r" for n in range(3, 90_000)), encoding
    )
    found = detect(content)
    assert (found.encoding, found.columns) == (encoding, ("会员卡号", "姓名", "手机号"))
    rows = list(rows_of(content, found))
    assert rows[:2] == [(2, ["C1", "王小明", "1"]), (3, ["C2", "李", "2"])]
    assert rows[-1] == (90_000, ["C89999", "李小红", "3"])


def workbook(rows: list[list[Any]]) -> io.BytesIO:
    book, content = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(content)
    content.seek(0)
    return content


def test_a_workbook_is_read_as_its_csv_would_be() -> None:
    from datetime import date, datetime

    content = workbook([
        ["会员卡号", "手机号", "生日", "入会日期", "当前积分"],
        ["C1", 13812345678, date(1990, 6, 13), datetime(2020, 3, 14, 8, 30), 81.0],
        [None, None, None, None, None],
        ["C2", "139 1234 5678", 34230, "2020/3/14 0:00", 1.5],
    ])  # fmt: skip
    found = detect(content)
    assert found.encoding == "xlsx"
    assert list(rows_of(content, found)) == [
        (2, ["C1", "13812345678", "1990-06-13", "2020-03-14 08:30:00", "81"]),
        (4, ["C2", "139 1234 5678", "34230", "2020/3/14 0:00", "1.5"]),
    ]


def test_a_workbook_that_would_unpack_beyond_all_bounds_is_refused_before_it_is() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            for _ in range(300):
                sheet.write(b"<c><v>1</v></c>" * 70_000)
    assert len(content.getvalue()) < 2 << 20
    tracemalloc.start()
    started = time.perf_counter()
    assert refusal(content)["reason"] == "bomb"
    assert time.perf_counter() - started < 2
    assert tracemalloc.get_traced_memory()[1] < 32 << 20
    tracemalloc.stop()


def rewritten(content: io.BytesIO, old: str, new: str) -> io.BytesIO:
    """The workbook with another text in its sheet."""
    other = io.BytesIO()
    with zipfile.ZipFile(content) as archive, zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as changed:
        for entry in archive.infolist():
            data = archive.read(entry)
            if entry.filename == "xl/worksheets/sheet1.xml":
                assert old.encode() in data
                data = data.replace(old.encode(), new.encode(), 1)
            changed.writestr(entry, data)
    return other


def test_rows_that_say_they_stand_far_below_are_not_waited_for() -> None:
    """The mistake: one cell in row 100,000,000,000, and a worker counts empty rows for weeks, a thousand cells wide."""
    content = rewritten(
        workbook([["card", "name"], ["C1", "Wang"], ["C2", "Li"]]), '<row r="3"', '<row r="100000000000"'
    )
    rows = rows_of(content, detect(content))
    assert list(rows) == [(2, ["C1", "Wang"])]


def test_a_workbook_that_declares_entities_is_refused() -> None:
    """The mistake: ninety megabytes of references to a text of a thousand letters, in a file of a few hundred kilobytes."""
    declared = '<!DOCTYPE worksheet [<!ENTITY much "much">]><worksheet'
    assert refusal(rewritten(workbook([["card"], ["C1"]]), "<worksheet", declared))["reason"] == "bomb"
    hidden = f"<!--{'x' * (1 << 17)}-->{declared}"
    assert refusal(rewritten(workbook([["card"], ["C1"]]), "<worksheet", hidden))["reason"] == "not_workbook"


@given(st.binary(min_size=1, max_size=200), st.integers(0, 250), st.integers(0, 250))
def test_a_sealed_file_is_read_from_any_place(content: bytes, place: int, count: int) -> None:
    block = sealed.BLOCK
    try:
        sealed.BLOCK = 16
        path, _digest = sealed.keep(io.BytesIO(content))
        with sealed.opened(path) as kept:
            assert kept.read() == content
            kept.seek(place)
            assert kept.read(count) == content[place : place + count]
            assert kept.seek(0, io.SEEK_END) == len(content)
        assert len(content) < 8 or content not in path.read_bytes()
        path.unlink()
    finally:
        sealed.BLOCK = block


def test_what_waits_on_disk_names_nobody() -> None:
    path, _digest = sealed.keep(file(f"{HEADER}\n{ROW}\n"))
    assert b"138123" not in path.read_bytes()
    path.unlink()
