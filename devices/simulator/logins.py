"""The simulated services: what they know of each account, and how they answer an attempt to sign in."""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Iterable

from devices.simulator.description import Login

TOTP_STEP = 30  #: seconds


class Logins:
    """The accounts of all services of a farm, found by user name or e-mail in any case."""

    def __init__(self, logins: Iterable[Login] = ()) -> None:
        self._logins: dict[tuple[str, str], Login] = {}
        for login in logins:
            self.put(login)

    def put(self, login: Login) -> None:
        """Add an account or replace the one with its user name."""
        self._logins[login.app, login.username.casefold()] = login

    def find(self, app: str, name: str) -> Login | None:
        """The account with this user name or e-mail."""
        wanted = name.strip().lstrip("@").casefold()
        found = self._logins.get((app, wanted))
        if found or not wanted:
            return found
        return next(
            (one for (of, _), one in self._logins.items() if of == app and one.email.casefold() == wanted),
            None,
        )

    def profile(self, app: str, username: str) -> Login:
        """The account, or one with zeros when the services do not know it."""
        return self.find(app, username) or Login(app=app, username=username)


def password_fits(login: Login, password: str) -> bool:
    """Whether this is the password of the account."""
    return hmac.compare_digest(login.password.encode(), password.encode())


def code_fits(login: Login, code: str, now: float | None = None) -> bool:
    """Whether the authenticator would show this code now, or one step sooner or later."""
    if not login.totp_secret:
        return False
    step = int(time.time() if now is None else now) // TOTP_STEP
    return "".join(code.split()) in {
        totp(login.totp_secret, one) for one in range(max(0, step - 1), step + 2)
    }


def totp(secret: str, step: int) -> str:
    """The code of one step (RFC 6238), for secrets of any length: apps hand out short ones too."""
    letters = secret.replace(" ", "").upper().rstrip("=")
    key = base64.b32decode(letters + "=" * (-len(letters) % 8))
    digest = hmac.digest(key, step.to_bytes(8, "big"), "sha1")
    at = digest[-1] & 0xF
    return f"{(int.from_bytes(digest[at : at + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"
