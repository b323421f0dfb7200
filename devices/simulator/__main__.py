"""Run a farm of simulated phones: `python -m devices.simulator FARM.yaml --control 8900`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from devices.simulator.description import DescriptionError, plain_phones
from devices.simulator.farm import Farm


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options, for this command and for `manage.py simulate_phones`."""
    parser.add_argument("farm", nargs="?", help="the description of the farm, a YAML file")
    parser.add_argument(
        "--control", type=int, metavar="PORT", help="port of the outside control; 0 = a free one"
    )
    parser.add_argument("--ready", metavar="FILE", help="written as JSON once every phone listens")
    parser.add_argument("--journal", metavar="FILE", help="every touch is added to it as a line of JSON")
    parser.add_argument("--count", type=int, metavar="N", help="N plain phones instead of a description")


def make_farm(path: str | None, count: int | None) -> Farm:
    """The farm that the options ask for. Raises DescriptionError or OSError."""
    if path:
        return Farm.from_file(path)
    if count is None or count < 1:
        raise DescriptionError("Give the description of a farm, or --count with the number of phones.")
    return Farm.from_dict(plain_phones(count))


def write_ready(path: Path, farm: Farm) -> None:
    """Tell where everything listens; whoever reads the file never sees half of it."""
    facts = {
        "control": farm.control.address if farm.control else None,
        "phones": {serial: phone.address for serial, phone in farm.phones.items()},
    }
    half = path.with_name(path.name + f".{os.getpid()}")
    half.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    half.replace(path)


async def serve(farm: Farm, control: int | None, ready: str | None, journal: str | None = None) -> None:
    """Run the farm until SIGTERM or SIGINT."""
    if journal:
        farm.write_journal(Path(journal))
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await farm.start(control)
    try:
        if ready:
            write_ready(Path(ready), farm)
        await ended.wait()
    finally:
        await farm.stop()


def run(options: argparse.Namespace) -> int:
    """Run a farm by its options; the exit code, with one sentence on stderr when it cannot be done."""
    try:
        farm = make_farm(options.farm, options.count)
        asyncio.run(serve(farm, options.control, options.ready, options.journal))
    except (DescriptionError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; gives back its exit code."""
    parser = argparse.ArgumentParser(prog="python -m devices.simulator", description=__doc__)
    add_arguments(parser)
    return run(parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
