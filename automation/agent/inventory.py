"""Which phones hang on this host's adb servers, and how they are."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import Any

from automation.protocol import PhoneState
from devices.phones.adb import AdbServer
from devices.phones.deadline import Deadline
from devices.phones.errors import PhoneError, PhoneOffline
from devices.phones.phone import PhoneFacts, PhoneSeen

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0  #: between two looks at the list of an adb server
FACTS_SECONDS = 60.0  #: between two questions to an idle phone about battery and heat
CONNECT_SECONDS = 10.0  #: between two attempts to connect a phone that hangs on TCP

CONNECTIONS = {"device": "online", "unauthorized": "unauthorized"}


#: An adb address and its transport id: another phone at the same address has another id.
Place = tuple[str, int]


class Inventory:
    """The phones of a host, kept fresh by `look`. `wanted` are TCP addresses to stay connected to."""

    def __init__(self, servers: Iterable[AdbServer], wanted: Iterable[str] = ()) -> None:
        self.servers, self.wanted = list(servers), list(wanted)
        self.look_now = threading.Event()  #: something changed: the next look should not wait
        self.on_change: Callable[[], None] = lambda: (
            None
        )  #: called when a phone came, went or changed its state
        self._lock = threading.Lock()
        self._facts: dict[Place, tuple[PhoneFacts, float]] = {}  #: facts, and when they were asked for
        self._phones: dict[str, tuple[PhoneState, AdbServer]] = {}  #: serial -> state, where
        self._connected_at: dict[str, float] = {}
        self._asking: set[Place] = set()
        self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="facts")

    def phones(self) -> list[dict[str, Any]]:
        """What the heartbeat says."""
        with self._lock:
            return [asdict(state) for state, _server in self._phones.values()]

    def find(self, serial: str) -> tuple[AdbServer, str] | None:
        """The server and the address of a phone that is online now."""
        with self._lock:
            found = self._phones.get(serial)
        if found is None or found[0].connection != "online":
            return None
        return found[1], found[0].address

    def confirm(self, serial: str, deadline: Deadline) -> tuple[AdbServer, str]:
        """Server and address of the phone, asked anew where an address may have passed to another phone.

        Raises PhoneOffline, and whatever ends the run.
        """
        found = self.find(serial)
        if found is None:
            raise PhoneOffline
        server, address = found
        if ":" in address and server.facts(address, deadline).serial != serial:
            raise PhoneOffline(f"another phone hangs at {address} now")
        return server, address

    def look(self, is_idle: Callable[[str], bool] = lambda _serial: True) -> None:
        """One look at every server; phones that `is_idle` are also asked for battery and heat now and then."""
        fresh: dict[str, tuple[PhoneState, AdbServer]] = {}
        places: set[Place] = set()
        for server in self.servers:
            try:
                for seen in server.phones():
                    places.add((seen.address, seen.transport_id))
                    self._note(fresh, server, seen, is_idle)
            except PhoneError as error:
                log.warning("adb server: %s", error)
        with self._lock:
            missing = {serial: gone for serial, gone in self._phones.items() if serial not in fresh}
            for serial, (state, server) in missing.items():
                fresh[serial] = (replace(state, connection="offline"), server)
            is_new = _places(fresh) != _places(self._phones)
            self._phones = fresh
        if is_new:
            self.on_change()
        self._facts = {place: facts for place, facts in self._facts.items() if place in places}
        self._reconnect()

    def watch(self, server: AdbServer, stop: threading.Event) -> None:
        """Until `stop`: have a look as soon as the adb server says that something changed."""
        while not stop.is_set():
            try:
                for _change in server.changes():
                    self.look_now.set()
            except PhoneError as error:
                log.info("adb server: %s", error)
            stop.wait(LOOK_SECONDS)

    def _note(
        self,
        fresh: dict[str, tuple[PhoneState, AdbServer]],
        server: AdbServer,
        seen: PhoneSeen,
        is_idle: Callable[[str], bool],
    ) -> None:
        facts = self._facts_of(server, seen, is_idle)
        if facts is None:
            return
        state = PhoneState(
            serial=facts.serial, address=seen.address, connection=CONNECTIONS.get(seen.state, "offline"),
            model=facts.model, android=facts.android, battery=facts.battery, temperature=facts.temperature,
            usb_path=seen.usb_path or facts.usb_path,
        )  # fmt: skip
        twin = fresh.get(state.serial)
        if twin is None or (twin[0].connection != "online" and state.connection == "online"):
            fresh[state.serial] = (state, server)

    def _facts_of(
        self, server: AdbServer, seen: PhoneSeen, is_idle: Callable[[str], bool]
    ) -> PhoneFacts | None:
        place = (seen.address, seen.transport_id)
        known, asked = self._facts.get(place, (None, 0.0))
        due = known is None or (time.monotonic() - asked > FACTS_SECONDS and is_idle(known.serial))
        if seen.state == "device" and due and place not in self._asking:
            self._asking.add(place)  # in a thread: a phone that hangs must not hide the others
            self._pool.submit(self._ask, server, place)
        if known is None and ":" not in seen.address:  # over USB adb's name is the serial
            return PhoneFacts(serial=seen.address)
        return known

    def _ask(self, server: AdbServer, place: Place) -> None:
        try:
            self._facts[place] = (server.facts(place[0]), time.monotonic())
        except PhoneError as error:
            log.info("%s does not say what it is: %s", place[0], error)
        finally:
            self._asking.discard(place)
            self.look_now.set()

    def _reconnect(self) -> None:
        """Stay connected to the wanted TCP phones; each is tried once in CONNECT_SECONDS."""
        with self._lock:
            online = {
                state.address for state, _server in self._phones.values() if state.connection == "online"
            }
        now = time.monotonic()
        for address in self.wanted:
            if (
                address not in online
                and now - self._connected_at.get(address, -CONNECT_SECONDS) >= CONNECT_SECONDS
            ):
                self._connected_at[address] = now
                try:
                    self.servers[0].connect(address)
                except PhoneError as error:
                    log.info("%s", error)


def _places(phones: dict[str, tuple[PhoneState, AdbServer]]) -> dict[str, tuple[str, str]]:
    return {serial: (state.connection, state.address) for serial, (state, _server) in phones.items()}
