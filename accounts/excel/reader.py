"""Reads a sheet in a child process with little memory and little time.

A file from outside can ask for any amount of both, and the parser then ends its whole process. The child gets the
bytes on its standard input and gives rows on its standard output: nothing is written to disk. It imports no Django and
has no environment, so it holds no secret but the file.
"""

from __future__ import annotations

import gc
import marshal
import os
import posixpath
import re
import resource
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, time, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET
from xml.parsers.expat import ExpatError, ParserCreate

MAX_BYTES = 25 * 1024 * 1024
MAX_UNPACKED = 250 * 1024 * 1024
MAX_ENTRIES = 200
#: A part above this size may be this many times bigger unpacked than packed; an export is about 10 times.
MAX_RATIO = 150
SMALL_PART = 1024 * 1024
MAX_ROWS = 200_000
MAX_COLUMNS = 64
MEMORY_BYTES = 1024 * 1024 * 1024
CPU_SECONDS = 30
WALL_SECONDS = 120
LARGE = 4 * 1024 * 1024  #: unpacked; 2,000 rows of an export are a third of it
PIECE = 1024 * 1024
SHEET_NAME = "accounts"
KNOWN_HEADER = "username"
ERROR_CELL = re.compile(rb"""\bt\s*=\s*["']e["']""")
#: What stands in cells with an error: sheet row, column from 0, text.
Errors = dict[int, dict[int, str]]
#: Up to here a float holds each whole number exactly.
EXACT = 10**15


class Refused(Exception):
    """A file that is not read; `args[0]` says why, as one of the codes in `accounts.excel.formats`."""


class Moment(NamedTuple):
    """A cell that the spreadsheet turned into a date or a time."""

    text: str


class ErrorCell(NamedTuple):
    """A cell whose formula gave an error, such as #N/A."""

    text: str

    def __str__(self) -> str:
        return self.text


Value = str | int | float | bool | Moment | ErrorCell


class Sheet(NamedTuple):
    """The first row with content, and the rows below it that are not blank, with their numbers in the sheet."""

    headers: list[Value]
    rows: list[tuple[int, list[Value]]]


