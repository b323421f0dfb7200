"""`python -m automation.agent`: the agent of this host. Its only needs are Redis and adb."""

from __future__ import annotations

import argparse
import logging
import os
import platform
import sys
from pathlib import Path

from automation.agent.identity import CannotStart
from automation.agent.worker import Agent
from devices.phones.adb import AdbServer


def main(argv: list[str] | None = None) -> int:
    """0 after a clean stop, 1 with one clear sentence when it cannot start."""
    args = parser().parse_args(argv)
    logging.basicConfig(
        level=args.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    servers = [AdbServer(*_address(text)) for text in args.adb]
    try:
        Agent(args.name, args.redis, args.state / args.name, servers, args.connect, args.lanes).run()
    except CannotStart as error:
        print(f"agent: {error}", file=sys.stderr)  # noqa: T201 - the answer of a command
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="agent", description="The Phonerack agent: works on the phones of this host."
    )
    env = os.environ.get
    made.add_argument(
        "--name", default=env("PHONERACK_HOST", platform.node().split(".")[0]), help="name of this host"
    )
    made.add_argument(
        "--redis", default=env("REDIS_URL", "redis://127.0.0.1:6379/0"), help="the controller's Redis"
    )
    made.add_argument(
        "--adb", nargs="+", default=env("PHONERACK_ADB", "127.0.0.1:5037").split(), help="adb servers"
    )
    made.add_argument(
        "--connect", nargs="*", default=env("PHONERACK_CONNECT", "").split(), help="cloud phones: ip:port"
    )
    made.add_argument(
        "--lanes", type=int, default=int(env("PHONERACK_LANES", "60")), help="phones at once, at most"
    )
    made.add_argument("--state", type=Path, default=Path(env("PHONERACK_AGENT_STATE", "state/agents")))
    made.add_argument("--log-level", default=env("LOG_LEVEL", "INFO"))
    return made


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host or "127.0.0.1", int(port)


if __name__ == "__main__":
    sys.exit(main())
