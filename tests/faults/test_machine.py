"""The promise of docs/queue.md, held against any order of events: docs/proofs.md.

PHONERACK_EXAMPLES is how many examples are tried on SQLite (a twentieth of it on PostgreSQL), PHONERACK_SEED where
they begin. Each run says its seed; the same seed finds the same.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import postgres_server
from tests.faults.mutants import make_database

EXAMPLES = int(os.environ.get("PHONERACK_EXAMPLES", "400"))
SEED = int(os.environ.get("PHONERACK_SEED", "1"))
SECONDS = max(900, EXAMPLES)  #: a machine that has more to do takes longer
CORES = 2

pytestmark = [pytest.mark.slow, pytest.mark.timeout(SECONDS + 60)]


def start(examples: int, seed: int, database: str) -> subprocess.Popen[str]:
    """The state machine in a process of its own, for it replaces the clock of the whole process."""
    options = ["--examples", str(examples), "--seed", str(seed), "--database", database]
    command = [sys.executable, "-m", "tests.faults.machine_main", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def held(process: subprocess.Popen[str]) -> bool:
    """Whether the promise held; what the machine says is printed, so that a failure shows it."""
    try:
        said, _nothing = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
    print(said)  # noqa: T201
    return process.returncode == 0


def test_the_promise_holds_on_sqlite() -> None:
    chunks = [start(EXAMPLES // CORES, SEED + number, "sqlite://:memory:") for number in range(CORES)]
    results = [held(chunk) for chunk in chunks]  # all of them, so that none is left behind
    assert all(results)


@pytest.fixture
def postgres_url(tmp_path: Path) -> Iterator[str]:
    try:
        process, url = postgres_server.start(tmp_path)
    except postgres_server.NoServer as error:
        pytest.skip(str(error))
    yield make_database(url, "machine")
    process.stop()


def test_the_promise_holds_on_postgresql(postgres_url: str) -> None:
    assert held(start(max(EXAMPLES // 20, 1), SEED, postgres_url))
