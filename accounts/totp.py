"""Time-based one-time codes (RFC 6238), computed here and never by a web service."""

from __future__ import annotations

import base64
import time

import pyotp

PERIOD = 30  #: seconds a code is valid


class Totp(pyotp.TOTP):
    """pyotp's TOTP for secrets of any length: apps hand out 80 bits (16 letters), pyotp alone refuses them."""

    def byte_secret(self) -> bytes:
        return base64.b32decode(self.secret + "=" * (-len(self.secret) % 8), casefold=True)


def codes(secret: str, seconds: float) -> list[tuple[int, str]]:
    """(valid from, code) from one period ago until `seconds` from now; times in epoch seconds."""
    now, totp = time.time(), Totp(secret)
    first = int(now) // PERIOD * PERIOD - PERIOD
    return [(start, totp.at(start)) for start in range(first, int(now + seconds) + 1, PERIOD)]


def current_code(secret: str) -> tuple[str, int]:
    """(the code of now, whole seconds that it is still good for)."""
    now = time.time()
    return Totp(secret).at(now), PERIOD - int(now) % PERIOD
