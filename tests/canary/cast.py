"""The marked accounts: one for each way a login ends and for each exception, each on a phone of its own."""

from __future__ import annotations

import base64
import io
import secrets
import string
from dataclasses import dataclass, field
from typing import Any

import xlsxwriter

from tests.automation.scripts.rigs import PASSWORD, SECRET
from tests.automation.scripts.rigs import login as known_login
from tests.automation.scripts.test_every_reason import CASES, Case

LETTERS = string.ascii_letters + string.digits
BASE32 = string.ascii_uppercase + "234567"
HARD = "#%'\"<&=+\\ é"  #: what URLs, HTML, JSON, shells and repr write in other ways
GONE, OTHERS = "gone@mail.example", "bob@mail.example"  #: addresses in the cases


@dataclass
class Marks:
    """What all passwords and all 2FA secrets of a run have in common, and nothing else has."""

    core: str = field(default_factory=lambda: "".join(secrets.choice(LETTERS) for _ in range(14)))
    base32: str = field(default_factory=lambda: "".join(secrets.choice(BASE32) for _ in range(16)))

    def password(self, number: int | str) -> str:
        return f"{number}-{self.core}{HARD}"

    def totp_secret(self, number: int) -> str:
        return self.base32 + base64.b32encode(number.to_bytes(10, "big")).decode()

    def named(self) -> dict[str, str | bytes]:
        """What is looked for."""
        return {
            "password": self.core,
            "hard part of the password": self.core[-4:] + HARD,
            "2FA secret": self.base32,
            "2FA secret in small letters": self.base32.lower(),
            "2FA secret as a key": base64.b32decode(self.base32),
        }


@dataclass
class Player:
    """One account, its phone, and what is made to happen."""

    number: int
    case: Case
    marks: Marks
    trouble: str = ""  #: the exception that its typing ends with
    has_totp: bool = False
    wrong_codes: bool = False

    @property
    def serial(self) -> str:
        return f"K{self.number}"

    @property
    def username(self) -> str:
        return f"can{self.number}" + (f".{self.trouble.lower()}" if self.trouble else "")

    @property
    def password(self) -> str:
        return self.marks.password(self.number) if self.case.account.get("password") != "" else ""

    @property
    def totp_secret(self) -> str:
        return self.marks.totp_secret(self.number) if self.has_totp else ""

    def email(self) -> str:
        given = self.case.account.get("email", "")
        return {GONE: f"gone{self.number}@mail.example", OTHERS: self._mail("bob")}.get(given, given)

    def _mail(self, name: str) -> str:
        return f"{name}{self.number}@mail.example"

    def phone(self) -> dict[str, Any]:
        """For the farm."""
        names = {"alice": self.username, "bob": f"bob{self.number}"}
        on_app = dict(self.case.on_app)
        for key in ("signed_in", "saved"):
            on_app[key] = [names[name] for name in on_app.get(key, [])]
        return {"serial": self.serial, **self.case.on_phone, "apps": [{"app": self.case.app, **on_app}]}

    def logins(self) -> list[dict[str, Any]]:
        """As the services know alice and bob."""
        known = known_login(self.case.app, self.username, **self.case.known)
        known |= {"email": self._mail("alice")}
        if known["password"] == PASSWORD:
            known["password"] = self.marks.password(self.number)
        else:
            known["password"] = self.marks.password(f"other{self.number}")
        if known.get("totp_secret") == SECRET or self.has_totp:
            known["totp_secret"] = self.marks.totp_secret(self.number + 500 * self.wrong_codes)
        bob = known_login(self.case.app, f"bob{self.number}", email=self._mail("bob"))
        return [known, {**bob, "password": self.marks.password(self.number)}]

    def row(self) -> list[Any]:
        """Of the accounts.xlsx."""
        pwd = f"{self.password}:{self.totp_secret}" if self.has_totp else self.password
        return [self.case.app, self.username, self.email(), pwd, self.serial]


def players(marks: Marks, troubles: list[str], is_long: bool) -> list[Player]:
    """Every case, a good and a bad second factor, and an account for each exception; a short run has one of a kind."""
    seen, cases = set[tuple[str, str]](), list[Case]()
    for case in CASES:
        if is_long or (case.reason, case.fault) not in seen:
            seen.add((case.reason, case.fault))
            cases.append(case)
    found = [Player(number, case, marks) for number, case in enumerate(cases, 1)]
    for wrong in (False, True):
        case = Case("needs_person", "code_refused") if wrong else Case("succeeded", "signed_in")
        found.append(Player(len(found) + 1, case, marks, has_totp=True, wrong_codes=wrong))
    for trouble in troubles:
        found.append(Player(len(found) + 1, Case("errored", "defect"), marks, trouble, has_totp=True))
    return found


def workbook(cast: list[Player]) -> bytes:
    """Their accounts.xlsx."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("accounts")
        for number, row in enumerate(
            [["app", "username", "email", "pwd", "device"], *(one.row() for one in cast)]
        ):
            for column, cell in enumerate(row):
                sheet.write_string(number, column, cell)
    return out.getvalue()
