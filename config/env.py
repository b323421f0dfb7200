"""Settings from the environment. `NAME_FILE` names a file that holds the value (Docker secrets)."""

from __future__ import annotations

from pathlib import Path

import environ

env = environ.FileAwareEnv()

BASE = Path(__file__).resolve().parent.parent


def state_folder() -> Path:
    """PHONERACK_STATE: the one folder for all that is written (database, queue file, keys); `state/` by default."""
    folder = Path(env.str("PHONERACK_STATE", default=str(BASE / "state"))).resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


environ.Env.read_env(state_folder() / "secrets.env")  # what `./run setup` made; the environment goes first
