"""The agent as it is, with Celery's events and results on, quick waits, and typing that ends with exceptions.

`python -m tests.canary.starter` takes the agent's options. A run of `can7.valueerror` has its ValueError, with the
typed text in it, as soon as it types; uiautomator2's own are made as uiautomator2 makes them.
"""

from __future__ import annotations

import builtins
import os
import sys
from typing import Any

import adbutils
from uiautomator2 import exceptions

from automation import protocol
from automation.agent import __main__ as agent
from automation.agent import work
from automation.scripts import base
from automation.scripts.context import Pace
from devices.phones.u2_server import Ui

PACE = Pace(poll=0.3, settle=6.0, unknown=2.0, unreadable=3.0, stuck=1.5, loading=8.0)
BUILTIN = ["ValueError", "KeyError", "OSError", "AssertionError", "SystemExit", "MemoryError"]
OF_U2 = ["UiObjectNotFoundError", "RPCUnknownError", "RPCInvalidError", "HTTPError", "NormalError"]
OF_ADB = ["AdbError", "AdbTimeout"]
TROUBLES = [*BUILTIN, *OF_U2, *OF_ADB]


def trouble(name: str) -> type[BaseException]:
    """The class of this name."""
    for module in (builtins, exceptions, adbutils):
        if hasattr(module, name):
            return getattr(module, name)  # type: ignore[no-any-return]
    raise LookupError(name)


def make_trouble() -> None:
    """Have the typing of some accounts end with an exception that carries the text, as uiautomator2's do."""
    run, call = base.run_script, Ui.jsonrpc_call
    by_name = {name.lower(): name for name in TROUBLES}

    def run_script(name: str, phone: Any, ticket: Any, report: Any, pace: Any = None, **more: Any) -> Any:
        username = (ticket.account or {}).get("username", "")
        phone._ui.trouble = by_name.get(username.partition(".")[2], "")
        return run(name, phone, ticket, report, PACE, **more)

    def jsonrpc_call(ui: Any, method: str, params: Any = None, **more: Any) -> Any:
        if method == "setText" and getattr(ui, "trouble", ""):
            kind = trouble(ui.trouble)
            raise kind(f"code -32002, message: no node, params: {params!r}")
        return call(ui, method, params, **more)

    work.run_script, Ui.jsonrpc_call = run_script, jsonrpc_call  # type: ignore[assignment]


def tell_celery_all() -> None:
    """Events and results, which the product keeps off: nothing may stand in them either."""
    protocol.CELERY_SETTINGS.update(
        worker_send_task_events=True, task_send_sent_event=True, task_ignore_result=False,
        result_backend=os.environ["REDIS_URL"], result_extended=True, task_track_started=True,
    )  # fmt: skip


def main() -> int:
    """The agent's exit code."""
    tell_celery_all()
    make_trouble()
    return agent.main()


if __name__ == "__main__":
    sys.exit(main())
