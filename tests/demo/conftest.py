"""A demo in a process of its own, in a folder of the test's own."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from config.env import BASE
from tests.phones import wait_for

NOT_FOR_A_DEMO = ("SECRET_KEY", "PHONERACK", "DJANGO_SETTINGS_MODULE", "DATABASE_URL", "REDIS_URL")


class RunningDemo:
    """`manage.py demo` as a child."""

    def __init__(self, state: Path, number: int, *arguments: str, **env: str) -> None:
        self.state, self.slot, self.output = state, state / str(number), state.with_suffix(f".{number}.out")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(NOT_FOR_A_DEMO)}
        with self.output.open("w") as out:
            self.popen = subprocess.Popen(
                [sys.executable, str(BASE / "manage.py"), "demo", *arguments], stdout=out, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL, start_new_session=True,
                env={**inherited, "PHONERACK_STATE": str(state), **env},
            )  # fmt: skip

    def wait(self, seconds: float = 150) -> int:
        return self.popen.wait(timeout=seconds)

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def ask(self, query: str) -> list[Any]:
        """Rows of the demo's database; none while it is not there."""
        try:
            with sqlite3.connect(
                f"file:{self.slot / 'phonerack.sqlite3'}?mode=ro", uri=True, timeout=5
            ) as database:
                return database.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []

    def wait_for_rows(self, query: str, what: str, seconds: float = 90) -> list[Any]:
        def look() -> list[Any]:
            assert self.popen.poll() is None, self.said()
            return self.ask(query)

        return wait_for(look, seconds, what)

    def processes(self) -> list[int]:
        """Every live process that was started with this demo's folder."""
        return [int(proc.name) for proc in Path("/proc").glob("[0-9]*") if self._is_ours(proc)]

    def _is_ours(self, proc: Path) -> bool:
        try:
            is_ours = f"PHONERACK_STATE={self.slot}\0".encode() in (proc / "environ").read_bytes()
            return is_ours and "Z" not in (proc / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False

    def kill(self) -> None:
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGINT)
            try:
                self.popen.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(self.popen.pid, signal.SIGKILL)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Callable[..., RunningDemo]]:
    """Starts demos in one folder, the second in its second slot; all are ended with the test."""
    started: list[RunningDemo] = []

    def start(*arguments: str, **env: str) -> RunningDemo:
        one = RunningDemo(tmp_path / "demo", len(started) + 1, *arguments, **env)
        started.append(one)
        return one

    yield start
    for one in started:
        one.kill()
