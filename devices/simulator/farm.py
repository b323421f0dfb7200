"""A farm of simulated phones in one event loop, and the same from any other thread."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

from devices.simulator import description, faults, services
from devices.simulator.control import Control
from devices.simulator.description import DescriptionError, FarmSpec, require
from devices.simulator.device import SimulatedPhone
from devices.simulator.files import File
from devices.simulator.logins import Logins
from devices.simulator.transport import FEATURES, Listener

T = TypeVar("T")
CALL_SECONDS = 10.0


class Farm:
    """Phones by serial. `start` and `stop` belong to an event loop; `running` brings one of its own."""

    def __init__(self, spec: FarmSpec) -> None:
        self.logins = Logins(spec.logins)
        self.phones = {one.serial: SimulatedPhone(one, self.logins) for one in spec.phones}
        self.control: Control | None = None
        self._journal: IO[str] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Farm:
        """A farm by its description. Raises DescriptionError."""
        return cls(description.read_farm(data))

    @classmethod
    def from_file(cls, path: Path | str) -> Farm:
        """A farm by its YAML file. Raises DescriptionError."""
        return cls(description.read_file(path))

    def write_journal(self, path: Path) -> None:
        """From now on write every touch of every phone to this file, one line of JSON each."""
        self._journal = path.open("a", buffering=1, encoding="utf-8")
        for phone in self.phones.values():
            phone.journal.file = self._journal

    def put_file(self, path: str, data: bytes) -> None:
        """Put a file on every phone, before they run."""
        file = File(data)
        for phone in self.phones.values():
            phone.files.put(path, file)

    # --- life ---

    async def start(self, control_port: int | None = None) -> None:
        """Have every phone listen on loopback, and the outside control too when it has a port."""
        self._loop, self._thread = asyncio.get_running_loop(), threading.get_ident()
        for phone in self.phones.values():
            phone.listener = Listener(
                phone.spec.port, banner(phone), functools.partial(services.serve, phone)
            )
            await phone.listener.open()
        if control_port is not None:
            self.control = Control(self)
            await self.control.open(control_port)

    async def stop(self) -> None:
        """Close every port and every connection."""
        if self.control is not None:
            self.control.close()
        for phone in self.phones.values():
            if phone.listener is not None:
                phone.listener.close()
            phone.changed()
        for phone in self.phones.values():
            if phone.listener is not None:
                await phone.listener.ended()
        if self._journal is not None:
            self._journal.close()
        self._loop = None

    @contextmanager
    def running(self, control_port: int | None = None) -> Iterator[Farm]:
        """The farm in a thread of its own, for the length of a `with`."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="simulated-phones", daemon=True)
        thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self.start(control_port), loop).result(CALL_SECONDS)
            yield self
        finally:
            asyncio.run_coroutine_threadsafe(self._wind_up(), loop).result(CALL_SECONDS)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(CALL_SECONDS)
            loop.close()

    async def _wind_up(self) -> None:
        await self.stop()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _call(self, work: Callable[[], Awaitable[T]]) -> T:
        """The result of `work`, run where the phones live."""
        if self._loop is None:
            return asyncio.run(_run(work))
        if threading.get_ident() == self._thread:
            raise RuntimeError("inside the farm's own loop, use the awaitable methods")
        return asyncio.run_coroutine_threadsafe(_run(work), self._loop).result(CALL_SECONDS)

    # --- outside control, from any thread ---

    def phone(self, serial: str) -> SimulatedPhone:
        """The phone. Raises DescriptionError."""
        require(serial in self.phones, f"There is no phone {serial}.")
        return self.phones[serial]

    def set(self, serial: str, **changes: Any) -> None:
        """Change a phone: fault, seconds (of slow), battery, temperature, clock, or signed_in.

        Raises DescriptionError.
        """
        self._call(lambda: self.apply(serial, changes))

    def show(self, serial: str, package: str, screen: str) -> None:
        """Have a running app show this screen, as an earlier run or a person left it."""
        app = self.phone(serial).apps[package]

        def show() -> None:
            app.pid = app.pid or 1
            app.start()
            app.go(screen)

        self._call(_later(show))

    def crash(self, serial: str, package: str) -> None:
        """Have an app crash, once."""
        phone = self.phone(serial)
        self._call(_later(lambda: phone.crash(phone.apps[package])))

    def journal(self, serial: str) -> list[dict[str, Any]]:
        """The touches of a phone, oldest first."""
        return self._call(_later(self.phone(serial).journal.entries))

    def screen(self, serial: str) -> str:
        """The id of the screen that a phone shows."""
        phone = self.phone(serial)
        return self._call(_later(lambda: phone.screen))

    def signed_in(self, serial: str, package: str) -> list[str]:
        """The accounts of one app, the one in use first."""
        phone = self.phone(serial)
        require(package in phone.apps, f"Phone {serial} has no package {package}.")
        return self._call(_later(lambda: signed_in(phone, package)))

    def states(self) -> list[dict[str, Any]]:
        """What `GET /phones` answers."""
        return self._call(_later(self.describe))

    def put_login(self, **values: Any) -> None:
        """Add an account to the simulated services, or replace it. Raises DescriptionError."""
        login = description.read_login(values)
        self._call(_later(lambda: self.logins.put(login)))

    # --- the same inside the loop ---

    def describe(self) -> list[dict[str, Any]]:
        """Every phone as plain data."""
        return [describe(phone) for phone in self.phones.values()]

    async def apply(self, serial: str, changes: dict[str, Any]) -> None:
        """Check all changes of a phone, then make them. Raises DescriptionError."""
        phone = self.phone(serial)
        check_changes(phone, changes)
        for name in ("battery", "temperature", "seconds", "clock"):
            if name in changes:
                setattr(phone, name, changes[name])
        for package, names in changes.get("signed_in", {}).items():
            phone.apps[package].set_accounts(list(names))
        if "fault" in changes:
            await phone.set_fault(changes["fault"])
        phone.changed()


