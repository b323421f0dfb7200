"""The agent as it is, with three things more: the script `touch`, touches that say whose they are, and a diary.

`python -m tests.faults.starter` takes the agent's options. FAULTS_DIARY names the file of the diary.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from uiautomator2 import core

from automation.agent import __main__ as agent
from automation.agent import work
from automation.agent.outbox import Outbox
from automation.protocol import Moment
from automation.scripts.base import SCRIPTS, Context, Result, Script
from devices.phones.adb import FastDevice
from devices.phones.u2_server import Ui
from devices.simulator.journal import TOUCHER_VARIABLE
from tests.faults import touch  # noqa: F401 - makes the script known

TOUCHING = ("monkey", "am")  #: the shell commands by which a script touches a phone
TOUCHES = ("pressKey", "click", "swipe", "setText", "clearTextField")  #: and the calls

Note = Callable[..., None]  #: kind, run, fence, name


def signed(one: Script) -> Script:
    """The script, whose touches bear run and fence: they hang on the run's own deadline."""

    def body(context: Context) -> Result:
        context.deadline.signature = f"{context.ticket.run}:{context.ticket.fence}"  # type: ignore[attr-defined]
        return one.body(context)

    return replace(one, body=body)


def sign_touches(note: Note) -> None:
    """Have every call of a phone carry the signature of its run, and note each before it is sent."""
    for name, one in list(SCRIPTS.items()):
        SCRIPTS[name] = signed(one)
    request, shell, call, now = core._http_request, FastDevice.shell, Ui._call, threading.local()

    def signed_call(phone: Any, *arguments: Any) -> Any:
        now.signature = getattr(phone.deadline, "signature", "")
        return call(phone, *arguments)

    def signed_request(device: Any, port: int, method: str, path: str, data: Any = None, **more: Any) -> Any:
        signature = getattr(now, "signature", "")
        if data and signature and data["method"] in TOUCHES:
            note("send", *map(int, signature.split(":")))
        return request(device, port, method, path, {**data, "id": signature} if data else data, **more)

    def signed_shell(device: FastDevice, command: Any, *more: Any, **options: Any) -> Any:
        signature = getattr(device.deadline, "signature", "")
        if signature and isinstance(command, list) and command[0] in TOUCHING:
            note("send", *map(int, signature.split(":")))
            command = [f"{TOUCHER_VARIABLE}={signature}", *command]
        return shell(device, command, *more, **options)

    core._http_request, FastDevice.shell = signed_request, signed_shell  # type: ignore[method-assign]
    Ui._call = signed_call  # type: ignore[method-assign]


class Diary:
    """What this agent took, sent and wrote into its outbox, and when by the clock that all processes share.

    Another process writes it, for the diary must go on where the agent finds the disk full, and outlive it.
    """

    def __init__(self, host: str, path: str) -> None:
        writer = subprocess.Popen(  # which may inherit the agent's limit
            ["/bin/sh", "-c", 'ulimit -f unlimited; exec cat >>"$0"', path],
            stdin=subprocess.PIPE, text=True, bufsize=1, start_new_session=True,
        )  # fmt: skip
        assert writer.stdin is not None
        self._file, self._host = writer.stdin, host

    def note(self, kind: str, run: int, fence: int, name: str = "") -> None:
        """One line, written at once."""
        entry = {"host": self._host, "kind": kind, "run": run, "fence": fence, "name": name}
        self._file.write(json.dumps({"at": time.monotonic(), **entry}) + "\n")

    def keep(self) -> None:
        """Note every ticket before it is taken, and every report once it is in the outbox."""
        take = work.take

        @functools.wraps(take)
        def noted(client: Any, name: str) -> tuple[bytes | None, Moment]:
            self.note("take", *map(int, name.split(":")[-2:]))
            return take(client, name)

        work.take = noted
        for name in ("add", "finish"):
            setattr(Outbox, name, self._noting(getattr(Outbox, name)))

    def _noting(self, write: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(write)
        def noted(outbox: Outbox, kind: str, run: int, fence: int, body: Any = None) -> None:
            write(outbox, kind, run, fence, body)
            self.note(kind, run, fence, (body or {}).get("name", ""))

        return noted


def main() -> int:
    """The agent's exit code."""
    diary = Diary(agent.parser().parse_args().name, os.environ["FAULTS_DIARY"])
    diary.keep()
    sign_touches(diary.note)
    return agent.main()


if __name__ == "__main__":
    sys.exit(main())
