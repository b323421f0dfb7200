"""`python -m automation.agent`: the agent of this host. Its only needs are Redis and adb."""

from __future__ import annotations

import argparse
import logging
import os
import platform
import re
import sys
from pathlib import Path

from automation.agent.identity import CannotStart
from automation.agent.own_screens import FOLDER
from automation.agent.worker import Agent
from automation.screens.schema import OWN
from devices.phones.adb import AdbServer


def main(argv: list[str] | None = None) -> int:
    """0 after a clean stop, 1 with one clear sentence when it cannot start, 70 after a defect."""
    args = parser().parse_args(argv)
    logging.basicConfig(level=args.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    screens = (
        args.state / args.name / FOLDER
    )  # what the controller sends, unless this host has a folder of its own
    os.environ.setdefault(OWN, str(screens.resolve()))
    screens.mkdir(parents=True, exist_ok=True)
    servers = [AdbServer(*address) for address in args.adb]
    try:
        agent = Agent(args.name, args.redis, args.state / args.name, servers, args.connect, args.lanes)
        agent.lets_end = args.on_stop == "finish"
        return agent.run()
    except CannotStart as error:
        print(f"agent: {error}", file=sys.stderr)  # noqa: T201 - the answer of a command
        return 1


def parser() -> argparse.ArgumentParser:
    """The options; what is not given comes from the environment."""
    made = argparse.ArgumentParser(
        prog="agent", description="The Phonerack agent: works on the phones of this host."
    )
    env, add = os.environ.get, made.add_argument
    add(
        "--name",
        type=_name,
        default=env("PHONERACK_HOST", platform.node().split(".")[0]),
        help="of this host",
    )
    add("--redis", default=_redis_url(), help="the controller's Redis (REDIS_URL or REDIS_URL_FILE)")
    add(
        "--adb",
        nargs="+",
        type=_address,
        default=_listed("PHONERACK_ADB", "127.0.0.1:5037"),
        help="adb servers",
    )
    add("--connect", nargs="*", default=env("PHONERACK_CONNECT", "").split(), help="cloud phones: ip:port")
    add("--lanes", type=int, default=int(env("PHONERACK_LANES", "60")), help="phones at once, at most")
    add(
        "--on-stop",
        choices=["hand-back", "finish"],
        default=env("PHONERACK_ON_STOP", "hand-back"),
        help="at SIGTERM: finish the step and hand the run back, or let it end; a second SIGTERM: let go at once",
    )
    add("--state", type=Path, default=Path(env("PHONERACK_AGENT_STATE", "state/agents")))
    add(
        "--log-level", default=env("LOG_LEVEL", "INFO").upper(), choices=["DEBUG", "INFO", "WARNING", "ERROR"]
    )
    return made


def _redis_url() -> str:
    file = os.environ.get("REDIS_URL_FILE")
    return Path(file).read_text().strip() if file else os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")


def _name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,48}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no name: letters, digits, - and _ only")
    return text


def _listed(variable: str, default: str) -> list[tuple[str, int]]:
    return [_address(text) for text in os.environ.get(variable, default).split()]


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no address: host:port, such as 127.0.0.1:5037")
    return host or "127.0.0.1", int(port)


if __name__ == "__main__":
    sys.exit(main())
