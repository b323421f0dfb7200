"""One login out of a seed: the phone, the app, the account, and what goes wrong on the way."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from devices.simulator.description import PACKAGES

PASSWORDS = [
    "p#% '\"<&=+\\ é漢🙂",
    "plain-pass-1",
    " leading and trailing ",
    "a:b:c",
    "$HOME `id`; |",
    "ümläut%25",
]
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
VERSIONS = {"instagram": ["410.0.0.53.71", "431.0.0.1.2"], "tiktok": ["22.5.3", "43.1.4", "47.0.3"]}
LANGUAGES = ["en"] * 4 + ["fr"] * 3 + ["nl", "de", "es", "pt", "ja"]

#: How the service answers, by how often it is chosen.
BEHAVIOURS = {
    "ok": 20, "captcha": 2, "email_code": 2, "sms_code": 2, "suspicious": 2, "identity": 2, "locked": 2,
    "suspended": 2, "rate_limited": 2, "approve_elsewhere": 3, "age_gate": 1, "survey": 1, "kicked": 1, "no_answer": 1,
}  # fmt: skip
COMMON = [
    "permission",
    "anr",
    "crash",
    "autofill",
    "password_manager",
    "contacts",
    "update_offered",
    "survey_once",
]
POPUPS = {
    "instagram": [*COMMON, "notifications", "add_account_sheet"],
    "tiktok": [*COMMON, "terms"],
}
FATAL = ["update_required", "survey", "logged_out"]  #: popups that decide how it ends

#: There from the beginning.
FAULTS = [
    "app_missing", "app_crash", "app_hang", "opaque", "opaque_app", "u2_stuck", "u2_broken", "locked", "no_internet",
    "storage_full",
]  # fmt: skip
#: They come on the way, at some call; those with a number are over after so many seconds.
STUMBLES: list[tuple[str, float]] = [
    ("offline", 0), ("offline", 0.4), ("u2_dead", 0), ("u2_dead", 0.2), ("u2_stuck", 0), ("opaque_app", 0),
    ("slow", 1.0), ("hang", 0.5), ("hang", 0), ("locked", 0), ("crash", 0),
]  # fmt: skip

#: Screens that an earlier run or a person left open.
LEFT = {
    "instagram": ["login_form", "wrong_password", "no_such_account", "challenge_identity", "challenge_email_code",
                  "challenge_sms", "suspended", "rate_limited", "2fa_totp", "2fa_approve_elsewhere", "no_connection"],
    "tiktok": ["login_sheet", "login_phone_tab", "login_email_tab", "login_password", "wrong_password", "captcha",
               "verify_code", "banned", "2step", "agegate", "too_many_attempts", "no_connection"],
}  # fmt: skip
LEFT_SIGNED_IN = {
    "instagram": ["own_profile", "account_switcher", "add_account_sheet"],
    "tiktok": ["own_profile", "switch_account_sheet"],
}


@dataclass
class Scenario:
    """All that is decided before the run."""

    number: int
    app: str = "instagram"
    language: str = "en"
    version: str = ""
    delay: float = 0.0
    keyboard: bool = False
    lock: str = ""
    clock: float = 0.0
    signed_in: list[str] = field(default_factory=list)
    saved: list[str] = field(default_factory=list)
    popups: list[str] = field(default_factory=list)
    left: str = ""
    behaviour: str = "ok"
    password: str = PASSWORDS[0]
    types: str = "right"  #: what the run has for a password: right, wrong or none
    name: str = (
        "username"  #: what is typed: username, email, other (somebody else's e-mail), unknown (nobody's)
    )
    totp: bool = False  #: whether the service asks for codes
    codes: bool = False  #: whether the run has them
    fault: str = ""
    stumble: tuple[str, float] | None = None
    stumble_at: int = 0  #: the call of the phone at which it happens

    @property
    def wanted(self) -> str:
        """The account that is to be signed in."""
        return f"ann.{self.number}"

    @property
    def other(self) -> str:
        """Somebody else."""
        return f"bob.{self.number}"

    @property
    def serial(self) -> str:
        return f"L{self.number}"

    @property
    def package(self) -> str:
        return PACKAGES[self.app]

    def phone(self) -> dict[str, Any]:
        """The phone as the farm describes it."""
        app = {
            "app": self.app, "language": self.language, "version": self.version, "delay": self.delay,
            "signed_in": self.signed_in, "saved": self.saved, "popups": self.popups,
        }  # fmt: skip
        language = self.language if self.language in ("fr", "ja") else "en"
        return {"serial": self.serial, "language": language, "keyboard": self.keyboard, "lock": self.lock,
                "clock": self.clock, "apps": [app]}  # fmt: skip

    def logins(self) -> list[dict[str, Any]]:
        """Both accounts as the service knows them."""
        known = {"app": self.app, "password": self.password}
        secret = {"totp_secret": SECRET} if self.totp else {}
        return [
            {**known, **secret, "username": self.wanted, "email": f"{self.wanted}@mail.example",
             "behaviour": self.behaviour},
            {**known, "username": self.other, "email": f"{self.other}@mail.example"},
        ]  # fmt: skip

    def account(self, codes: list[list[Any]]) -> dict[str, Any]:
        """The account as the ticket carries it."""
        emails = {"username": "", "email": f"{self.wanted}@mail.example", "other": f"{self.other}@mail.example",
                  "unknown": f"gone.{self.number}@mail.example"}  # fmt: skip
        passwords = {"right": self.password, "wrong": "not this one", "none": ""}
        return {"username": self.wanted, "email": emails[self.name], "password": passwords[self.types],
                "codes": codes if self.codes else []}  # fmt: skip


def made(seed: int, number: int) -> Scenario:
    """The scenario with this number of this seed."""
    dice = random.Random(f"{seed} {number}")
    one = Scenario(number, app=dice.choice(["instagram", "tiktok"]), language=dice.choice(LANGUAGES))
    one.version = dice.choice(VERSIONS[one.app])
    one.delay = dice.choice([0, 0, 0.05, 0.1, 0.3])
    one.keyboard = dice.random() < 0.3
    _sessions(one, dice)
    _answers(one, dice)
    if one.language != "ja":
        _surprises(one, dice)
    _mishaps(one, dice)
    return one


def _sessions(one: Scenario, dice: random.Random) -> None:
    choices: list[list[str]] = [
        [],
        [],
        [],
        [one.other],
        [one.other, one.wanted],
        [one.wanted, one.other],
        [one.wanted],
    ]
    one.signed_in = dice.choice(choices)
    if not one.signed_in and one.app == "instagram" and dice.random() < 0.4:
        one.saved = dice.choice([[one.wanted], [one.other], [one.other, one.wanted]])
    if dice.random() < 0.2:
        left = LEFT[one.app] + (LEFT_SIGNED_IN[one.app] if one.signed_in else [])
        one.left = dice.choice(left)


def _answers(one: Scenario, dice: random.Random) -> None:
    one.behaviour = dice.choices(list(BEHAVIOURS), list(BEHAVIOURS.values()))[0]
    if one.behaviour == "kicked" and one.wanted in one.signed_in:
        one.behaviour = "ok"  # whether it is kicked out would depend on the page that is open
    one.password = dice.choice(PASSWORDS)
    one.types = dice.choices(["right", "wrong", "none"], [8, 2, 1])[0]
    one.name = dice.choices(["username", "email", "other", "unknown"], [5, 5, 1, 1])[0]
    one.totp = one.behaviour in ("ok", "approve_elsewhere") and dice.random() < 0.4
    one.codes = dice.random() < (0.75 if one.totp else 0.2)


def _surprises(one: Scenario, dice: random.Random) -> None:
    one.popups = [popup for popup in POPUPS[one.app] if dice.random() < 0.15]
    if (
        dice.random() < 0.06 and one.left not in LEFT_SIGNED_IN[one.app]
    ):  # they come as an app starts, not later
        one.popups.append(dice.choice(FATAL))


def _mishaps(one: Scenario, dice: random.Random) -> None:
    """At most one thing that is wrong with the phone itself."""
    chance = dice.random()
    if chance < 0.12:
        one.fault = dice.choice(FAULTS)
    elif chance < 0.16:
        one.lock = dice.choice(["swipe", "pin"])
    elif chance < 0.19:
        one.clock = dice.choice([300.0, -300.0, 200_000.0, -200_000.0])
    elif chance < 0.34:
        one.stumble, one.stumble_at = dice.choice(STUMBLES), dice.randrange(1, 40)
