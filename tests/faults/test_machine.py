"""The promise of docs/queue.md, held against any order of events: docs/proofs.md.

PHONERACK_EXAMPLES is how many examples are tried on SQLite (a fiftieth of it on PostgreSQL), PHONERACK_SEED where
they begin. Each run says its seed; the same seed finds the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from config import postgres_server
from tests.faults.machine_start import EXAMPLES, SECONDS, SEED, held, results, start
from tests.faults.mutants import make_database

pytestmark = [pytest.mark.slow, pytest.mark.timeout(SECONDS + 60)]


def test_the_promise_holds_on_sqlite() -> None:
    found = results()  # it began with the session: conftest.py
    assert found
    assert all(found)


@pytest.fixture
def postgres_url(tmp_path: Path) -> Iterator[str]:
    try:
        process, url = postgres_server.start(tmp_path)
    except postgres_server.NoServer as error:
        pytest.skip(str(error))
    yield make_database(url, "machine")
    process.stop()


def test_the_promise_holds_on_postgresql(postgres_url: str) -> None:
    assert held(start(max(EXAMPLES // 50, 1), SEED, postgres_url))
