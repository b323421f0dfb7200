"""Files that would hurt: each ends as one clear refusal, soon, and in a process of its own."""

from __future__ import annotations

import marshal
import subprocess
import sys
import time
import zipfile
from io import BytesIO

import pytest
import xlsxwriter

from accounts.excel import reader
from accounts.excel.formats import AccountsXLSX, FileRefused
from accounts.excel.reader import Refused, read_sheet
from tests.accounts.excel.sheets import make_xlsx, table

SHEET = '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'


def with_sheet(xml: str) -> bytes:
    """A workbook whose sheet is this XML."""
    good, out = zipfile.ZipFile(BytesIO(table("username", ["ann"]))), BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bad:
        for name in good.namelist():
            bad.writestr(name, xml if name.endswith("sheet1.xml") else good.read(name))
    return out.getvalue()


FAR_CELL = with_sheet(
    SHEET + '<row r="1"><c r="A1" t="inlineStr"><is><t>username</t></is></c></row>'
    '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData></worksheet>'
)
BOMB = with_sheet(SHEET + " " * (reader.MAX_UNPACKED + 1) + "</sheetData></worksheet>")
LONG_STRING = with_sheet(
    SHEET
    + f'<row r="1"><c r="A1" t="inlineStr"><is><t>{"x" * 200_000_000}</t></is></c></row></sheetData></worksheet>'
)
MANY_ROWS = with_sheet(
    SHEET
    + "".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c></row>' for n in range(1, 400_000))
    + "</sheetData></worksheet>"
)


def with_parts(**parts: bytes) -> bytes:
    """A good workbook with more in it; two underscores stand for a slash, one for a point."""
    out = BytesIO(table("username", ["ann"]))
    with zipfile.ZipFile(out, "a") as book:
        for name, data in parts.items():
            book.writestr(name.replace("__", "/").replace("_", "."), data)
    return out.getvalue()


def merged_header() -> bytes:
    out = BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("accounts")
        sheet.merge_range(0, 0, 0, 1, "username")
        sheet.write_row(1, 0, ["ann", "left out"])
    return out.getvalue()


ENTITIES = with_sheet(
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    + SHEET.partition("?>")[2]
    + '<row r="1"><c r="A1" t="inlineStr"><is><t>&f;</t></is></c></row></sheetData></worksheet>'
)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (FAR_CELL, ("too_many_rows", "unreadable", "too_big")),
        (BOMB, ("too_big",)),
        (LONG_STRING, ("too_big",)),
        (MANY_ROWS, ("too_many_rows", "too_big")),
        (table("username", ["ann"])[:-200], ("no_xlsx",)),
        (table("username", ["ann"])[:500], ("no_xlsx",)),
        (with_parts(**{f"x{n}_bin": b"" for n in range(reader.MAX_ENTRIES)}), ("too_big",)),
        (make_xlsx(["username"] + ["x"] * 70), ("too_many_columns",)),
        (with_sheet("<not xml"), ("unreadable",)),
        (b"x" * (reader.MAX_BYTES + 1), ("too_big",)),
        (b"PK\x03\x04 torn", ("no_xlsx",)),
    ],
)
def test_a_file_that_would_hurt_is_refused_soon(data, code):
    begun = time.process_time()  # of this process alone, however busy the machine is
    with pytest.raises(Refused) as refused:
        read_sheet(data)
    assert refused.value.args[0] in code
    assert time.process_time() - begun < 5
    with pytest.raises(FileRefused):
        AccountsXLSX().create_dataset(data)


def test_a_part_that_unpacks_to_far_more_than_it_is_packed_to_is_refused(monkeypatch):
    monkeypatch.setattr(reader.subprocess, "run", lambda *_a, **_k: pytest.fail("it reached the child"))
    sheet = with_sheet(SHEET + " " * 5_000_000 + "</sheetData></worksheet>")
    with pytest.raises(Refused, match="too_big"):
        read_sheet(sheet)


def test_macros_and_other_parts_are_left_alone():
    sheet = read_sheet(with_parts(xl__vbaProject_bin=b"Sub Auto_Open()", xl__media__a_png=b"x"))
    assert [row for _number, row in sheet.rows] == [["ann"]]


def test_a_merged_header_names_its_first_column():
    sheet = read_sheet(merged_header())
    assert (sheet.headers, sheet.rows[0][1]) == (["username", ""], ["ann", "left out"])


def test_an_export_is_far_from_the_limit_of_packing():
    """A list in which every row is alike packs best."""
    rows = [["username", *["same"] * 17] for _n in range(20_000)]
    assert len(read_sheet(make_xlsx([f"c{n}" for n in range(18)], *rows)).rows) == 20_000


def test_an_external_entity_is_not_read():
    with pytest.raises(Refused, match="unreadable"):
        read_sheet(ENTITIES)


def test_the_child_has_no_environment_and_leaves_no_file(monkeypatch, tmp_path):
    monkeypatch.setenv("SECRET_KEY", "not for the child")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    seen = {}
    real = reader.subprocess.run

    def spy(*args, **kwargs):
        seen.update(kwargs)
        return real(*args, **kwargs)

    monkeypatch.setattr(reader.subprocess, "run", spy)
    read_sheet(table("username", ["ann"]))
    assert "SECRET_KEY" not in seen["env"]
    assert not list(tmp_path.iterdir())


def test_a_child_that_dies_is_a_refusal(monkeypatch):
    monkeypatch.setattr(reader.sys, "executable", "/bin/false")
    with pytest.raises(Refused, match="unreadable"):
        read_sheet(table("username", ["ann"]))


def test_the_child_has_little_memory_and_little_time():
    program = (
        "import resource; from accounts.excel import reader;"
        "names = ['RLIMIT_AS', 'RLIMIT_CPU', 'RLIMIT_CORE'];"
        "reader._answer = lambda _data: [resource.getrlimit(getattr(resource, name))[0] for name in names];"
        "reader.main()"
    )
    child = subprocess.run([sys.executable, "-c", program], input=b"", capture_output=True, check=True)
    assert marshal.loads(child.stdout) == [reader.MEMORY_BYTES, reader.CPU_SECONDS, 0]
