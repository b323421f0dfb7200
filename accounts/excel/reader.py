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
from itertools import chain
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
#: What an xlsx with a password, and an older format of Excel, begins with; and what only the first holds.
COMPOUND_FILE = bytes.fromhex("d0cf11e0a1b11ae1")
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
#: Signs of cells that the parser gives otherwise than they are: an error, a date as text, a formula, a merge.
ODD_SIGNS = [
    re.compile(sign) for sign in (rb"""t\s*=\s*["'][de]["']""", rb"<f[\s/>]", rb":f[\s/>]", rb"mergeCell\s")
]
#: A shared text by a number that is none: the parser takes the first one.
NO_NUMBER = re.compile(rb"""t=["']s["'][^>]*>\s*<(?:\w+:)?v[^>]*>\s*[^\s<\d]""")
#: A comment or a CDATA section within a value: the parser drops a part of it.
CUT = re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>[^<]*<[!?]")
OWN_FORMATS = 164  #: from here on a workbook says itself what they are; one that it does not is as General
#: Number formats, by their number and by their code, in which a whole number is shown as its digits.
PLAIN_FORMATS = {0, 1, 49}
PLAIN_CODES = {"general", "@", "0"}
#: What the parser does not tell: sheet row, column from 0, kind and text as `_revived_cell` takes them.
Odd = dict[int, dict[int, tuple[str, str]]]
NO_RESULT, SHAPED, MERGED = ("no_result", ""), ("shaped", ""), ("merged", "")
MAX_MERGED = 1_000_000
#: With more styles than these that show a number otherwise, looking for their cells takes as long as parsing.
FEW_STYLES = 50
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


class Doubt(NamedTuple):
    """A cell that may not hold what it shows; `why` is one of the codes in `accounts.excel.cells`."""

    why: str
    text: str

    def __str__(self) -> str:
        return self.text


Value = str | int | float | bool | Moment | ErrorCell | Doubt


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
    if kind == "error":
        return ErrorCell(text)
    return Moment(text) if kind == "moment" else Doubt(kind, text)


def _pass_gate(data: bytes) -> list[zipfile.ZipInfo]:
    """Its parts. Raises Refused for what is no xlsx, or says itself that it would unpack to too much."""
    if len(data) > MAX_BYTES:
        raise Refused("too_big")
    entries = _entries(data)
    if any(entry.flag_bits & 1 for entry in entries):
        raise Refused("locked")
    if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_UNPACKED:
        raise Refused("too_big")
    if any(e.file_size > SMALL_PART and e.file_size > MAX_RATIO * e.compress_size for e in entries):
        raise Refused("too_big")
    return entries


def _entries(data: bytes) -> list[zipfile.ZipInfo]:
    """The parts of an xlsx, each of them once. Raises Refused."""
    if data.startswith(COMPOUND_FILE) and ENCRYPTED in data:
        raise Refused("locked")
    try:
        entries = zipfile.ZipFile(BytesIO(data)).infolist()
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError) as error:
        raise Refused("no_xlsx") from error
    names = {entry.filename.casefold() for entry in entries}
    if "xl/workbook.xml" not in names:
        raise Refused("no_xlsx")
    if len(names) < len(entries):
        raise Refused("unreadable")
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
        rows = list(_rows(sheet, odd_cells(data, sheet.name)))
    except (python_calamine.CalamineError, OSError, ValueError, KeyError, SyntaxError, ExpatError) as error:
        raise Refused("unreadable") from error
    headers = ["" if cell == MERGED else cell for cell in rows[0][1]] if rows else []
    return {"headers": headers, "rows": rows[1:]}


def _chosen(book: Any) -> Any:
    """Of the sheets that can be seen: the one named accounts, else the first with a username column, else the first."""
    visible = [meta.name for meta in book.sheets_metadata if str(meta.visible).endswith(".Visible")]
    named = [name for name in visible if name.strip().casefold() == SHEET_NAME]
    if named:
        return book.get_sheet_by_name(named[0])
    for name in visible:
        sheet = book.get_sheet_by_name(name)
        first = next(iter(_rows(sheet)), (0, []))
        if KNOWN_HEADER in {str(cell).strip().casefold() for cell in first[1]}:
            return sheet
    return book.get_sheet_by_name((visible or book.sheet_names)[0])


def _rows(sheet: Any, odd: Odd | None = None) -> Iterator[tuple[int, list[Any]]]:
    """Row number and cells of each row that is not blank."""
    if sheet.end is None:
        return
    odd, top, last, left = odd or {}, sheet.start[0] + 1, sheet.end[0] + 1, sheet.start[1]
    below = sorted(row for row, cells in odd.items() if row > last and NO_RESULT in cells.values())
    if (below or [last])[-1] - top >= MAX_ROWS:
        raise Refused("too_many_rows")
    if sheet.end[1] - left >= MAX_COLUMNS:
        raise Refused("too_many_columns")
    blank = ([""] * (sheet.end[1] - left + 1) for _row in below)
    numbers = chain(range(top, last + 1), below)
    for number, row in zip(numbers, chain(sheet.to_python(skip_empty_area=True), blank), strict=True):
        cells = [_plain(cell) for cell in row]
        if _put_odd(cells, odd.get(number, {}), left):
            yield number, cells


def _put_odd(cells: list[Any], odd: dict[int, tuple[str, str]], left: int) -> bool:
    """Put what the parser did not tell into the cells of a row; whether the row holds anything then."""
    within = [(column - left, cell) for column, cell in odd.items() if left <= column < left + len(cells)]
    for place, (kind, text) in within:
        if kind == "shaped":
            cells[place] = (kind, str(cells[place])) if type(cells[place]) is int else cells[place]
        elif kind != "merged":
            cells[place] = kind, text
    is_filled = any(cell != "" for cell in cells)
    for place, cell in within if is_filled else []:
        cells[place] = cell if cell == MERGED else cells[place]
    return is_filled