@contextmanager
def collector_paused() -> Iterator[None]:
    """For rows by the ten thousand: none is part of a cycle, and looking for some costs a quarter of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@collector_paused()
def read_sheet(data: bytes) -> Sheet:
    """The accounts sheet of an xlsx. Raises Refused."""
    _pass_gate(data)
    command = [sys.executable, "-m", "accounts.excel.reader"]
    root = Path(__file__).resolve().parents[2]
    environment = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    try:
        child = subprocess.run(
            command,
            input=data,
            capture_output=True,
            cwd=root,
            env=environment,
            timeout=WALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Refused("too_big") from error
    if child.returncode != 0 or not child.stdout:
        raise Refused("unreadable")
    answer = marshal.loads(child.stdout)  # noqa: S302 - what the own child wrote
    if "refused" in answer:
        raise Refused(answer["refused"])
    return Sheet(_revived(answer["headers"]), [(number, _revived(cells)) for number, cells in answer["rows"]])


def _revived(cells: list[Any]) -> list[Value]:
    return [_revived_cell(cell) if isinstance(cell, tuple) else cell for cell in cells]


def _revived_cell(cell: tuple[str, str]) -> Value:
    kind, text = cell
    return ErrorCell(text) if kind == "error" else Moment(text)


def _pass_gate(data: bytes) -> list[zipfile.ZipInfo]:
    """Its parts. Raises Refused for what is no xlsx, or says itself that it would unpack to too much."""
    if len(data) > MAX_BYTES:
        raise Refused("too_big")
    try:
        entries = zipfile.ZipFile(BytesIO(data)).infolist()
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError) as error:
        raise Refused("no_xlsx") from error
    if "xl/workbook.xml" not in {entry.filename for entry in entries}:
        raise Refused("no_xlsx")
    if any(entry.flag_bits & 1 for entry in entries):
        raise Refused("locked")
    if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_UNPACKED:
        raise Refused("too_big")
    if any(e.file_size > SMALL_PART and e.file_size > MAX_RATIO * e.compress_size for e in entries):
        raise Refused("too_big")
    return entries


def is_large(data: bytes) -> bool:
    """Whether reading this would take longer than a page may. Raises Refused."""
    if not zipfile.is_zipfile(BytesIO(data)):
        return len(data) > LARGE // 4
    entries = _pass_gate(data)
    return sum(entry.file_size for entry in entries) > LARGE


# From here on: the child


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    gc.disable()
    try:
        answer: dict[str, Any] = _answer(sys.stdin.buffer.read())
    except Refused as refused:
        answer = {"refused": refused.args[0]}
    except MemoryError:
        answer = {"refused": "too_big"}
    sys.stdout.buffer.write(marshal.dumps(answer))


def _answer(data: bytes) -> dict[str, Any]:
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_filelike(BytesIO(data))
        sheet = _chosen(book)
        rows = list(_rows(sheet, sheet_errors(data, sheet.name)))
    except (python_calamine.CalamineError, OSError, ValueError, KeyError, SyntaxError, ExpatError) as error:
        raise Refused("unreadable") from error
    headers = rows[0][1] if rows else []
    return {"headers": headers, "rows": rows[1:]}


def _chosen(book: Any) -> Any:
    """The sheet named accounts, else the first one to be seen that has a username column, else the first."""
    visible = [meta.name for meta in book.sheets_metadata if str(meta.visible).endswith(".Visible")]
    named = [name for name in book.sheet_names if name.strip().casefold() == SHEET_NAME]
    if named:
        return book.get_sheet_by_name(named[0])
    for name in visible:
        sheet = book.get_sheet_by_name(name)
        first = next(iter(_rows(sheet)), (0, []))
        if KNOWN_HEADER in {str(cell).strip().casefold() for cell in first[1]}:
            return sheet
    return book.get_sheet_by_name((visible or book.sheet_names)[0])


def _rows(sheet: Any, errors: Errors | None = None) -> Iterator[tuple[int, list[Any]]]:
    """Row number and cells of each row that is not blank. The parser gives a cell with an error as a blank one."""
    if sheet.end is None:
        return
    if sheet.end[0] - sheet.start[0] >= MAX_ROWS:
        raise Refused("too_many_rows")
    if sheet.end[1] - sheet.start[1] >= MAX_COLUMNS:
        raise Refused("too_many_columns")
    for number, row in enumerate(sheet.to_python(skip_empty_area=True), start=sheet.start[0] + 1):
        cells = [_plain(cell) for cell in row]
        for column, text in (errors or {}).get(number, {}).items():
            cells[column - sheet.start[1]] = ("error", text)
        if any(cell != "" for cell in cells):
            yield number, cells


def _plain(cell: Any) -> Any:
    """The cell as marshal takes it: whole floats as integers, dates and times as a tuple of their text."""
    if isinstance(cell, str):
        return cell if cell.strip() else ""
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() and abs(cell) < EXACT else cell
    return ("moment", str(cell)) if isinstance(cell, date | time | timedelta) else cell


def sheet_errors(data: bytes, sheet_name: str) -> Errors:
    """The cells of the sheet that hold an error. Its XML is parsed only when there seems to be one."""
    with zipfile.ZipFile(BytesIO(data)) as parts:
        part = _part_of(parts, sheet_name)
        before = b""
        for piece in _pieces(parts, part):
            piece = before + piece
            if (b'"e"' in piece or b"'e'" in piece) and ERROR_CELL.search(piece):
                return _ErrorCells(_pieces(parts, part)).found
            before = piece[-100:]
    return {}


def _pieces(parts: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    with parts.open(name) as part:
        while piece := part.read(PIECE):
            yield piece


def _part_of(parts: zipfile.ZipFile, sheet_name: str) -> str:
    """The name of the part that holds a sheet. Raises KeyError."""
    book = ET.fromstring(parts.read("xl/workbook.xml"))  # noqa: S314 - a child with limits, no entities
    links = ET.fromstring(parts.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    sheets = {node.get("name"): node for node in book.iter() if node.tag.endswith("}sheet")}
    link = next((value for name, value in sheets[sheet_name].items() if name.endswith("}id")), "")
    targets = {node.get("Id"): node.get("Target", "") for node in links}
    target = posixpath.normpath(posixpath.join("/xl", targets[link].replace("\\", "/"))).lstrip("/")
    names = {name.replace("\\", "/").lstrip("/").casefold(): name for name in parts.namelist()}
    return names[target.casefold()]


class _ErrorCells:
    """Walks through a sheet's XML and notes the cells of type e. It does little at each of the other cells."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.found: Errors = {}
        self.row = self.column = 0
        self.is_error = False
        self.parser = ParserCreate()
        self.parser.StartElementHandler = self._start
        for piece in pieces:
            self.parser.Parse(piece, False)
        self.parser.Parse(b"", True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name if ":" not in name else name.rpartition(":")[2]
        if tag == "c":
            self.column += 1  # holds where no cell of the row says its place
            self.is_error = attributes.get("t") == "e"
            self.parser.CharacterDataHandler = None
            if self.is_error:
                place = attributes.get("r", "").rstrip("0123456789")
                self.column = _column_number(place) if place else self.column
                self.found.setdefault(self.row, {})[self.column - 1] = ""
        elif tag == "v":
            self.parser.CharacterDataHandler = self._text if self.is_error else None
        elif tag == "row":
            self.row, self.column = int(attributes.get("r", self.row + 1)), 0
            self.parser.CharacterDataHandler = None

    def _text(self, text: str) -> None:
        self.found[self.row][self.column - 1] += text.strip()


def _column_number(letters: str) -> int:
    """A is 1, AA is 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


if __name__ == "__main__":
    main()
