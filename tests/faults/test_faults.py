"""The slice of the fault test that every push must pass; `./run faults` goes on for as long as one likes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time

import pytest

from config.env import BASE

SEED = os.environ.get("FAULTS_SEED", "20")
DATABASE = os.environ.get("FAULTS_DATABASE", "sqlite")
RUNS, FAULTS, KINDS = 1000, 60, 10  #: at least
MINUTES = 3  #: of faults; where that is too short for so many runs and faults, up to twice as long
SECONDS = 480  #: for all of it


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 30)
def test_no_promise_is_broken_by_sixty_faults_in_a_thousand_runs() -> None:
    options = ["--minutes", str(MINUTES), "--runs", str(RUNS), "--faults", str(FAULTS)]
    code, said, seconds = faults(*options, "--seed", SEED, "--database", DATABASE)
    print(said)  # noqa: T201 - seed, schedule and verdict, for whoever reads a failure
    assert code == 0, said.splitlines()[-1]
    counts = re.search(r"(\d+) runs, (\d+) faults of (\d+) kinds", said.splitlines()[-1])
    assert counts is not None
    runs, injected, kinds = map(int, counts.groups())
    if runs < RUNS or injected < FAULTS:
        pytest.fail(
            f"No promise was broken, but {runs} runs and {injected} faults in {seconds:.0f} s are too few to say so: "
            f"this machine is too slow, or too busy. Try again when it is idle."
        )
    assert kinds >= KINDS


def faults(*options: str) -> tuple[int, str, float]:
    """(exit code, all that was said, seconds) of `./run faults`, which is ended when it takes too long."""
    begun = time.monotonic()
    command = [sys.executable, "-m", "tests.faults", *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=BASE
    ) as process:
        try:
            said, _nothing = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.terminate()  # it ends what it has started
            said, _nothing = process.communicate(timeout=30)
            said += f"It was not over after {SECONDS} s: this machine is too slow, or too busy."
    return process.returncode, said, time.monotonic() - begun
