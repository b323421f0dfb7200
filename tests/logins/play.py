"""Run scenarios on simulated phones, through a real adb server and uiautomator2, several at a time."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from accounts.totp import Totp
from automation import scripts as _registers  # noqa: F401
from automation.protocol import Ticket
from automation.screens.schema import load
from automation.scripts.base import Result, run_script
from automation.scripts.context import Pace
from devices.phones.adb import AdbServer
from devices.phones.deadline import Deadline
from devices.phones.errors import PhoneError
from devices.phones.u2_phone import open_phone
from devices.phones.u2_server import let_go_of_all, server_jar
from devices.simulator.farm import Farm
from tests.logins.judge import broken
from tests.logins.scenario import SECRET, Scenario

PACE = Pace(poll=0.2, settle=6.0, unknown=1.5, unreadable=2.0, stuck=1.5, loading=6.0)
TOGETHER = 100  #: phones on the adb server at once; it may have about 300
SECONDS = 180.0  #: for one login
CALL_SECONDS = 6.0


@dataclass(frozen=True)
class Played:
    """A login that was run."""

    scenario: Scenario
    result: Result
    seconds: float
    broken: list[str]


def play(scenarios: list[Scenario], server: AdbServer, lanes: int) -> Iterator[Played]:
    """Each login once, as soon as it has ended."""
    load()  # once, and not in every lane at the same time
    for start in range(0, len(scenarios), TOGETHER):
        part = scenarios[start : start + TOGETHER]
        with _farm(part, server) as farm, ThreadPoolExecutor(lanes) as pool:
            yield from pool.map(lambda one, at=farm: _one(one, at, server), part)  # type: ignore[misc]
            let_go_of_all()


@contextlib.contextmanager
def _farm(scenarios: list[Scenario], server: AdbServer) -> Iterator[Farm]:
    """Their phones, known to the adb server."""
    logins = [login for one in scenarios for login in one.logins()]
    farm = Farm.from_dict({"phones": [one.phone() for one in scenarios], "logins": logins})
    farm.put_file(*server_jar())
    with farm.running():
        addresses = {phone.address for phone in farm.phones.values()}
        for address in addresses:
            server.connect(address)
        _until(lambda: addresses <= {seen.address for seen in server.phones() if seen.state == "device"})
        try:
            yield farm
        finally:
            for address in addresses:
                with contextlib.suppress(PhoneError):
                    server.disconnect(address)


def _until(is_true: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > end:
            raise TimeoutError("the simulated phones did not come up")
        time.sleep(0.05)


def _one(one: Scenario, farm: Farm, server: AdbServer) -> Played:
    steps: list[Any] = []
    begun = time.monotonic()
    _prepare(one, farm, server)
    result = _run(one, farm, server, lambda *step: steps.append(step))
    seconds = time.monotonic() - begun
    return Played(one, result, seconds, broken(one, farm, result, repr((result, steps))))


def _prepare(one: Scenario, farm: Farm, server: AdbServer) -> None:
    """The server on the phone runs already, as on a phone in use; then what is wrong from the beginning."""
    with open_phone(server, farm.phone(one.serial).address, Deadline(SECONDS)):
        pass
    if one.left:
        farm.show(one.serial, one.package, one.left)
    if one.fault:
        farm.set(one.serial, fault=one.fault)


def _run(one: Scenario, farm: Farm, server: AdbServer, report: Callable[..., None]) -> Result:
    """As the agent does it."""
    ticket = Ticket(run=1, fence=1, host="h", script="login", serial=one.serial, app=one.app,
                    account=one.account(_codes()))  # fmt: skip
    address = farm.phone(one.serial).address
    try:
        with open_phone(server, address, Deadline(SECONDS), CALL_SECONDS) as phone:
            stumbling: Any = Stumbling(phone, one, farm) if one.stumble else phone
            return run_script("login", stumbling, ticket, report, PACE)
    except PhoneError as error:
        return Result("failed", error.reason, str(error))


def _codes() -> list[list[Any]]:
    now, totp = int(time.time()) // 30 * 30, Totp(SECRET)
    return [[now + 30 * number, totp.at(now + 30 * number)] for number in range(6)]


class Stumbling:
    """A phone to which something happens at one of its calls."""

    def __init__(self, phone: Any, one: Scenario, farm: Farm) -> None:
        self._phone, self._one, self._farm, self._calls = phone, one, farm, 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._phone, name)
        if not callable(found):
            return found

        def call(*arguments: Any, **options: Any) -> Any:
            self._calls += 1
            if self._calls == self._one.stumble_at:
                self._stumble()
            return found(*arguments, **options)

        return call

    def _stumble(self) -> None:
        kind, seconds = self._one.stumble or ("", 0.0)
        serial = self._one.serial
        if kind == "crash":
            self._farm.crash(serial, self._one.package)
            return
        self._farm.set(serial, fault=kind, **({"seconds": 0.3} if kind == "slow" else {}))
        if seconds:
            threading.Timer(seconds, lambda: self._farm.set(serial, fault=None)).start()
