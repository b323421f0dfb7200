"""Settings from the environment. `NAME_FILE` names a file that holds the value (Docker secrets)."""

from __future__ import annotations

import os
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured
from environ.fileaware_mapping import FileAwareMapping

BASE = Path(__file__).resolve().parent.parent


class _Environment(FileAwareMapping):
    """The process's environment; a file's last line end is not part of its value."""

    def __getitem__(self, name: str) -> str:
        try:
            return str(super().__getitem__(name)).rstrip("\r\n")
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE names a file that cannot be read: {error}") from None


class _Env(environ.Env):
    ENVIRON = _Environment()


env = _Env()


def state_folder() -> Path:
    """PHONERACK_STATE: the one folder for all that is written (database, queue file, keys); `state/` by default."""
    folder = Path(env.str("PHONERACK_STATE", default=str(BASE / "state"))).resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ImproperlyConfigured(f"PHONERACK_STATE: {folder} cannot be made: {error}") from None
    if not os.access(folder, os.W_OK):
        raise ImproperlyConfigured(f"PHONERACK_STATE: {folder} cannot be written.")
    return folder


environ.Env.read_env(state_folder() / "secrets.env")  # what `./run setup` made; the environment goes first
