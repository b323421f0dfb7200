"""What a run saw, and by which alternative of each screen and action: so drift shows before anything breaks."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from automation.screens.verdict import Verdict
from devices.phones.errors import AppMissing
from devices.phones.phone import Phone

MOST_SEEN, MOST_WORDS = 250, 20  #: what a report carries at most: about 10 kB
NAME, WORD = 80, 120  #: characters of a name and of a word at most
VERSION_SECONDS = 900.0  #: how long the version of an app on a phone is believed


class Versions:
    """The versions of the apps on the phones of a host, asked for once in a while."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[float, str]] = {}

    def of(self, phone: Phone, package: str) -> str:
        """The version name; empty when the app is not there."""
        asked_at, version = self._known.get((phone.serial, package), (float("-inf"), ""))
        if time.monotonic() - asked_at > VERSION_SECONDS:
            try:
                version = phone.app_version(package)
            except AppMissing:
                return ""
            self._known[phone.serial, package] = time.monotonic(), version
        return version


class Sightings:
    """The screens of one run with the alternatives that worked, each once, and the unconfirmed words it relied on."""

    def __init__(self, version_of: Callable[[Phone, str], str] | None = None) -> None:
        self._version_of = version_of or Versions().of
        self.version = ""  #: of the app that is looked at
        self.unconfirmed: list[str] = []
        self._seen: dict[tuple[str, str, str], dict[str, None]] = {}
        self._count = 0

    def opened(self, phone: Phone, package: str) -> None:
        """From now on it is this app that is looked at."""
        self.version = self._version_of(phone, package)

    def saw(self, verdict: Verdict) -> Verdict:
        """Note the screen and every alternative by which it is known."""
        for alternative in ("", *verdict.matched):
            self._note(verdict, alternative)
        return verdict

    def used(self, verdict: Verdict, action: str) -> None:
        """Note which alternative of the action was found on the screen."""
        if action in verdict.used and verdict.definition is not None:
            self._note(verdict, f"{verdict.definition.prefix}{action}.{verdict.used[action]}")

    def _note(self, verdict: Verdict, alternative: str) -> None:
        for word in verdict.unconfirmed:
            if word[:WORD] not in self.unconfirmed and len(self.unconfirmed) < MOST_WORDS:
                self.unconfirmed.append(word[:WORD])
        if verdict.app is None or not verdict.screen:
            return
        version = (
            self.version if verdict.package else ""
        )  # Android's own screens are of no version of the app
        here = self._seen.setdefault((verdict.app.name, verdict.screen, version[:NAME]), {})
        if alternative[:NAME] not in here and self._count < MOST_SEEN:
            here[alternative[:NAME]] = None
            self._count += 1

    def report(self) -> dict[str, Any]:
        """`seen`: [[app, screen, version, [alternative, ...]], ...]; the alternative "" is the screen itself."""
        return {
            "seen": [[*of, list(alternatives)] for of, alternatives in self._seen.items() if alternatives]
        }
