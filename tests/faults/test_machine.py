"""The promise of docs/queue.md, held against any order of events: docs/proofs.md.

PHONERACK_EXAMPLES is how many examples are tried on SQLite (a twentieth of it on PostgreSQL), PHONERACK_SEED where
they begin. Each run says its seed; the same seed finds the same.
"""

from __future__ import annotations

import pytest

from config import postgres_server
from tests.faults.machine_start import PLAYED, SECONDS, results

pytestmark = [pytest.mark.slow, pytest.mark.timeout(SECONDS + 60)]


def test_the_promise_holds_on_sqlite() -> None:
    found = results("test_the_promise_holds_on_sqlite")  # it began with the session: conftest.py
    assert len(found) == len(PLAYED["test_the_promise_holds_on_sqlite"])
    assert all(found)


def test_the_promise_holds_on_postgresql() -> None:
    try:
        postgres_server.find_programs()
    except postgres_server.NoServer as error:
        pytest.skip(str(error))
    assert results("test_the_promise_holds_on_postgresql") == [True]
