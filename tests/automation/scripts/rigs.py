"""Scripts on simulated phones through the real adb server and uiautomator2."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import pyotp

from automation import scripts as _registers  # noqa: F401
from automation.protocol import Ticket
from automation.scripts.base import Result, run_script
from automation.scripts.context import Pace
from devices.phones.deadline import Deadline
from devices.phones.u2_phone import open_phone
from devices.simulator.farm import Farm
from tests.phones import RunningAdb

PACE = Pace(poll=0.05, settle=1.0, unknown=0.4, unreadable=0.4, stuck=0.4, loading=3.0)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PASSWORD = "p#% '\"<&=+\\ é漢🙂"
PACKAGES = {"instagram": "com.instagram.android", "tiktok": "com.zhiliaoapp.musically"}


def codes(secret: str = SECRET, periods: int = 4) -> list[list[Any]]:
    """The codes of this period and the next ones, as a ticket carries them."""
    now = int(time.time()) // 30 * 30
    totp = pyotp.TOTP(secret)
    return [[now + 30 * number, totp.at(now + 30 * number)] for number in range(periods)]


def login(app: str, username: str, **changes: Any) -> dict[str, Any]:
    """An account as the simulated service knows it."""
    known = {"app": app, "username": username, "email": f"{username}@mail.example", "password": PASSWORD}
    return (
        known
        | {"nickname": username.title(), "followers": 12345, "following": 99, "likes": 1_234_567}
        | changes
    )


def ticket(script: str, app: str = "", username: str = "alice", **changes: Any) -> Ticket:
    """A ticket for P1."""
    account = {"username": username, "password": PASSWORD, **changes.pop("account", {})} if app else None
    return Ticket(run=1, fence=1, host="h1", script=script, serial="P1", app=app, account=account, **changes)


@dataclass
class Stage:
    """A farm with one phone, on which scripts are run."""

    farm: Farm
    adb: RunningAdb
    steps: list[tuple[str, float, bool, str]] = field(default_factory=list)

    def run(self, given: Ticket, seconds: float = 30, deadline: Deadline | None = None) -> Result:
        """The result of the script."""
        address = self.farm.phone("P1").address
        with open_phone(self.adb.server, address, deadline or Deadline(seconds)) as phone:
            return run_script(given.script, phone, given, lambda *step: self.steps.append(step), PACE)

    def touches(self, kind: str = "", screen: str = "") -> list[dict[str, Any]]:
        """What was done to the phone, of one kind, on one screen."""
        return [
            touch
            for touch in self.farm.journal("P1")
            if (not kind or touch["kind"] == kind) and (not screen or touch["screen"] == screen)
        ]

    def leave_open(self, app: str, screen: str) -> None:
        """Have a running app show this screen, as an earlier run or a person left it."""
        there = self.farm.phone("P1").apps[PACKAGES[app]]
        there.pid = there.pid or 1
        there.start()
        there.go(screen)

    def signed_in(self, app: str) -> list[str]:
        """Who is signed in, the active one first."""
        return self.farm.signed_in("P1", PACKAGES[app])


def described(
    *apps: dict[str, Any], logins: list[dict[str, Any]] | None = None, **phone: Any
) -> dict[str, Any]:
    """The description of such a farm; every app knows alice, bob and carol unless told otherwise."""
    people = [login(app, name) for app in PACKAGES for name in ("alice", "bob", "carol")]
    return {"phones": [{"serial": "P1", "apps": list(apps), **phone}], "logins": logins or people}
