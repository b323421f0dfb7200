"""What a farm is made of: phones, the apps on them, and the logins that the simulated services know."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

APPS = ("instagram", "tiktok")
PACKAGES = {"instagram": "com.instagram.android", "tiktok": "com.zhiliaoapp.musically"}
VERSIONS = {"instagram": "410.0.0.53.71", "tiktok": "43.1.4"}
LANGUAGES = ("en", "fr", "nl", "de", "es", "pt", "ja")  #: of ja the screens know no word
LOCKS = ("", "swipe", "pin")
POPUPS = (
    "permission", "anr", "crash", "autofill", "password_manager",  # Android's
    "notifications", "contacts", "update_offered", "update_required", "logged_out",
    "survey",  #: a page that nobody knows
    "survey_once",  #: the same until the app is force-stopped
    "terms", "update",  # TikTok only
    "add_account_sheet",  # Instagram only
)  # fmt: skip
BEHAVIOURS = (
    "ok", "captcha", "email_code", "sms_code", "suspicious", "identity", "locked", "suspended", "rate_limited",
    "approve_elsewhere", "age_gate",
    "survey",  #: after the password comes a page that nobody knows
    "no_answer",  #: the service never answers
    "kicked",  #: signed out again as soon as the profile is opened
)  # fmt: skip


class DescriptionError(ValueError):
    """The description of the farm is wrong; the message says where and how in one sentence."""


@dataclass(frozen=True)
class AppSpec:
    """An app that is installed on a phone."""

    app: str
    package: str = ""
    version: str = ""
    language: str = "en"
    signed_in: tuple[str, ...] = ()
    saved: tuple[str, ...] = ()  #: signed out, but still offered on the first screen
    delay: float = 0.0  #: seconds the app takes to answer a tap
    popups: tuple[str, ...] = ()


@dataclass(frozen=True)
class PhoneSpec:
    """A phone of the farm."""

    serial: str
    model: str = "Pixel 6"
    android: str = "13"
    usb: str = ""
    battery: int = 80
    temperature: float = 28.0
    port: int = 0
    language: str = "en"
    lock: str = ""  #: swipe or pin: the screen is off and locked at first
    clock: float = 0.0  #: seconds by which its clock is ahead
    keyboard: bool = False  #: whether a keyboard window comes up with a focused field
    adb_keyboard: bool = False  #: whether AdbKeyboard is installed already
    apps: tuple[AppSpec, ...] = ()


@dataclass(frozen=True)
class Login:
    """An account as the simulated service knows it."""

    app: str
    username: str
    email: str = ""
    password: str = field(default="", repr=False)
    totp_secret: str = field(default="", repr=False)
    code: str = field(default="123456", repr=False)  #: what the service would send by e-mail or SMS
    nickname: str = ""
    behaviour: str = "ok"
    followers: int = 0
    following: int = 0
    posts: int = 0
    likes: int = 0
    videos: int = 0
    friends: int = 0


@dataclass(frozen=True)
class FarmSpec:
    """A whole farm."""

    phones: tuple[PhoneSpec, ...]
    logins: tuple[Login, ...] = ()


KINDS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
}
WORDS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


def require(condition: object, message: str) -> None:
    """Raise DescriptionError unless `condition`."""
    if not condition:
        raise DescriptionError(message)


def check_value(name: str, kind: str, value: Any, where: str) -> Any:
    """The value in the type of its field; YAML reads `13` as a number where a text is meant."""
    if kind.startswith("tuple[str"):
        require(isinstance(value, list | tuple), f"{where}: {name} must be a list.")
        return tuple(str(one) for one in value)
    if kind == "str" and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    wanted = KINDS[kind]
    fits = isinstance(value, wanted) and (kind == "bool" or not isinstance(value, bool))
    require(fits, f"{where}: {name} must be {WORDS[wanted[-1]]}.")
    return value


def read_fields(cls: type, data: Any, where: str) -> dict[str, Any]:
    """The fields of `cls` out of a mapping, checked one by one; lists of objects are left out."""
    require(isinstance(data, Mapping), f"{where} must be a mapping.")
    known = {one.name: one for one in fields(cls)}
    for name in data:
        require(name in known, f"{where}: {name} is not known; known are {', '.join(known)}.")
    for name, one in known.items():
        missing = one.default is MISSING and one.default_factory is MISSING
        require(not missing or data.get(name), f"{where}: {name} is missing.")
    plain = {name: value for name, value in data.items() if "Spec" not in str(known[name].type)}
    return {name: check_value(name, str(known[name].type), value, where) for name, value in plain.items()}


def read_app(data: Any, where: str) -> AppSpec:
    """An AppSpec with its package and version filled in. Raises DescriptionError."""
    values = read_fields(AppSpec, data, where)
    kind = values["app"]
    require(kind in APPS, f"{where}: app must be one of {', '.join(APPS)}.")
    values["package"] = values.get("package") or PACKAGES[kind]
    values["version"] = values.get("version") or VERSIONS[kind]
    require(
        values.get("language", "en") in LANGUAGES, f"{where}: language must be one of {', '.join(LANGUAGES)}."
    )
    require(values.get("delay", 0) >= 0, f"{where}: delay must not be negative.")
    for popup in values.get("popups", ()):
        require(popup in POPUPS, f"{where}: popup {popup} is not known; known are {', '.join(POPUPS)}.")
    return AppSpec(**values)


def read_phone(data: Any, where: str) -> PhoneSpec:
    """A PhoneSpec. Raises DescriptionError."""
    values = read_fields(PhoneSpec, data, where)
    serial = values["serial"]
    require(
        re.fullmatch(r"[\w.:-]+", serial),
        f"{where}: serial {serial!r} may hold letters, digits and _ . : - only.",
    )
    where = f"phone {serial}"
    require(0 <= values.get("battery", 80) <= 100, f"{where}: battery must be between 0 and 100.")
    require(0 <= values.get("port", 0) <= 65535, f"{where}: port must be between 0 and 65535.")
    require(
        values.get("language", "en") in LANGUAGES, f"{where}: language must be one of {', '.join(LANGUAGES)}."
    )
    require(values.get("lock", "") in LOCKS, f"{where}: lock must be swipe, pin or empty.")
    listed = data.get("apps") or []
    require(isinstance(listed, list | tuple), f"{where}: apps must be a list.")
    apps = tuple(read_app(app, f"{where}, app {number}") for number, app in enumerate(listed, 1))
    twice = repeated(app.package for app in apps)
    require(not twice, f"{where}: package {twice} is installed twice.")
    return PhoneSpec(**values, apps=apps)


def read_login(data: Any, where: str = "login") -> Login:
    """A Login. Raises DescriptionError, never with the password in it."""
    values = read_fields(Login, data, where)
    where = f"login {values['username']}"
    require(values["app"] in APPS, f"{where}: app must be one of {', '.join(APPS)}.")
    behaviour = values.get("behaviour", "ok")
    require(behaviour in BEHAVIOURS, f"{where}: behaviour must be one of {', '.join(BEHAVIOURS)}.")
    letters = values.get("totp_secret", "").replace(" ", "").rstrip("=")
    require(re.fullmatch(r"[A-Za-z2-7]*", letters), f"{where}: totp_secret must be base32.")
    return Login(**values)


def repeated(names: Any) -> Any:
    """The first name that occurs twice, or None."""
    seen = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def read_farm(data: Any) -> FarmSpec:
    """A FarmSpec out of plain data. Raises DescriptionError."""
    require(isinstance(data, Mapping), "A farm must be a mapping with phones and logins.")
    unknown = sorted(set(data) - {"phones", "logins"})
    require(not unknown, f"The farm has {', '.join(map(str, unknown))}; known are phones and logins.")
    for name in ("phones", "logins"):
        require(isinstance(data.get(name) or [], list | tuple), f"The farm's {name} must be a list.")
    phones = tuple(
        read_phone(one, f"phone {number}") for number, one in enumerate(data.get("phones") or [], 1)
    )
    require(phones, "The farm has no phones.")
    logins = tuple(
        read_login(one, f"login {number}") for number, one in enumerate(data.get("logins") or [], 1)
    )
    twice = repeated(phone.serial for phone in phones)
    require(not twice, f"The serial {twice} is given to two phones.")
    twice = repeated(phone.port for phone in phones if phone.port)
    require(not twice, f"The port {twice} is given to two phones.")
    return FarmSpec(phones, logins)


def read_file(path: Path | str) -> FarmSpec:
    """A FarmSpec out of a YAML file. Raises DescriptionError."""
    import yaml  # late: a farm made by --count does without it

    try:
        return read_farm(yaml.safe_load(Path(path).read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}" if mark else ""
        raise DescriptionError(f"{Path(path).name} is not YAML{line}.") from None


def plain_phones(count: int) -> dict[str, Any]:
    """The description of `count` phones, each with both apps."""
    apps = [{"app": app} for app in APPS]
    return {
        "phones": [
            {"serial": f"SIMPHONE{number:02d}", "usb": f"1-{1 + number // 8}.{1 + number % 8}", "apps": apps}
            for number in range(1, count + 1)
        ]
    }
