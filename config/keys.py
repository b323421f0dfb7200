"""The secrets of one machine: made once, kept in `secrets.env` in its state folder, readable by its owner only."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

FILE = "secrets.env"


def make(folder: Path) -> Path:
    """Write the file unless it is there; returns its path. It opens every stored password: keep a copy elsewhere."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / FILE
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.writelines(f"{name}={value}\n" for name, value in fresh().items())
    return path


def fresh() -> dict[str, str]:
    """A new set: cookie key, key ring with one key, the controller's private key."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "PHONERACK_FIELD_KEYS": "k1:" + base64.b64encode(secrets.token_bytes(32)).decode(),
        "PHONERACK_CONTROLLER_KEY": secrets.token_bytes(32).hex(),
    }
