"""Looks for secrets in bytes, in every form, and in whatever is packed in them."""

from __future__ import annotations

import base64
import binascii
import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tests.canary.forms import forms

DEPTH = 3  #: how often something packed is looked for in something packed
MOST = 64 * 2**20  #: bytes that one packed thing may come to
CONTEXT = 40  #: bytes shown before a finding

MEMBER = b"PK\x03\x04"
DEFLATED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]|" + re.escape(MEMBER))
BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{24,}={0,2}")
TO_STANDARD = bytes.maketrans(b"-_", b"+/")


@dataclass(frozen=True)
class Hit:
    """A secret that was found."""

    place: str
    secret: str  #: its name
    form: str
    before: str = ""  #: what stands before it

    def __str__(self) -> str:
        return f"{self.place}: {self.secret} as {self.form}, after {self.before!r}"


class Scanner:
    """Knows the secrets by name."""

    def __init__(self, secrets: Mapping[str, str | bytes]) -> None:
        self.patterns = {
            pattern: (name, form)
            for name, secret in secrets.items()
            for pattern, form in forms(secret).items()
        }
        self.overlap = max(map(len, self.patterns), default=1) - 1

    def search(self, place: str, data: bytes, depth: int = DEPTH) -> list[Hit]:
        """One finding for each secret and form, there and in what is packed there."""
        found = list(self._plain(place, data))
        if depth:
            for label, inner in unpacked(data):
                found += self.search(f"{place} > {label}", inner, depth - 1)
        return list({(hit.place, hit.secret, hit.form): hit for hit in reversed(found)}.values())[::-1]

    def stream(self, place: str, chunks: Iterable[bytes]) -> list[Hit]:
        """The same for what is too large to be held, wherever its chunks are cut; nothing is unpacked."""
        found, kept = dict[tuple[str, str], Hit](), b""
        for chunk in chunks:
            window = kept + chunk
            for hit in self._plain(place, window):
                found.setdefault((hit.secret, hit.form), hit)
            kept = window[-self.overlap :] if self.overlap else b""
        return list(found.values())

    def _plain(self, place: str, data: bytes) -> Iterator[Hit]:
        for pattern, (name, form) in self.patterns.items():
            at = data.find(pattern)
            if at >= 0:
                yield Hit(place, name, form, data[max(0, at - CONTEXT) : at].decode("latin-1"))


def unpacked(data: bytes) -> Iterator[tuple[str, bytes]]:
    """(what it is, its bytes) of everything packed: members of zip files, gzip, zlib, base64, wherever it begins."""
    for found in DEFLATED.finditer(data):
        label, inner = _inflated(data, found.start(), found[0])
        if len(inner) > 8:
            yield label, inner
    for found in BASE64.finditer(data):
        inner = _decoded(found[0])
        if inner:
            yield "base64", inner


def _inflated(data: bytes, at: int, magic: bytes) -> tuple[str, bytes]:
    if magic == MEMBER:
        return "zip", _member(data, at)
    label, bits = ("gzip", 31) if magic.startswith(b"\x1f") else ("zlib", 15)
    return label, _inflate(memoryview(data)[at : at + MOST], bits)


def _member(data: bytes, at: int) -> bytes:
    """A member of a zip file by its own header, so that a file cut in the middle is read too."""
    head = data[at : at + 30]
    if len(head) < 30:
        return b""
    method, size, name, extra = (*struct.unpack("<8xH8xI4x", head[:26]), *struct.unpack("<HH", head[26:]))
    body = memoryview(data)[at + 30 + name + extra :][:MOST]
    return _inflate(body, -15) if method == 8 else bytes(body[:size])


def _inflate(data: memoryview, bits: int) -> bytes:
    """As much as can be had; nothing when it is no such stream."""
    machine, out = zlib.decompressobj(bits), bytearray()
    try:
        for start in range(0, len(data), 4096):
            out += machine.decompress(data[start : start + 4096], MOST - len(out))
            if machine.eof or len(out) >= MOST:
                break
    except zlib.error:
        pass  # broken or no such stream at all: what came out before is looked at
    return bytes(out)


def _decoded(text: bytes) -> bytes:
    text = text.rstrip(b"=").translate(TO_STANDARD)
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4))
    except binascii.Error:
        return base64.b64decode(text[: len(text) // 4 * 4])
