"""The scanner alone: every form, wherever it is cut, however it is packed."""

from __future__ import annotations

import base64
import gzip
import html
import io
import json
import random
import zipfile
import zlib
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from django.core import signing

from tests.canary.forms import forms
from tests.canary.scanner import Scanner

SECRET = "7k#%'\"<&=+\\ é-Zq93"
FORMS: dict[str, Callable[[str], bytes]] = {
    "raw": str.encode,
    "base64": lambda text: base64.b64encode(text.encode()),
    "base64 for addresses": lambda text: base64.urlsafe_b64encode(text.encode()),
    "hex": lambda text: text.encode().hex().encode(),
    "HEX": lambda text: text.encode().hex().upper().encode(),
    "URL": lambda text: quote(text).encode(),
    "URL without any": lambda text: quote(text, safe="").encode(),
    "URL of a form": lambda text: quote_plus(text).encode(),
    "URL of nothing but percents": lambda text: "".join(f"%{one:02x}" for one in text.encode()).encode(),
    "repr in HTML": lambda text: html.escape(repr(text)).encode(),
    "HTML": lambda text: html.escape(text).encode(),
    "XML": lambda text: html.escape(text).encode("ascii", "xmlcharrefreplace"),
    "JSON": lambda text: json.dumps(text).encode(),
    "JSON as it is": lambda text: json.dumps(text, ensure_ascii=False).encode(),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)).encode(),
    "repr": lambda text: repr(text).encode(),
    "repr in repr": lambda text: repr(repr(text)).encode(),
    "repr of bytes": lambda text: repr(text.encode()).encode(),
    "UTF-16": lambda text: text.encode("utf-16"),
    "UTF-16 the other way": lambda text: text.encode("utf-16-be"),
    "hex of UTF-16": lambda text: text.encode("utf-16-le").hex().encode(),
}
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "zip": lambda data: zipped(data),
    "zip in zip": lambda data: zipped(zipped(data)),
    "zip that is cut off": lambda data: zipped(data)[:-30],
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "base64 of gzip": lambda data: base64.b64encode(gzip.compress(data)),
    "base64 of base64": lambda data: base64.b64encode(base64.b64encode(data)),
    "signed by Django": lambda data: signing.dumps(data.decode() * 20, compress=True).encode(),
}


def zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.xml", data)
    return out.getvalue()


@pytest.mark.parametrize("before", [0, 1, 2, 3, 50])
@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_found_in_every_form_at_every_place(form: str, before: int) -> None:
    text = "x" * before + SECRET + "tail"
    assert Scanner({"s": SECRET}).search("here", b"..." + FORMS[form](text) + b"...")


@pytest.mark.parametrize("packed", PACKED)
def test_a_secret_is_found_in_what_is_packed(packed: str) -> None:
    noise = random.Random(1).randbytes(5000)
    assert Scanner({"s": "plain-Kx81-secret"}).search(
        "here", noise + b"\0" + PACKED[packed](b"is plain-Kx81-secret, he said") + b"\0" + noise
    )


@pytest.mark.parametrize("size", [1, 7, 64])
@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_found_wherever_chunks_are_cut(form: str, size: int) -> None:
    data = b"." * 60 + FORMS[form](SECRET) + b"." * 60
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    assert Scanner({"s": SECRET}).stream("here", chunks)


def test_a_secret_of_bytes_is_found_too() -> None:
    key = bytes(range(200, 210))
    for data in (key, key.hex().encode(), base64.b64encode(b"ab" + key)):
        assert Scanner({"key": key}).search("here", b"--" + data + b"--")


def test_what_holds_no_secret_gives_no_finding() -> None:
    other = SECRET[:-1] + "4"
    noise = random.Random(2).randbytes(300_000)
    for data in (noise, other.encode(), base64.b64encode(other.encode()), zipped(noise)):
        assert not Scanner({"s": SECRET}).search("here", data)


def test_a_finding_says_where_and_how_but_not_the_secret() -> None:
    (hit, *_more) = Scanner({"password of ann": "abcdefgh"}).search("file web.log", b"typed abcdefgh")
    assert str(hit) == "file web.log: password of ann as raw, after 'typed '"


def test_no_form_is_so_short_that_it_is_found_everywhere() -> None:
    assert min(map(len, forms("abcdefgh"))) >= 8
