"""Starting and surely ending the processes of one machine."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

STOP_SECONDS = 8.0  #: what a process gets after SIGTERM before it is killed
PR_SET_PDEATHSIG = 1  #: linux/prctl.h


def free_port() -> int:
    """A TCP port on loopback that nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host.strip("[]"), port))
        except OSError:
            return False
    return True


class Process:
    """A child with a process group and a log file of its own.

    `user` is whom it becomes when we are root; `stop_signal` is what asks it to end.
    """

    def __init__(
        self,
        name: str,
        command: list[str],
        log: Path,
        env: Mapping[str, str] | None = None,
        *,
        user: str | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name, self.log, self._command, self._env = name, log, command, env
        self._user, self._stop_signal = user, stop_signal
        with log.open("ab") as out:
            self.popen = subprocess.Popen(
                command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                env={**os.environ, **(env or {})}, start_new_session=True, **as_user(user),
                preexec_fn=functools.partial(_die_with_parent, stop_signal),
            )  # fmt: skip

    @property
    def pid(self) -> int:
        return self.popen.pid

    def is_alive(self) -> bool:
        return self.popen.poll() is None

    def again(self) -> Process:
        """The same, started anew."""
        return Process(
            self.name, self._command, self.log, self._env, user=self._user, stop_signal=self._stop_signal
        )

    def terminate(self) -> None:
        """Ask it to end; `stop` waits for it."""
        self._signal(self._stop_signal)

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """End it and everything it started."""
        self.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.popen.wait(timeout=seconds)
        self._signal(signal.SIGKILL)
        self.popen.wait(timeout=5)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.popen.pid, number)


def stop_all(processes: list[Process]) -> None:
    """End many at once; together they get STOP_SECONDS. The first started, on which the others lean, ends last."""
    for process in reversed(processes[1:]):
        process.terminate()
    end = time.monotonic() + STOP_SECONDS
    for process in reversed(processes):
        process.stop(seconds=max(0.1, end - time.monotonic()))


def as_user(name: str | None) -> dict[str, Any]:
    """What subprocess needs to start a child as somebody else; from a folder that everybody may enter."""
    if name is None:
        return {}
    found = pwd.getpwnam(name)
    return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": [], "cwd": "/"}


def _die_with_parent(stop_signal: signal.Signals) -> None:
    """On Linux a child is asked to end when we die, even by kill -9."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, stop_signal)
