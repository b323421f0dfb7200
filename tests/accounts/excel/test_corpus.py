"""Odd and hostile files and cells, each with what becomes of it. A new one is one more line in a table."""

from __future__ import annotations

import random
import resource
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any
from warnings import catch_warnings, simplefilter

import pytest
import xlsxwriter

from accounts.excel import jobs, reader, records
from accounts.excel.formats import AccountsXLSX, FileRefused
from accounts.excel.lock import lock
from accounts.excel.reader import Refused, read_sheet
from accounts.excel.resources import import_file
from tests.accounts.excel.raw import inline, of_format, sheet_xml, text_row, workbook
from tests.accounts.excel.sheets import make_xlsx, table
from tests.factories import make_account

CPU_SECONDS = 5  #: for one verdict: it guards against hanging


@contextmanager
def soon() -> Iterator[None]:
    """Fails when the reading child takes long; on a machine with much to do only its own time says anything."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    yield
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < CPU_SECONDS


# Cells

ERROR = object()  #: the row has an error at this cell


@dataclass(frozen=True)
class Cell:
    """`xml` is the cell, with `{at}` for its place. `pwd` and `followers` are what the account has afterwards.

    The account had the password "before" and 7 followers, which an error leaves.
    """

    name: str
    xml: str
    pwd: Any
    followers: Any = ERROR
    shared: str = ""
    is_1904: bool = False


def number(value: str, style: str = "general", kind: str = "n") -> str:
    return f'<c r="{{at}}" t="{kind}" {of_format(style)}><v>{value}</v></c>'


def formula(result: str, kind: str = "n", code: str = "<f>X1</f>") -> str:
    return f'<c r="{{at}}" t="{kind}">{code}{result}</c>'


def rich(xml: str) -> str:
    return f'<c r="{{at}}" t="inlineStr"><is>{xml}</is></c>'


def text(content: str) -> str:
    return inline("{at}", content)


SHARED = '<c r="{at}" t="s"><v>0</v></c>'
CELLS = [
    # Texts
    Cell("a shared text", SHARED, "abc", shared="<si><t>abc</t></si>"),
    Cell("a shared text in runs", SHARED, "abc", shared="<si><r><t>ab</t></r><r><t>c</t></r></si>"),
    Cell("a shared text with a reading aid", SHARED, "ab", shared="<si><t>ab</t><rPh><t>X</t></rPh></si>"),
    Cell("a text in its cell", text("abc"), "abc"),
    Cell("a text in runs", rich("<r><t>ab</t></r><r><rPr><b/></rPr><t>c</t></r>"), "abc"),
    Cell("a text in a CDATA section", rich("<t><![CDATA[a<b]]></t>"), "a<b"),
    Cell("a text with entities", rich("<t>a&amp;b&lt;&#65;</t>"), "a&b<A"),
    Cell("a text that looks like a number", text("12"), "12", 12),
    Cell("leading zeros", text("007"), "007", 7),
    Cell("thousands with commas", text("1,234"), "1,234", 1234),
    Cell("thousands with points", text("1.234"), "1.234"),
    Cell("a fraction as text", text("12.7"), "12.7"),
    Cell("an exponent as text", text("1.2E+15"), "1.2E+15"),
    Cell("a negative number as text", text("-5"), "-5"),
    Cell("a dash", text("-"), "-", None),
    Cell("a formula as text", text("=1+1"), "=1+1"),
    Cell("a plus in front", text("+31"), "+31"),
    Cell("an at sign in front", text("@x"), "@x"),
    Cell("a quote in front", text("'quoted"), "'quoted"),
    Cell("an error as text", text("#N/A"), "#N/A"),
    Cell("a truth value as text", text("TRUE"), "TRUE"),
    Cell("spaces around", text("  a b "), "  a b "),
    Cell("spaces around that the file does not keep", rich("<t>  a b </t>"), "a b"),
    Cell("spaces that do not break", text("\xa0a\xa0b"), "\xa0a\xa0b"),
    Cell("a character of no width within", text("a\u200bb"), "a\u200bb"),
    Cell("a new line", text("a\nb"), "a\nb"),
    Cell("a carriage return", text("a_x000D_\nb"), "a\r\nb"),
    Cell("a tab", text("a\tb"), "a\tb"),
    Cell("a control character", text("a_x000B_b"), "a\x0bb"),
    Cell("the character 0", text("a_x0000_b"), ERROR),
    Cell("a spelled letter", text("_x0041_"), "A"),
    Cell("what reads like a spelled letter", text("_x005F_x0041_"), "_x0041_"),
    Cell("half a character", text("a_xD800_b"), "a_xD800_b"),
    Cell("an emoji", text("a😀"), "a😀"),
    Cell("right to left", text("שלום مرحبا"), "שלום مرحبا"),
    Cell("a mark of direction within", text("a\u202eb"), "a\u202eb"),
    Cell("32,767 characters", text("x" * 32_767), ERROR),
    Cell("a text shown with words", text("a").replace(" t=", f" {of_format('own text')} t="), "a"),
    # Nothing
    Cell("a blank cell with a style", f'<c r="{{at}}" {of_format("currency")}/>', "before", None),
    Cell("a shared text that is none", '<c r="{at}" t="s"/>', "before", None),
    Cell("only spaces", text("   "), "before", None),
    Cell("only spaces that do not break", text("\xa0"), "before", None),
    Cell("only a character of no width", text("\u200b"), "before"),
    Cell("an empty text", rich("<t></t>"), "before", None),
    # Numbers
    Cell("a whole number", number("12"), "12", 12),
    Cell("a whole number as a fraction", number("3.0"), "3", 3),
    Cell("a number without a type", '<c r="{at}"><v>12</v></c>', "12", 12),
    Cell("15 digits", number("999999999999999"), "999999999999999", 999_999_999_999_999),
    Cell("1e15", number("1E15"), ERROR),
    Cell("1e20", number("1E20"), ERROR),
    Cell("16 digits", number("1234567890123456"), ERROR),
    Cell("a fraction", number("12.7"), ERROR),
    Cell("a negative number", number("-5"), "-5"),
    Cell("more than any number", number("1E999"), ERROR),
    Cell("no number", number("NaN"), ERROR),
    Cell("a number in a text cell", number("12", "text"), "12", 12),
    Cell("a number as its digits", number("12", "digits"), "12", 12),
    Cell("a percentage", number("0.05", "percent"), ERROR),
    Cell("500 %", number("5", "percent"), ERROR, 5),
    Cell("a currency", number("12", "currency"), ERROR, 12),
    Cell("cents", number("12.5", "currency"), ERROR),
    Cell("a number shown with thousands", number("1234", "thousands"), ERROR, 1234),
    Cell("a number shown with leading zeros", number("7", "zeros"), ERROR, 7),
    Cell("1E5 as typed", number("100000", "exponent"), ERROR, 100_000),
    Cell("a number shown with words", number("12", "own text"), ERROR, 12),
    Cell("a style that the file does not have", '<c r="{at}" s="999"><v>12</v></c>', "12", 12),
    # Truth values, dates and times
    Cell("true", number("1", kind="b"), ERROR),
    Cell("false", number("0", kind="b"), ERROR),
    Cell("a date", number("45000", "date"), ERROR),
    Cell("a time", number("0.5", "time"), ERROR),
    Cell("a date with a time", number("45000.25", "date-time"), ERROR),
    Cell("a duration", number("1.25", "duration"), ERROR),
    Cell("a date in a format of its own", number("45000", "own date"), ERROR),
    Cell("a date counted from 1904", number("45000", "date"), ERROR, is_1904=True),
    Cell("a date beyond the calendar", number("99999999", "date"), ERROR, 99_999_999),
    Cell("a date as ISO text", number("2026-01-02", kind="d"), ERROR),
    Cell("a moment as ISO text", number("2026-01-02T03:04:05Z", kind="d"), ERROR),
    Cell("a duration as ISO text", number("PT1H", kind="d"), ERROR),
    # Formulas and errors
    Cell("a formula that gave a text", formula("<v>abc</v>", "str"), "abc"),
    Cell("a formula that gave spaces around", formula("<v xml:space='preserve'> a </v>", "str"), " a "),
    Cell("a formula that gave an empty text", formula("<v></v>", "str"), "before", None),
    Cell("a formula that gave a number", formula("<v>2</v>"), "2", 2),
    Cell("a formula that gave a fraction", formula("<v>0.3333333333333333</v>"), ERROR),
    Cell("a formula that gave a truth value", formula("<v>1</v>", "b"), ERROR),
    Cell("a formula that gave an error", formula("<v>#DIV/0!</v>", "e"), ERROR),
    Cell("a formula without a result", formula(""), ERROR),
    Cell("a formula with an empty result", formula("<v/>"), ERROR),
    Cell("a text formula without a result", formula("", "str"), ERROR),
    Cell("an array formula", formula("<v>5</v>", code='<f t="array" ref="B2">X1</f>'), "5", 5),
    Cell("an array formula without a result", formula("", code='<f t="array" ref="B2">X1</f>'), ERROR),
    Cell("a shared formula", formula("<v>5</v>", code='<f t="shared" si="0"/>'), "5", 5),
    Cell("an error without a formula", number("#N/A", kind="e"), ERROR),
    Cell("an error without a text", '<c r="{at}" t="e"/>', ERROR),
    Cell("an error in single quotes", "<c t='e' r='{at}'><v>#REF!</v></c>", ERROR),
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_each_kind_of_cell_has_its_verdict(cell):
    secret, figure = (
        make_account(username="ann", password="before"),
        make_account(username="bob", followers=7),
    )
    data = workbook(
        sheet_xml(
            text_row(1, "id", "username", "pwd", "followers"),
            text_row(2, str(secret.pk), "ann", cell.xml.format(at="C2")),
            text_row(3, str(figure.pk), "bob", text("").format(at="C3"), cell.xml.format(at="D3")),
        ),
        cell.shared,
        cell.is_1904,
    )
    with soon():
        done = import_file(data, good_rows=True, app="tiktok")
    wrong = {(2, "pwd"): cell.pwd, (3, "followers"): cell.followers}
    assert [(error.row, error.column) for error in done.errors] == [
        place for place, verdict in wrong.items() if verdict is ERROR
    ]
    secret.refresh_from_db()
    figure.refresh_from_db()
    assert secret.password.reveal() == ("before" if cell.pwd is ERROR else cell.pwd)
    assert figure.followers == (7 if cell.followers is ERROR else cell.followers)


# Sheets: how cells and rows say where they are


def bare(cell: str) -> str:
    """The cell without its place."""
    return cell.replace(' r="{at}"', "")


HEAD = text_row(1, "username", "pwd", "email")
ANN = text_row(2, "ann", "one", "a@x.nl")
ERROR_CELL = '<c r="{at}" t="e"><v>#N/A</v></c>'
NO_RESULT = '<c r="{at}"><f>X1</f></c>'
SHEETS: dict[str, tuple[str, list[tuple[int, list[str]]]]] = {
    "a cell without its place": (
        sheet_xml(HEAD, f'<row r="2">{bare(text("ann"))}{bare(text("one"))}</row>'),
        [(2, ["ann", "one", ""])],
    ),
    "a row without its place": (
        sheet_xml(HEAD, ANN.replace(' r="2"', "")),
        [(2, ["ann", "one", "a@x.nl"])],
    ),
    "errors without a place, below a gap": (
        sheet_xml(HEAD, text_row(5, "ann"), f"<row>{bare(text('bob'))}{bare(ERROR_CELL)}</row>"),
        [(5, ["ann", "", ""]), (6, ["bob", "#N/A", ""])],
    ),
    "a cell after one that says its place": (
        sheet_xml(HEAD, f'<row r="2">{text("one").format(at="B2")}{bare(ERROR_CELL)}</row>'),
        [(2, ["", "one", "#N/A"])],
    ),
    "a cell that says another row than its row": (
        sheet_xml(HEAD, f'<row r="2">{text("ann").format(at="A5")}{ERROR_CELL.format(at="B5")}</row>'),
        [(5, ["ann", "#N/A", ""])],
    ),
    "cells in any order": (
        sheet_xml(HEAD, f'<row r="2">{text("one").format(at="B2")}{text("ann").format(at="A2")}</row>'),
        [(2, ["ann", "one", ""])],
    ),
    "a wrong dimension": (
        sheet_xml(HEAD, ANN).replace("<sheetData>", '<dimension ref="A1:XFD1048576"/><sheetData>'),
        [(2, ["ann", "one", "a@x.nl"])],
    ),
    "a prefix before each tag": (
        sheet_xml(HEAD, text_row(2, "ann", ERROR_CELL.format(at="B2")))
        .replace("<", "<x:").replace("<x:/", "</x:").replace("<x:?", "<?").replace("xmlns=", "xmlns:x="),
        [(2, ["ann", "#N/A", ""])],
    ),
    "the strict form of the standard": (
        sheet_xml(HEAD, ANN).replace(
            "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
            "http://purl.oclc.org/ooxml/spreadsheetml/main",
        ),
        [(2, ["ann", "one", "a@x.nl"])],
    ),
    "rows below the last value that hold only formulas without a result": (
        sheet_xml(HEAD, ANN, text_row(4, NO_RESULT.format(at="A4"))),
        [(2, ["ann", "one", "a@x.nl"]), (4, ["no_result", "", ""])],
    ),
    "a formula without a result beside the table": (
        sheet_xml(HEAD, text_row(2, "ann", "one", "a@x.nl", NO_RESULT.format(at="D2"))),
        [(2, ["ann", "one", "a@x.nl"])],
    ),
    "a merge over two rows": (
        sheet_xml(HEAD, ANN, text_row(3, "bob"), merges=["B2:B3"]),
        [(2, ["ann", "one", "a@x.nl"]), (3, ["bob", "merged", ""])],
    ),
    "a merge over two columns": (
        sheet_xml(HEAD, text_row(2, "ann"), merges=["A2:B2"]),
        [(2, ["ann", "merged", ""])],
    ),
    "a merge over a row with nothing else": (
        sheet_xml(HEAD, text_row(2, "ann"), text_row(4, "bob"), merges=["A2:C3"]),
        [(2, ["ann", "merged", "merged"]), (4, ["bob", "", ""])],
    ),
    "a merge of headers": (
        sheet_xml(text_row(1, "username", "", "email"), ANN, merges=["A1:B1"]),
        [(2, ["ann", "one", "a@x.nl"])],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SHEETS)
def test_each_way_to_say_a_place_has_its_verdict(name):
    xml, rows = SHEETS[name]
    with soon():
        sheet = read_sheet(workbook(xml))
    assert [(number, [said(cell) for cell in cells]) for number, cells in sheet.rows] == rows


def said(cell: Any) -> Any:
    """The value, or in a word what is the matter with it."""
    return cell.why if isinstance(cell, reader.Doubt) else str(cell) if isinstance(cell, tuple) else cell


# Files


def with_sheet(*rows: str) -> bytes:
    return workbook(sheet_xml(text_row(1, "username"), *rows))


def with_parts(**parts: bytes) -> bytes:
    """A good workbook with more in it; two underscores stand for a slash, one for a point."""
    out = BytesIO(table("username", ["ann"]))
    with zipfile.ZipFile(out, "a") as book, catch_warnings():
        simplefilter("ignore")  # a name that stands twice is what one of them is about
        for name, data in parts.items():
            book.writestr(name.replace("__", "/").replace("_", "."), data)
    return out.getvalue()


def with_entities(declared: str, used: str) -> bytes:
    head, _end, rest = with_text(used).partition("?>")
    return workbook(f"{head}?><!DOCTYPE x [{declared}]>{rest}")


def with_text(content: str) -> str:
    return sheet_xml(text_row(1, "username"), f'<row r="2">{rich(f"<t>{content}</t>").format(at="A2")}</row>')


def drawn(draw: Callable[[xlsxwriter.Workbook], None]) -> bytes:
    out = BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        draw(book)
    return out.getvalue()


def hidden(book: xlsxwriter.Workbook, very: bool = False) -> None:
    """Two sheets with usernames; the one named accounts is hidden."""
    for name, user in (("list", "seen"), ("accounts", "hidden")):
        sheet = book.add_worksheet(name)
        sheet.write_column(0, 0, ["username", user])
    (sheet.very_hidden if very else sheet.hide)()


def noted(book: xlsxwriter.Workbook) -> None:
    sheet = book.add_worksheet("accounts")
    sheet.write_column(0, 0, ["username", "ann"])
    sheet.write_url(1, 0, "https://example.org/?a=1", string="ann")
    sheet.write_comment(1, 0, "a note")


def chart_first(book: xlsxwriter.Workbook) -> None:
    chart, sheet = book.add_chartsheet("chart"), book.add_worksheet("list")
    sheet.write_column(0, 0, ["username", "ann"])
    drawing = book.add_chart({"type": "line"})
    drawing.add_series({"values": "=list!$A$1:$A$2"})
    chart.set_chart(drawing)


def as_table(book: xlsxwriter.Workbook) -> None:
    book.add_worksheet("accounts").add_table(
        "A1:A2", {"data": [["ann"]], "columns": [{"header": "username"}]}
    )


def with_sizes(data: bytes, size: int) -> bytes:
    """The workbook, saying of each part that it unpacks to this size."""
    told = bytearray(data)
    for mark, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        place = told.find(mark)
        while place >= 0:
            struct.pack_into("<I", told, place + offset, size)
            place = told.find(mark, place + 4)
    return bytes(told)


def blank_rows(cells: int, last: int) -> Iterator[str]:
    for number in range(3, last):
        yield f'<row r="{number}">{"".join(f"""<c r="{chr(65 + n)}{number}" s="1"/>""" for n in range(cells))}</row>'


def megabytes(letter: str, count: int) -> list[str]:
    """The pieces of a sheet with a cell this long."""
    head, _text, tail = with_text("TEXT").partition("TEXT")
    return [head, *[letter * 1024 * 1024] * count, tail]


@cache
def noise(length: int) -> str:
    """A text that hardly packs."""
    return random.Random(1).randbytes(length // 2).hex()


GOOD = [["ann"]]
#: What each file is, and the codes of which it is refused with one, or the rows that it gives.
FILES: dict[str, tuple[Callable[[], bytes], str | list[list[str]]]] = {
    # No .xlsx
    "nothing": (lambda: b"", "no_xlsx"),
    "a .csv named .xlsx": (lambda: b"id,username\n1,ann\n", "no_xlsx"),
    "an .xls named .xlsx": (lambda: reader.COMPOUND_FILE + b"\0" * 600, "no_xlsx"),
    "an .ods named .xlsx": (lambda: zipped({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}), "no_xlsx"),
    "an .xlsb named .xlsx": (lambda: zipped({"xl/workbook.bin": b"x"}), "no_xlsx"),
    "a zip with half its parts": (lambda: zipped({"xl/workbook.xml": b"<workbook/>"}), "unreadable"),
    "a torn beginning": (lambda: b"PK\x03\x04 torn", "no_xlsx"),
    "the first part of a file": (lambda: table("username", ["ann"])[:500], "no_xlsx"),
    "all but the end of a file": (lambda: table("username", ["ann"])[:-200], "no_xlsx"),
    "no XML": (lambda: workbook("<not xml"), "unreadable"),
    # Locked
    "a password": (lambda: lock(table("username", ["ann"]), "sesame"), "locked"),
    # Too big
    "too many bytes": (lambda: b"x" * (reader.MAX_BYTES + 1), "too_big"),
    "too many parts": (lambda: with_parts(**{f"x{n}_bin": b"" for n in range(reader.MAX_ENTRIES)}), "too_big"),
    "a part that unpacks to too much": (lambda: workbook(megabytes(" ", 251)), "too_big"),
    "a part that packs too well": (lambda: workbook(" " * 5_000_000), "too_big"),
    "a text of 300 MB": (lambda: workbook(megabytes("x", 300)), "too_big"),
    "parts that say that they are small": (lambda: with_sizes(workbook(" " * 50_000_000), 1000), "unreadable"),
    "a long text in each of many cells": (
        lambda: workbook(
            sheet_xml(*(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 100_000))),
            f"<si><t>{noise(32_000)}</t></si>",
        ),
        "unreadable too_big",
    ),
    "too many rows": (lambda: with_sheet(*(text_row(n, "x") for n in range(2, 200_003))), "too_many_rows"),
    "one cell in the last place": (
        lambda: with_sheet(f'<row r="1048576">{text("x").format(at="XFD1048576")}</row>'),
        "too_many_rows unreadable too_big",
    ),
    "too many columns": (lambda: make_xlsx(["username"] + ["x"] * 70), "too_many_columns"),
    "a merge of the whole sheet": (
        lambda: workbook(sheet_xml(text_row(1, "username"), text_row(2, "ann"), merges=["A1:XFD1048576"])),
        "unreadable",
    ),
    "a million blank rows with a style": (
        lambda: with_sheet(text_row(2, "ann"), *blank_rows(1, 1_000_000)),
        GOOD,
    ),
    "many blank cells with a style": (lambda: with_sheet(text_row(2, "ann"), *blank_rows(18, 50_000)), GOOD),
    "a blank cell with a style in the last place": (
        lambda: with_sheet(text_row(2, "ann"), '<row r="1048576"><c r="XFD1048576" s="1"/></row>'),
        GOOD,
    ),
    "a text of 20 MB that hardly packs": (lambda: workbook(with_text(noise(20_000_000))), [[noise(20_000_000)]]),
    # XML that asks for more
    "a file of this machine": (
        lambda: with_entities('<!ENTITY f SYSTEM "file:///etc/passwd">', "&f;"),
        "unreadable",
    ),
    "entities within entities": (
        lambda: with_entities(
            '<!ENTITY a0 "aaaaaaaaaa">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)),
            "&a9;",
        ),
        "unreadable",
    ),
    # What could be taken for another value
    "a part that stands twice": (lambda: with_parts(xl__worksheets__sheet1_xml=b"<other/>"), "unreadable"),
    "a shared text with a negative number": (
        lambda: workbook(sheet_xml(text_row(1, SHARED.format(at="A1").replace("0", "-1"))), "<si><t>a</t></si>"),
        "unreadable",
    ),
    "a shared text beyond the last": (
        lambda: workbook(sheet_xml(text_row(1, SHARED.format(at="A1").replace("0", "9"))), "<si><t>a</t></si>"),
        "unreadable",
    ),
    "a comment within a value": (
        lambda: with_sheet(text_row(2, number("1<!-- x -->2").format(at="A2"))),
        "unreadable",
    ),
    "a CDATA section as a value": (
        lambda: with_sheet(text_row(2, number("<![CDATA[ab]]>", kind="str").format(at="A2"))),
        "unreadable",
    ),
    "an unknown kind of cell": (lambda: with_sheet(text_row(2, number("1", kind="zz").format(at="A2"))), "unreadable"),
    # Other parts and other sheets
    "macros and a picture": (
        lambda: with_parts(xl__vbaProject_bin=b"Sub Auto_Open()", xl__media__a_png=b"x"),
        GOOD,
    ),
    "a hidden sheet named accounts": (lambda: drawn(hidden), [["seen"]]),
    "a very hidden sheet named accounts": (lambda: drawn(lambda book: hidden(book, very=True)), [["seen"]]),
    "a link and a comment at a cell": (lambda: drawn(noted), GOOD),
    "a chart before the sheet": (lambda: drawn(chart_first), GOOD),
    "a table of Excel": (lambda: drawn(as_table), GOOD),
}  # fmt: skip


def zipped(parts: dict[str, bytes]) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as book:
        for name, data in parts.items():
            book.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize("name", FILES)
def test_each_file_has_its_verdict(name):
    make, verdict = FILES[name]
    data = make()
    with soon():
        if isinstance(verdict, list):
            assert [cells for _number, cells in read_sheet(data).rows] == verdict
            return
        with pytest.raises(Refused) as refused:
            read_sheet(data)
    assert refused.value.args[0] in verdict.split()
    with pytest.raises(FileRefused):
        AccountsXLSX().create_dataset(data)


@pytest.mark.django_db
def test_a_cell_in_doubt_is_an_error_again_in_the_file_of_the_rows_with_errors():
    cells = ("ann", number("5", "percent"), number("1234", "thousands"), formula(""), text("B"))
    row = text_row(2, *(cell.format(at=f"{place}2") for cell, place in zip(cells, "ABCDE", strict=True)))
    head = text_row(1, "username", "pwd", "followers", "email", "nickname")
    data = workbook(sheet_xml(head, row, merges=["E1:E2"]))
    found = []
    for _time in range(2):
        job = jobs.create(data, "list.xlsx", "tiktok")
        jobs.check_now(job)
        found.append([(error.row, error.column) for error in records.errors(job, 0, 9)])
        data = records.bad_rows_file(job, with_passwords=True)
    assert found == [[(2, "email"), (2, "pwd"), (2, "nickname")]] * 2
