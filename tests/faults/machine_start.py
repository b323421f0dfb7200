"""Starts the state machine in processes of its own, for it replaces the clock of the whole process."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys

EXAMPLES = int(os.environ.get("PHONERACK_EXAMPLES", "2000"))
SEED = int(os.environ.get("PHONERACK_SEED", "1"))
SECONDS = max(900, EXAMPLES)  #: a machine that has more to do takes longer
END_SECONDS = 10.0  #: for one that is told to end
CORES = 2
#: The test that waits for them -> the databases on which it is played, each for one of so many examples.
PLAYED = {
    "test_the_promise_holds_on_sqlite": [("sqlite://:memory:", CORES)] * CORES,
    "test_the_promise_holds_on_postgresql": [("postgres", 20)],
}

_begun: dict[str, list[subprocess.Popen[str]]] = {}


def begin(test: str) -> None:
    """All examples of that test; `results` waits for them."""
    _begun[test] = [
        _start(max(EXAMPLES // share, 1), SEED + number, database)
        for number, (database, share) in enumerate(PLAYED[test])
    ]


def _start(examples: int, seed: int, database: str) -> subprocess.Popen[str]:
    """So many examples, when nobody else wants the processor."""
    options = ["--examples", str(examples), "--seed", str(seed), "--database", database]
    command = ["nice", "-n", "19", sys.executable, "-m", "tests.faults.machine_main", *options]
    # A session of its own: Ctrl-C comes once, by `end`.
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def results(test: str) -> list[bool]:
    """Of all of them, so that none is left behind."""
    return [_held(process) for process in _begun[test]]


def _held(process: subprocess.Popen[str]) -> bool:
    """Whether the promise held; what the machine says is printed, so that a failure shows it."""
    try:
        said, _nothing = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
    print(said)  # noqa: T201
    return process.returncode == 0


def end() -> None:
    """As with Ctrl-C, so that each clears up behind itself."""
    playing = [process for begun in _begun.values() for process in begun if process.poll() is None]
    for process in playing:
        process.send_signal(signal.SIGINT)
    for process in playing:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)
        process.kill()
        process.wait()
