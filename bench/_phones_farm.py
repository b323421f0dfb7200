"""Simulated phones in a process of their own, for bench/phones.py: `python -m bench._phones_farm COUNT READY.json`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from devices.phones.u2_server import server_jar
from devices.simulator.__main__ import serve
from devices.simulator.farm import Farm

PACKAGE = "com.instagram.android"
PASSWORD = "bench-password"  # noqa: S105 - of simulated accounts


def described(count: int, delay: float = 0.0) -> dict[str, Any]:
    """So many phones with Instagram, signed out, and an account for each."""
    app = {"app": "instagram", "delay": delay}
    return {
        "phones": [{"serial": f"B{number}", "apps": [app]} for number in range(count)],
        "logins": [
            {"app": "instagram", "username": f"bench.{number}", "password": PASSWORD}
            for number in range(count)
        ],
    }


def made(count: int, delay: float = 0.0) -> Farm:
    """The farm, with the uiautomator server on the phones already."""
    farm = Farm.from_dict(described(count, delay))
    farm.put_file(*server_jar())
    return farm


def main() -> None:
    count, ready = int(sys.argv[1]), sys.argv[2]
    asyncio.run(serve(made(count), 0, ready))


def addresses(ready: Path) -> dict[str, str]:
    """serial -> address, out of the file that says that the phones listen."""
    found: dict[str, str] = json.loads(ready.read_text())["phones"]
    return found


if __name__ == "__main__":
    main()
