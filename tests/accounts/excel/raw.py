"""Workbooks written by hand, for what no spreadsheet library would write."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Sequence
from io import BytesIO
from xml.sax.saxutils import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
#: Number formats by a name of ours, in the order of the style sheet; from 164 on they are the workbook's own.
FORMATS = {
    "general": 0, "digits": 1, "thousands": 3, "percent": 9, "exponent": 11, "date": 14, "time": 20, "date-time": 22,
    "duration": 46, "text": 49, "currency": 164, "own date": 165, "own text": 166, "zeros": 167,
}  # fmt: skip
OWN = {164: '"€" #,##0.00', 165: "dddd d mmmm yyyy", 166: '"id "@', 167: "00000"}


def of_format(name: str) -> str:
    """The attribute that gives a cell this number format."""
    return f's="{list(FORMATS).index(name)}"'


def inline(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'


def text_row(number: int, *cells: str) -> str:
    """A row of texts, or of cells that are XML already."""
    places = (f"{chr(65 + column)}{number}" for column in range(len(cells)))
    xml = (
        cell if cell.startswith("<c ") else inline(at, cell) for at, cell in zip(places, cells, strict=True)
    )
    return f'<row r="{number}">{"".join(xml)}</row>'


def sheet_xml(*rows: str, merges: Sequence[str] = ()) -> str:
    """A sheet of these rows."""
    merged = "".join(f'<mergeCell ref="{reference}"/>' for reference in merges)
    return (
        f'{HEAD}<worksheet xmlns="{MAIN}" xmlns:r="{LINKS}"><sheetData>{"".join(rows)}</sheetData>'
        f"<mergeCells>{merged}</mergeCells></worksheet>"
    )


def workbook(sheet: str | Iterable[str], shared: str = "", is_1904: bool = False) -> bytes:
    """A workbook with this sheet, named accounts, which may come in pieces; `shared` holds the shared strings."""
    formats = "".join(
        f'<numFmt numFmtId="{n}" formatCode="{escape(f, {chr(34): "&quot;"})}"/>' for n, f in OWN.items()
    )
    styles = "".join(
        f'<xf numFmtId="{n}" fontId="0" fillId="0" borderId="0" applyNumberFormat="1"/>'
        for n in FORMATS.values()
    )
    parts = {
        "[Content_Types].xml": f'{HEAD}<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{LINKS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/_rels/workbook.xml.rels": f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{LINKS}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{LINKS}/styles" Target="styles.xml"/>'
        f'<Relationship Id="rId3" Type="{LINKS}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/workbook.xml": f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{LINKS}"><workbookPr date1904="{int(is_1904)}"/>'
        '<sheets><sheet name="accounts" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/styles.xml": f'{HEAD}<styleSheet xmlns="{MAIN}"><numFmts count="{len(OWN)}">{formats}</numFmts>'
        f"<fonts><font/></fonts><fills><fill/></fills><borders><border/></borders>"
        f'<cellStyleXfs><xf/></cellStyleXfs><cellXfs count="{len(FORMATS)}">{styles}</cellXfs></styleSheet>',
        "xl/sharedStrings.xml": f'{HEAD}<sst xmlns="{MAIN}">{shared}</sst>',
    }
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts.items():
            book.writestr(name, content)
        with book.open("xl/worksheets/sheet1.xml", "w") as part:
            for piece in [sheet] if isinstance(sheet, str) else sheet:
                part.write(piece.encode())
    return out.getvalue()
