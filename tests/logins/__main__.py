"""`./run logins --count 1000 --seed 1`: logins on simulated phones, and whether each ended as it truly did."""

from __future__ import annotations

import argparse
import secrets
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from config.processes import free_port
from devices.phones.adb import AdbServer, start_server
from tests.logins.play import Played, play
from tests.logins.scenario import made


def main() -> int:
    """0 when every login ended as the simulator knows it did."""
    options = parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    numbers = options.only or range(options.count)
    say(f"seed {options.seed}, {len(numbers)} logins, {options.lanes} at a time")
    with tempfile.TemporaryDirectory(prefix="phonerack-logins-") as folder:
        port = free_port()
        process = start_server(port, Path(folder))
        try:
            return run([*numbers], options.seed, options.lanes, wait_for_server(port), options.all)
        finally:
            process.terminate()
            process.wait(10)


def wait_for_server(port: int) -> AdbServer:
    server = AdbServer(port=port)
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            server.phones()
        except Exception:  # noqa: BLE001 - it is just coming up
            time.sleep(0.1)
        else:
            return server
    raise SystemExit("The adb server did not come up.")


def run(numbers: list[int], seed: int, lanes: int, server: AdbServer, shows_all: bool = False) -> int:
    """Play them and say what was broken."""
    begun, ends, wrong = time.monotonic(), Counter[str](), list[Played]()
    for done in play([made(seed, number) for number in numbers], server, lanes):
        ends[f"{done.result.outcome} {done.result.reason}"] += 1
        if done.broken or shows_all:
            tell(done)
        if done.broken:
            wrong.append(done)
    for end, count in ends.most_common():
        say(f"{count:6}  {end}")
    say(verdict(wrong, len(numbers), seed, time.monotonic() - begun))
    return 1 if wrong else 0


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def tell(done: Played) -> None:
    result = done.result
    said = (
        f"#{done.scenario.number} {result.outcome} {result.reason} in {done.seconds:.1f} s: {result.message}"
    )
    say("\n".join([said, f"    {done.scenario}", *(f"    {one}" for one in done.broken)]))


def verdict(wrong: list[Played], count: int, seed: int, seconds: float) -> str:
    kinds = Counter(line.split(":")[0].split()[0] for done in wrong for line in done.broken)
    return (
        f"{count} logins in {seconds:.0f} s with seed {seed}: {len(wrong)} not as they should be, "
        f"{kinds['WRONG']} wrong succeeded, {kinds['TOUCHED']} touches on a screen that is for a person"
    )


def parser() -> argparse.ArgumentParser:
    made_one = argparse.ArgumentParser(prog="./run logins", description=__doc__)
    made_one.add_argument("--count", type=int, default=1000)
    made_one.add_argument(
        "--seed", type=int, default=secrets.randbelow(100_000), help="repeats the same logins"
    )
    made_one.add_argument("--lanes", type=int, default=20, help="so many at a time")
    made_one.add_argument("--only", type=int, nargs="+", metavar="N", help="the logins with these numbers")
    made_one.add_argument("--all", action="store_true", help="tell of each login, not only of the wrong ones")
    return made_one


if __name__ == "__main__":
    sys.exit(main())
