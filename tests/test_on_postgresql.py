"""What the suite shows on PostgreSQL only, for a suite that runs on SQLite: in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from config import postgres_server

#: Locks, the one statement per 500 rows, raw SQL, and the constraints that keep two runs apart.
TESTS = [
    "tests/automation/test_bulk.py",
    "tests/automation/test_deletions.py",
    "tests/automation/test_locks.py",
    "tests/automation/test_services.py",
    "tests/automation/controller/test_offers.py",
    "tests/automation/controller/test_dispatch.py",
    "tests/devices/test_services.py",
    "tests/accounts/excel/test_jobs.py",
]
SECONDS = 300

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(SECONDS + 60),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="the suite runs on PostgreSQL already"),
]


def test_the_locks_the_offers_and_the_imports_hold_on_postgresql(tmp_path: Path) -> None:
    try:
        process, url = postgres_server.start(tmp_path)
    except postgres_server.NoServer as error:
        pytest.skip(str(error))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS]
    try:
        done = subprocess.run(
            command, env={**os.environ, "DATABASE_URL": url}, capture_output=True, text=True, timeout=SECONDS
        )
    finally:
        process.stop()
    assert done.returncode == 0, done.stdout[-5000:]
    assert "skipped" not in done.stdout, "they did not run on PostgreSQL"
