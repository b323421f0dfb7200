"""A slice of `./run logins`, with another seed every time."""

from __future__ import annotations

import secrets

import pytest

from tests.logins.__main__ import run
from tests.phones import RunningAdb

COUNT = 60


@pytest.mark.slow
def test_every_login_ends_as_the_simulator_knows_it_did(
    adb_server: RunningAdb, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = secrets.randbelow(100_000)
    code = run([*range(COUNT)], seed, 10, adb_server.server)

    assert code == 0, f"./run logins --count {COUNT} --seed {seed}\n{capsys.readouterr().out}"
