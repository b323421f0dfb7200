"""CSV, written so that no spreadsheet takes a cell for a formula, and read back as it was."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO

#: What makes a spreadsheet program compute, or drops the mark of our own.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
#: How a spreadsheet saves a number with too many digits.
ROUNDED = re.compile(r"-?\d([.,]\d+)?[eE]\+?\d+")
DELIMITERS = ",;\t"
ENCODINGS = ("utf-8-sig", "cp1252")
PIECE_ROWS = 1000


def written(cell: object) -> str:
    """The cell as it goes into a CSV: a text that could be taken for something else has a ' before it."""
    if cell is None:
        return ""
    text = str(cell)
    marked = isinstance(cell, str) and (text.startswith(FORMULA) or ROUNDED.fullmatch(text))
    return f"'{text}" if marked else text


def unmarked(text: str) -> tuple[str, bool]:
    """The text without the mark of `written`, and whether it had one."""
    bare = text[1:]
    if text.startswith("'") and (bare.startswith(FORMULA) or ROUNDED.fullmatch(bare)):
        return bare, True
    return text, False


def write_csv(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """UTF-8 with the mark by which Excel knows it, comma separated; a piece for each thousand rows."""
    out = StringIO(newline="")
    lines = csv.writer(out)
    out.write("\ufeff")
    lines.writerow(headers)
    for number, row in enumerate(rows, start=1):
        lines.writerow([written(cell) for cell in row])
        if number % PIECE_ROWS == 0:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


def read_csv(data: bytes) -> Iterator[list[str]]:
    """The rows as texts. Encoding and separator are found out; raises ValueError for what is no text."""
    text = _decoded(data)
    first = text.lstrip("\r\n").partition("\n")[0]
    if first.casefold().startswith("sep="):  # how Excel is told the separator
        delimiter, text = first[4:5], text.lstrip("\r\n").partition("\n")[2]
    else:
        delimiter = max(DELIMITERS, key=first.count)
    try:
        yield from csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except csv.Error as error:
        raise ValueError(str(error)) from error


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):  # Excel's "Unicode text"
        return data.decode("utf-16")
    for encoding in ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ValueError("neither UTF-8 nor Windows-1252")
