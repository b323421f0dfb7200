"""An xlsx behind a password, which Excel and LibreOffice ask for when they open it.

msoffcrypto-tool, not a zip of pyzipper: the file opens with a double click where a zip with AES needs another program
and leaves an unlocked copy on disk. The format is Excel's own (ECMA-376 agile: AES-256, 100,000 rounds of SHA-512).
"""

from __future__ import annotations

from io import BytesIO

from msoffcrypto.format.ooxml import OOXMLFile  # type: ignore[import-untyped]


def lock(data: bytes, password: str) -> bytes:
    """The same workbook, encrypted. Nothing touches the disk."""
    out = BytesIO()
    OOXMLFile(BytesIO(data)).encrypt(password, out)
    return out.getvalue()
