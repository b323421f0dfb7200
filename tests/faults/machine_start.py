"""Starts the state machine in processes of its own, for it replaces the clock of the whole process."""

from __future__ import annotations

import os
import subprocess
import sys

EXAMPLES = int(os.environ.get("PHONERACK_EXAMPLES", "2000"))
SEED = int(os.environ.get("PHONERACK_SEED", "1"))
SECONDS = max(900, EXAMPLES)  #: a machine that has more to do takes longer
CORES = 2
TEST = "test_the_promise_holds_on_sqlite"  #: what asks for its results

_begun: list[subprocess.Popen[str]] = []


def start(examples: int, seed: int, database: str) -> subprocess.Popen[str]:
    """So many examples, when nobody else wants the processor."""
    options = ["--examples", str(examples), "--seed", str(seed), "--database", database]
    command = ["nice", "-n", "19", sys.executable, "-m", "tests.faults.machine_main", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def held(process: subprocess.Popen[str]) -> bool:
    """Whether the promise held; what the machine says is printed, so that a failure shows it."""
    try:
        said, _nothing = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
    print(said)  # noqa: T201
    return process.returncode == 0


def begin() -> None:
    """All examples on SQLite; `results` waits for them."""
    _begun.extend(start(EXAMPLES // CORES, SEED + number, "sqlite://:memory:") for number in range(CORES))


def results() -> list[bool]:
    """Of all of them, so that none is left behind."""
    return [held(process) for process in _begun]


def end() -> None:
    for process in _begun:
        process.kill()
        process.wait()