async def _run(work: Callable[[], Awaitable[T]]) -> T:
    return await work()


def _later(function: Callable[[], T]) -> Callable[[], Awaitable[T]]:
    async def work() -> T:
        return function()

    return work


def check_changes(phone: SimulatedPhone, changes: dict[str, Any]) -> None:
    """Raise DescriptionError unless every change can be made."""
    known = ("fault", "seconds", "battery", "temperature", "clock", "signed_in")
    for name, value in changes.items():
        require(name in known, f"{name} cannot be changed; what can are {', '.join(known)}.")
        if name in ("seconds", "battery", "temperature", "clock"):
            kind = "int" if name == "battery" else "float"
            description.check_value(name, kind, value, f"phone {phone.serial}")
    fault = changes.get("fault")
    require(
        fault is None or fault in faults.FAULTS, f"fault must be one of {', '.join(faults.FAULTS)}, or null."
    )
    require(0 <= changes.get("battery", 0) <= 100, "battery must be between 0 and 100.")
    require(changes.get("seconds", 0) >= 0, "seconds must not be negative.")
    signed = changes.get("signed_in", {})
    require(isinstance(signed, dict), "signed_in must map packages to lists of names.")
    for package, names in signed.items():
        require(package in phone.apps, f"Phone {phone.serial} has no package {package}.")
        require(isinstance(names, list | tuple), f"signed_in of {package} must be a list of names.")


def signed_in(phone: SimulatedPhone, package: str) -> list[str]:
    """The accounts of one app, the one in use first."""
    app = phone.apps[package]
    return [app.active, *(one for one in app.accounts if one != app.active)] if app.accounts else []


def describe(phone: SimulatedPhone) -> dict[str, Any]:
    """One phone as plain data."""
    return {
        "serial": phone.serial,
        "address": phone.address,
        "port": int(phone.address.rpartition(":")[2]),
        "model": phone.spec.model,
        "fault": phone.fault,
        "battery": phone.battery,
        "temperature": phone.temperature,
        "front": phone.front_package,
        "screen": phone.screen,
        "signed_in": {package: signed_in(phone, package) for package in phone.apps},
    }


def banner(phone: SimulatedPhone) -> str:
    """What adbd says when an adb server connects."""
    names = ("ro.product.name", "ro.product.model", "ro.product.device")
    facts = ";".join(f"{name}={phone.properties[name]}" for name in names)
    return f"device::{facts};features={FEATURES}"


__all__ = ["DescriptionError", "Farm"]
