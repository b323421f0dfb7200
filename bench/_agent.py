"""A real agent with stand-in phones: everything but the phones and adb is the product's own.

python -m bench._agent --name h1 --redis URL --state FOLDER --phones h1.json --records FOLDER

The file `--phones` holds the serials that hang on this host now, and may change while the agent works.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bench._scripts  # noqa: F401 - registers the script
from automation.agent.worker import Agent
from bench._records import Recorder
from devices.phones.deadline import Deadline
from devices.phones.phone import PhoneFacts, PhoneSeen


class StandInServer:
    """An adb server as the inventory sees it: the phones of a file, and a bell that rings when it was changed."""

    port = 0

    def __init__(self, path: Path) -> None:
        self._path = path
        os.mkfifo(path.with_suffix(".bell"))

    def changes(self) -> Iterator[None]:
        """One for every ring, as adb tells at once that a phone came or went."""
        with self._path.with_suffix(".bell").open("r+b", buffering=0) as bell:
            while bell.read(1):
                yield

    def ensure_started(self) -> None:
        """It is always there."""

    def phones(self) -> list[PhoneSeen]:
        return [
            PhoneSeen(serial, "device", usb_path="1-1.1") for serial in json.loads(self._path.read_text())
        ]

    def facts(self, address: str, _deadline: Deadline | None = None) -> PhoneFacts:
        return PhoneFacts(address, "Stand-in", "14", battery=90, temperature=25.0)


def opener(recorder: Recorder) -> Callable[..., Any]:
    """`open_phone` for stand-in phones: each records from when to when it is in hand."""

    @contextmanager
    def open_phone(_server: StandInServer, address: str, deadline: Deadline) -> Iterator[Any]:
        phone = SimpleNamespace(serial=address, deadline=deadline, visit=recorder.visit)
        yield phone

    return open_phone


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench._agent", description=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--redis", required=True)
    for option in ("--state", "--phones", "--records"):
        parser.add_argument(option, type=Path, required=True)
    parser.add_argument("--lanes", type=int, default=60)
    args = parser.parse_args()
    logging.basicConfig(level=os.environ.get("LOG_LEVEL", "WARNING"))
    server: Any = StandInServer(args.phones)
    agent = Agent(args.name, args.redis, args.state / args.name, [server], [], args.lanes)
    agent.work.open_phone = opener(Recorder(args.records, args.name))
    return agent.run()


if __name__ == "__main__":
    sys.exit(main())
