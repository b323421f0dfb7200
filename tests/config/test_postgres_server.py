"""A PostgreSQL server of our own: real programs, real processes."""

from __future__ import annotations

import time
from pathlib import Path

import psycopg
import pytest

from config import postgres_server


def test_it_answers_when_started_keeps_its_data_over_a_kill_and_ends_at_once_with_clients_connected(
    tmp_path: Path,
) -> None:
    process, url = postgres_server.start(tmp_path)
    try:
        with psycopg.connect(url) as database:
            database.execute("CREATE TABLE kept (number integer)")
        process.popen.kill()
        process.popen.wait(10)
        process = process.again()
        postgres_server.wait_until_it_answers(url, process)
        with psycopg.connect(url) as database:
            assert database.execute("SELECT count(*) FROM kept").fetchone() == (0,)
            database.commit()
            begun = time.monotonic()
            process.stop()
            assert time.monotonic() - begun < 5
    finally:
        process.stop()
    assert not process.is_alive()


def test_without_programs_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_server, "_folders", lambda: [Path("/nowhere")])
    with pytest.raises(postgres_server.NoServer, match="install postgresql"):
        postgres_server.find_programs()
