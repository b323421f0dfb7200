"""Temporary files that nobody else can read: where XlsxWriter keeps a sheet, secrets and all, while it makes one.

They are ciphertext under a key that ends with this process, so that what a crash leaves behind says nothing.
"""

from __future__ import annotations

import os
from codecs import getincrementaldecoder
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile, ZipInfo

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

KEY = os.urandom(32)
NONCE_BYTES = 16
PIECE = 64 * 1024
EPOCH = (1980, 1, 1, 0, 0, 0)  #: what Excel writes as the time of a part


class SealedText:
    """A text that is written from its start to its end and then read so, once: AES in counter mode."""

    def __init__(self, path: str, mode: str = "r", encoding: str = "utf-8") -> None:
        self.file = Path(path).open("rb" if mode == "r" else "w+b")  # noqa: SIM115 - closed by close()
        self.waiting: list[str] = []
        self.length = 0
        self.encoding, self.decode = encoding, getincrementaldecoder(encoding)().decode
        if mode != "r":
            self.file.write(os.urandom(NONCE_BYTES))
        self._begin()

    def _begin(self) -> None:
        self.file.seek(0)
        nonce = self.file.read(NONCE_BYTES)
        self.crypt = Cipher(algorithms.AES(KEY), modes.CTR(nonce)).encryptor().update

    def write(self, text: str) -> None:
        self.waiting.append(text)
        self.length += len(text)
        if self.length >= PIECE:
            self._flush()

    def _flush(self) -> None:
        self.file.write(self.crypt("".join(self.waiting).encode(self.encoding)))
        self.waiting, self.length = [], 0

    def seek(self, _start: int) -> None:
        """Back to the start, to read what was written."""
        self._flush()
        self._begin()

    def read(self, size: int) -> str:
        return self.decode(self.crypt(self.file.read(size)))

    def pieces(self) -> Iterator[bytes]:
        while piece := self.file.read(PIECE):
            yield self.crypt(piece)

    def close(self) -> None:
        if self.waiting:
            self._flush()
        self.file.close()


class SealedZip(ZipFile):
    """Packs sealed files as what they hold."""

    def write(self, filename: Any, arcname: Any = None, *_args: Any) -> None:
        entry = ZipInfo(arcname, EPOCH)
        entry.compress_type = self.compression
        part = SealedText(filename)
        with self.open(entry, "w") as packed:
            for piece in part.pieces():
                packed.write(piece)
        part.close()
