"""The database that the tests work on, for another process."""

from __future__ import annotations

from urllib.parse import quote

from django.db import connection


def url() -> str:
    """Its DATABASE_URL."""
    at = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{at['NAME']}"
    who = ":".join(quote(at[one], safe="") for one in ("USER", "PASSWORD") if at[one])
    return f"postgres://{who}@{at['HOST']}:{at['PORT'] or 5432}/{at['NAME']}"
