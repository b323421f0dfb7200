"""The package that an app has when the account names none."""

from __future__ import annotations

from automation.screens.schema import library


def package_of(app: str) -> str:
    """The app's usual package. Raises ValueError for an app without screens."""
    known = library().apps
    if app not in known or not known[app].packages:
        raise ValueError(f"no screens are known for {app!r}")
    return known[app].packages[0]
