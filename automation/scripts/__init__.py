"""What is done on a phone. Importing this package registers the scripts."""

from __future__ import annotations

from automation.scripts import login, match, sync

__all__ = ["login", "match", "sync"]