def _plain(cell: Any) -> Any:
    """The cell as marshal takes it: whole floats as integers, dates and times as a tuple of their text."""
    if isinstance(cell, str):
        return cell if cell.strip() else ""
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() and abs(cell) < EXACT else cell
    return ("moment", str(cell)) if isinstance(cell, date | time | timedelta) else cell


def odd_cells(data: bytes, sheet_name: str) -> Odd:
    """The cells of the sheet that the parser gives otherwise than they are. Its XML is parsed only on a sign of one."""
    with zipfile.ZipFile(BytesIO(data)) as parts:
        part, shaped = _part_of(parts, sheet_name), _shaped_styles(parts)
        is_odd, before, signs = len(shaped) > FEW_STYLES, b"", _signs(shaped)
        for piece in _pieces(parts, part):
            text = before + piece
            if NO_NUMBER.search(text) or ((b"<!" in text or b"<?" in text) and CUT.search(text)):
                raise Refused("unreadable")
            is_odd = is_odd or any(sign.search(text) for sign in signs)
            before = piece[-100:]
        return _OddCells(_pieces(parts, part), shaped).found if is_odd else {}


def _signs(shaped: set[str]) -> list[re.Pattern[bytes]]:
    styles = "|".join(sorted(shaped)).encode()
    return [*ODD_SIGNS, re.compile(rb"""s\s*=\s*["'](?:%s)["']""" % styles)] if shaped else ODD_SIGNS


def _shaped_styles(parts: zipfile.ZipFile) -> set[str]:
    """The cell styles that show a whole number otherwise than as its digits: 00123, 500 %, 1E+05, a date."""
    if "xl/styles.xml" not in parts.namelist():
        return set()
    book = ET.fromstring(parts.read("xl/styles.xml"))  # noqa: S314
    codes = {
        node.get("numFmtId"): node.get("formatCode", "") for node in book.iterfind("{*}numFmts/{*}numFmt")
    }
    styles = enumerate(node.get("numFmtId", "0") for node in book.iterfind("{*}cellXfs/{*}xf"))
    return {str(number) for number, format_id in styles if not _is_plain(format_id, codes)}


def _is_plain(format_id: str, codes: dict[str | None, str]) -> bool:
    if format_id in codes:
        return codes[format_id].casefold() in PLAIN_CODES
    return int(format_id) in PLAIN_FORMATS or int(format_id) >= OWN_FORMATS


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


class _OddCells:
    """Walks through a sheet's XML and notes the odd cells. It does little at each of the other cells."""

    def __init__(self, pieces: Iterator[bytes], shaped: set[str]) -> None:
        self.found: Odd = {}
        self.shaped = shaped
        self.row, self.place = 0, ""
        self.after = 0  #: cells of the row that do not say their place, since one did
        self.kind, self.text = "", ""
        self.is_odd = self.is_shaped = self.has_formula = self.has_value = False  #: of the cell at hand
        self.merged = 0
        self.parser = ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        for piece in pieces:
            self.parser.Parse(piece, False)
        self.parser.Parse(b"", True)
        self._end_cell()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name if ":" not in name else name.rpartition(":")[2]
        if tag == "c":
            if self.is_odd:
                self._end_cell()
            self._begin_cell(attributes)
        elif tag == "v" and self.is_odd:
            self.has_value = True
            self.parser.CharacterDataHandler = self._hear
        elif tag == "f":
            self.is_odd = self.has_formula = True
        elif tag == "row":
            self._end_cell()
            self.row, self.place, self.after = int(attributes.get("r", self.row + 1)), "", 0
        elif tag == "mergeCell":
            self._cover(attributes["ref"])

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        self.place, self.after = attributes.get("r", self.place), 0 if "r" in attributes else self.after + 1
        self.kind = attributes.get("t", "n")
        self.is_shaped = self.kind == "n" and attributes.get("s") in self.shaped
        self.is_odd = self.is_shaped or self.kind == "e" or self.kind == "d"

    def _hear(self, text: str) -> None:
        self.text += text.strip()

    def _end_cell(self) -> None:
        if self.kind == "e":
            self._note(("error", self.text))
        elif self.kind == "d":
            self._note(("moment", self.text))
        elif self.has_formula and not self.text and not (self.kind == "str" and self.has_value):
            self._note(NO_RESULT)
        elif self.text and self.is_shaped:
            self._note(SHAPED)
        self.kind, self.text, self.is_odd, self.has_formula, self.has_value = "", "", False, False, False
        self.parser.CharacterDataHandler = None

    def _note(self, cell: tuple[str, str]) -> None:
        row, column = _row_and_column(self.place) if self.place else (self.row, 0)
        self.found.setdefault(row, {})[column + self.after - 1] = cell

    def _cover(self, reference: str) -> None:
        """Note all cells of a merge but its first."""
        (top, left), (bottom, right) = (_row_and_column(place) for place in reference.split(":"))
        self.merged += (bottom - top + 1) * (right - left + 1)
        if self.merged > MAX_MERGED:
            raise Refused("unreadable")
        for row in range(top, bottom + 1):
            columns = self.found.setdefault(row, {})
            for column in range(left + (row == top), right + 1):
                columns.setdefault(column - 1, MERGED)


def _row_and_column(place: str) -> tuple[int, int]:
    """B5 is row 5, column 2."""
    letters = place.rstrip("0123456789")
    return int(place[len(letters) :]), _column_number(letters)


def _column_number(letters: str) -> int:
    """A is 1, AA is 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


if __name__ == "__main__":
    main()
