"""The supervisor brings back what ended, as a service manager would, and not before its time."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from config.processes import Process
from tests.faults.roles import PAUSE, Postgres, Role, Supervisor
from tests.phones import wait_for


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    made = Supervisor(Random(1))
    yield made
    made.close()


def sleeper(folder: Path) -> Role:
    return Role("sleeper", ["sleep", "60"], folder / "sleeper.log", {})


def tend(supervisor: Supervisor, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        supervisor.tend()
        time.sleep(0.02)


def test_what_was_killed_is_started_again(supervisor: Supervisor, tmp_path: Path) -> None:
    role = supervisor.add(sleeper(tmp_path))
    role.signal(signal.SIGKILL)
    tend(supervisor, PAUSE[1] + 0.5)
    assert (role.is_up, role.starts) == (True, 2)


def test_what_is_to_stay_down_stays_down(supervisor: Supervisor, tmp_path: Path) -> None:
    role = supervisor.add(sleeper(tmp_path))
    role.kill(60)
    tend(supervisor, PAUSE[1] + 0.5)
    assert (role.is_up, role.starts) == (False, 1)


def test_what_is_prepared_for_a_start_happens_once(supervisor: Supervisor, tmp_path: Path) -> None:
    role, done = supervisor.add(sleeper(tmp_path)), []
    role.before_start = lambda: done.append(role.is_up)
    for _ in range(2):
        role.signal(signal.SIGKILL)
        tend(supervisor, PAUSE[1] + 0.5)
    assert (done, role.starts) == ([False], 3)


def test_a_paused_process_is_ended_too(tmp_path: Path) -> None:
    supervisor = Supervisor(Random(1))
    role = supervisor.add(sleeper(tmp_path))
    role.signal(signal.SIGSTOP)
    supervisor.close()
    assert not role.is_up


def test_what_finds_its_disk_full_writes_nothing_more(supervisor: Supervisor, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.touch()
    command = ["/bin/sh", "-c", f"while sleep 0.02; do echo line >>{out}; done"]
    role = supervisor.add(Role("writer", command, tmp_path / "log", {}))
    wait_for(lambda: out.stat().st_size > 0, 5, "a line")
    role.limit_files(0)
    size = out.stat().st_size
    wait_for(lambda: not role.is_up, 5, "the end")
    assert out.stat().st_size - size in (0, 5)  # one may have been on its way


def test_a_server_is_paused_with_the_children_that_do_its_work(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.touch()
    work = f"while kill -0 $PPID && sleep 0.02; do echo line >>{out}; done"
    process = Process("server", ["sh", "-c", f"setsid sh -c '{work}' & wait"], tmp_path / "log")
    role = Postgres(process)
    wait_for(lambda: out.stat().st_size > 0, 5, "a line")
    role.signal(signal.SIGSTOP)
    size = out.stat().st_size
    time.sleep(0.3)
    assert out.stat().st_size - size in (0, 5)  # one may have been on its way
    role.signal(signal.SIGCONT)
    wait_for(lambda: out.stat().st_size > size + 5, 5, "another line")
    process.stop()
