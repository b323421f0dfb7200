"""The files of the phones; equal contents are held once for the whole farm."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from weakref import WeakValueDictionary

BLOCK = 64 * 1024


class Block:
    """Up to 64 KiB of some file."""

    __slots__ = ("__weakref__", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data


_blocks: WeakValueDictionary[bytes, Block] = WeakValueDictionary()


def share(data: bytes) -> Block:
    """The one Block of the farm with this content."""
    key = hashlib.sha256(data).digest()
    block = _blocks.get(key)
    if block is None:
        block = _blocks[key] = Block(data)
    return block


class File:
    """A file, written in chunks and shared block by block, so that a hundred equal pushes cost one."""

    __slots__ = ("_blocks", "_md5", "_rest", "mode", "mtime", "size")

    def __init__(self, data: bytes = b"", mode: int = 0o100644) -> None:
        self.mode, self.mtime, self.size = mode, int(time.time()), 0
        self._blocks: list[Block] = []
        self._rest = bytearray()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self.append(data)

    def append(self, data: bytes) -> None:
        """Write at the end."""
        self._md5.update(data)
        self.size += len(data)
        self._rest += data
        while len(self._rest) >= BLOCK:
            self._blocks.append(share(bytes(self._rest[:BLOCK])))
            del self._rest[:BLOCK]

    def chunks(self) -> Iterable[bytes]:
        """The content, piece by piece."""
        for block in self._blocks:
            yield block.data
        if self._rest:
            yield bytes(self._rest)

    def read(self) -> bytes:
        """The whole content."""
        return b"".join(self.chunks())

    @property
    def md5(self) -> str:
        """The hex digest of the content."""
        return self._md5.hexdigest()


class Files:
    """The file system of one phone: files by path; a folder is any path that has files or was made."""

    def __init__(self) -> None:
        self._files: dict[str, File] = {}
        self._folders = {"/", "/sdcard", "/data", "/data/local", "/data/local/tmp"}

    def get(self, path: str) -> File | None:
        """The file at a path, or None."""
        return self._files.get(clean(path))

    def put(self, path: str, file: File) -> None:
        """Write a file over whatever was there."""
        self._files[clean(path)] = file

    def remove(self, path: str) -> bool:
        """Remove a file or all below a folder; False when nothing was there."""
        path = clean(path)
        found = [one for one in (*self._files, *self._folders) if one == path or one.startswith(path + "/")]
        for one in found:
            self._files.pop(one, None)
            self._folders.discard(one)
        return bool(found)

    def make_folder(self, path: str) -> None:
        """Make an empty folder."""
        self._folders.add(clean(path))

    def is_folder(self, path: str) -> bool:
        """Whether a folder is there."""
        path = clean(path)
        return path in self._folders or any(one.startswith(path.rstrip("/") + "/") for one in self._files)

    def names(self, path: str) -> list[str]:
        """The names right below a folder."""
        start = clean(path).rstrip("/") + "/"
        below = (
            one[len(start) :]
            for one in (*self._files, *self._folders)
            if one.startswith(start) and one != start
        )
        return sorted({one.split("/")[0] for one in below if one})


def clean(path: str) -> str:
    """A path with single slashes and without one at its end."""
    return "/" + "/".join(part for part in path.split("/") if part)
