"""`python -m tests.faults.machine_main`: the state machine on one database, in a process of its own.

A process of its own, for it replaces the clock, Redis and the phones of the whole process.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django

from config import postgres_server


def main(argv: list[str] | None = None) -> int:
    """0 when the promise held in all examples; 1, and the shortest way to break it, when it did not."""
    args = parser().parse_args(argv)
    with server_of(args.database) as url:
        return play(args, url)


@contextmanager
def server_of(database: str) -> Iterator[str]:
    """The URL of the database; "postgres" is one on a server of our own. Raises NoServer."""
    if database != "postgres":
        yield database
        return
    with tempfile.TemporaryDirectory(prefix="phonerack-machine-") as folder:
        process, url = postgres_server.start(Path(folder))
        try:
            yield url
        finally:
            process.stop()


def play(args: argparse.Namespace, url: str) -> int:
    os.environ["DJANGO_SETTINGS_MODULE"], os.environ["DATABASE_URL"] = "tests.settings", url
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    gc.freeze()  # models, admin and migrations live as long as the process
    gc.set_threshold(20_000, 20, 20)
    say(
        f"{args.examples} examples of {args.steps} steps, seed {args.seed}, on {args.database.partition(':')[0]}"
    )
    begun = time.perf_counter()
    held = run(args)
    say(f"{'held' if held else 'BROKEN'} after {time.perf_counter() - begun:.0f} s, seed {args.seed}")
    return 0 if held else 1


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="machine", description="Any order of events, with the promise held against it."
    )
    made.add_argument("--examples", type=int, default=100)
    made.add_argument("--steps", type=int, default=50, help="of an example, at most")
    made.add_argument("--seed", type=int, default=0)
    made.add_argument(
        "--database",
        default="sqlite://:memory:",
        help="a DATABASE_URL, whose tables are emptied; postgres: one on a server of our own",
    )
    made.add_argument(
        "--quick", action="store_true", help="show the first way that is found, not the shortest"
    )
    return made


def run(args: argparse.Namespace) -> bool:
    """Whether the promise held."""
    from hypothesis import HealthCheck, Phase, seed, settings
    from hypothesis.stateful import run_state_machine_as_test

    from tests.faults import machine, machine_stage

    machine.CLOCK.append(machine_stage.set_up())
    wanted = settings(
        max_examples=args.examples, stateful_step_count=args.steps, deadline=None, database=None,
        phases=[Phase.generate] if args.quick else [Phase.generate, Phase.shrink], report_multiple_bugs=False,
        # An example is long by design; what takes long is the real controller on a real database.
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
        print_blob=False,
    )  # fmt: skip
    try:
        run_state_machine_as_test(seed(args.seed)(machine.Machine), settings=wanted)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        say(*getattr(error, "__notes__", []), f"{type(error).__name__}: {error}")
        return False
    finally:
        machine_stage.tear_down()
    return True


def say(*lines: str) -> None:
    print(*lines, sep="\n", flush=True)  # noqa: T201 - the answer of a command


if __name__ == "__main__":
    sys.exit(main())
