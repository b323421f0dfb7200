"""Time-based one-time codes (RFC 6238), computed here and never by a web service."""

from __future__ import annotations

import base64
import time

import pyotp

PERIOD = 30  #: seconds a code is valid


class Totp(pyotp.TOTP):
    """pyotp's TOTP for secrets of any length, as people paste them: in groups, in lower case, with padding or without.

    Apps hand out 80 bits (16 letters), which pyotp alone refuses.
    """

    def byte_secret(self) -> bytes:
        letters = "".join(self.secret.split()).replace("-", "").rstrip("=")
        return base64.b32decode(letters + "=" * (-len(letters) % 8), casefold=True)


def codes(secret: str, seconds: float) -> list[tuple[int, str]]:
    """(valid from, code) from one period ago until `seconds` from now; times in epoch seconds."""
    now, totp = time.time(), Totp(secret)
    first = int(now) // PERIOD * PERIOD - PERIOD
    return [(start, totp.at(start)) for start in range(first, int(now + seconds) + 1, PERIOD)]


def current_code(secret: str) -> tuple[str, int]:
    """(the code of now, whole seconds that it is still good for)."""
    now = time.time()
    return Totp(secret).at(now), PERIOD - int(now) % PERIOD
