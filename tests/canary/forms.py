"""The forms in which a secret may stand somewhere: as it is, and as programs write texts down."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

SHORTEST = 8  #: bytes; anything shorter is found everywhere


def forms(secret: str | bytes) -> dict[bytes, str]:
    """What to look for -> the name of the form. A secret of bytes is one that is no text, such as a decoded key."""
    found: dict[bytes, str] = {}
    for name, pattern in _all(secret):
        if len(pattern) >= SHORTEST:
            found.setdefault(pattern, name)
    return found


def _all(secret: str | bytes) -> Iterator[tuple[str, bytes]]:
    if isinstance(secret, bytes):
        yield from _of_bytes("", secret)
        return
    yield from _of_bytes("", secret.encode())
    yield from _of_bytes("UTF-16 ", secret.encode("utf-16-le"))
    yield from _of_bytes("UTF-16 ", secret.encode("utf-16-be"))
    for name, texts in {"URL": _urls, "HTML": _htmls, "JSON": _jsons, "repr": _reprs}.items():
        for text in texts(secret):
            yield name, text.encode()


def _of_bytes(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    yield name.strip() or "raw", data
    yield name + "hex", data.hex().encode()
    yield name + "hex", data.hex().upper().encode()
    for before in range(3):
        for altchars in (b"+/", b"-_"):
            yield name + "base64", _base64_inside(data, before, altchars)
    yield name + "repr", repr(data)[2:-1].encode()


def _base64_inside(data: bytes, before: int, altchars: bytes) -> bytes:
    """The characters that stand for nothing but `data` when `before` bytes (of three) precede it."""
    whole = base64.b64encode(bytes(before) + data, altchars)
    first, last = (before * 8 + 5) // 6, (before + len(data)) * 8 // 6
    return whole[first:last]


def _urls(text: str) -> Iterator[str]:
    yield "".join(f"%{byte:02x}" for byte in text.encode())
    yield "".join(f"%{byte:02X}" for byte in text.encode())
    for safe in ("", "/", "!~*'()"):
        for one in (quote(text, safe=safe), quote_plus(text, safe=safe)):
            yield one
            yield re.sub("%..", lambda found: found[0].lower(), one)


def _htmls(text: str) -> Iterator[str]:
    for quotes in (("&quot;", "&#x27;"), ("&#34;", "&#39;"), ("&quot;", "&apos;"), ('"', "'")):
        one = html.escape(text, quote=False).replace('"', quotes[0]).replace("'", quotes[1])
        yield one
        yield one.encode("ascii", "xmlcharrefreplace").decode()
        yield html.escape(one)  # twice
    yield html.escape(repr(text)[1:-1])  # as an error page shows values
    yield html.escape(json.dumps(text)[1:-1])


def _jsons(text: str) -> Iterator[str]:
    for is_ascii in (True, False):
        one = json.dumps(text, ensure_ascii=is_ascii)[1:-1]
        yield one
        yield json.dumps(one, ensure_ascii=is_ascii)[1:-1]  # a JSON text in a JSON text
        yield one.replace("<", "\\u003C").replace(">", "\\u003E").replace("&", "\\u0026")  # in a page
        yield one.replace("/", "\\/")


def _reprs(text: str) -> Iterator[str]:
    for one in (repr(text)[1:-1], ascii(text)[1:-1], ascii(text.encode())[2:-1]):
        yield one
        yield one.replace("'", "\\'")
        yield one.replace('"', '\\"')
        yield repr(one)[1:-1]
