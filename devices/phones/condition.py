"""What a phone says about itself when something has gone wrong: one shell call, read here."""

from __future__ import annotations

import re

from devices.phones.phone import Condition

ROOM_MB = 50  #: with less free, apps and the uiautomator server cannot write

#: Each part of the answer stands under a line with its name.
QUESTION = (
    "echo @clock; date +%s; echo @disk; df -k /data; echo @net; dumpsys connectivity | grep 'Active default network'; "
    "echo @app; cmd locale get-app-locales {package} --user 0 2>/dev/null; "
    "echo @phone; getprop persist.sys.locale; getprop ro.product.locale"
)


def read_condition(said: str, now: float) -> Condition:
    """The Condition out of the answer; `now` is this host's clock, in the middle of the call."""
    parts = dict(re.findall(r"^@(\w+)\r?\n(.*?)(?=^@|\Z)", said, re.MULTILINE | re.DOTALL))
    clock = re.search(r"^(\d{9,11})\s*$", parts.get("clock", ""), re.MULTILINE)
    network = re.search(r"Active default network: (\w+)", parts.get("net", ""))
    own = re.search(r"\[(\w+)", parts.get("app", ""))
    language = own or re.search(r"^(\w+)", parts.get("phone", "").strip())
    return Condition(
        clock_ahead=int(clock[1]) + 0.5 - now if clock else None,
        free_mb=_free(parts.get("disk", "")),
        connected=network[1] != "none" if network else None,
        language=language[1].lower() if language else "",
    )


def _free(table: str) -> int | None:
    """Megabytes free on /data, out of what `df -k` says: a head, then numbers, the third is what is free."""
    for line in table.splitlines()[1:]:
        numbers = re.findall(r"(?<!\S)\d+(?!\S)", line)
        if len(numbers) >= 3:
            return int(numbers[2]) // 1024
    return None
