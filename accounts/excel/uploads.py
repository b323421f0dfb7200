"""An uploaded file between its preview and its import: sealed on disk, gone after use and after an hour."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from import_export.tmp_storages import BaseStorage

from accounts.keyring import Unreadable, key_ring

LIFETIME_SECONDS = 3600
NAME = re.compile(r"[0-9a-f]{32}")


class UploadGone(Exception):
    """The upload was used, is older than an hour, or never was."""


class SealedStorage(BaseStorage):
    """What import-export asks of a temporary storage; the file's name is all that its page knows."""

    def save(self, data: bytes) -> None:
        sweep()
        self.name = uuid4().hex
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(self._path(), flags, mode=0o600), "wb") as file:
            file.write(key_ring().seal(data, self._bound_to()))

    def read(self) -> bytes:
        """The bytes that were saved. Raises UploadGone."""
        sweep()
        try:
            return key_ring().open(self._path().read_bytes(), self._bound_to())
        except (OSError, Unreadable) as error:
            raise UploadGone(self.name) from error

    def touch(self) -> None:
        """It is in use: its hour begins anew. Raises UploadGone."""
        try:
            os.utime(self._path())
        except OSError as error:
            raise UploadGone(self.name) from error

    def remove(self) -> None:
        self._path().unlink(missing_ok=True)

    def _bound_to(self) -> str:
        return f"upload:{self.name}"

    def _path(self) -> Path:
        if not NAME.fullmatch(self.name or ""):
            raise UploadGone(self.name)
        return folder() / self.name


def folder() -> Path:
    """Where uploads wait."""
    place = Path(settings.STATE) / "uploads"
    place.mkdir(mode=0o700, exist_ok=True)
    return place


def sweep(now: float | None = None) -> int:
    """Remove uploads older than an hour; returns how many."""
    oldest = (now or time.time()) - LIFETIME_SECONDS
    old = [path for path in folder().iterdir() if _written(path) < oldest]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another process swept it
        return time.time()
