"""A run on a phone: take the ticket, hold the phone, run the script, report. The one catch-all is here."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import redis

from automation.agent import evidence
from automation.agent.identity import BadTicket, Identity
from automation.agent.inventory import Inventory
from automation.agent.lanes import Lanes
from automation.agent.outbox import Outbox
from automation.protocol import Ticket, key, ticket_key
from automation.screens.recognise import screens_hash
from automation.scripts.base import Result, run_script
from devices.phones.adb import AdbServer
from devices.phones.deadline import Deadline
from devices.phones.errors import Canceled, PhoneError, PhoneOffline
from devices.phones.phone import Phone
from devices.phones.u2_phone import open_phone

log = logging.getLogger(__name__)

WITH_EVIDENCE = ("failed", "needs_person", "errored")  #: outcomes after which the screen is kept
LANE_SECONDS = 120.0  #: how long an offer may wait for its lane before it is let go


class Work:
    """The runs of one agent. `do` is what the Celery task calls."""

    def __init__(
        self,
        client: Any,
        identity: Identity,
        outbox: Outbox,
        inventory: Inventory,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self.client, self.identity, self.outbox, self.inventory = client, identity, outbox, inventory
        self.lanes, self.wake = Lanes(), wake
        self._lock = threading.Lock()
        self._in_hand: dict[tuple[int, int], Deadline] = {}
        self._stopping = ""

    def do(self, run: int, fence: int, serial: str) -> None:
        """One offer, from its message to its last report. Never raises."""
        waiting = Deadline(LANE_SECONDS)
        try:
            with self._listed(run, fence, waiting), self.lanes.hold(serial, waiting):
                self._take(run, fence)
        except PhoneError as error:
            log.warning("run %s is left to the controller: %s", run, error)

    def cancel(self, run: int, fence: int, reason: str) -> None:
        """End a run that is in hand; its script stops at the next touch, a blocked call at once."""
        with self._lock:
            deadline = self._in_hand.get((run, fence))
        if deadline is not None:
            deadline.cancel(reason)

    def cancel_all(self, reason: str) -> None:
        with self._lock:
            deadlines = list(self._in_hand.values())
        for deadline in deadlines:
            deadline.cancel(reason)

    def stop(self) -> None:
        """Let go of everything, and start nothing more."""
        self._stopping = "agent_stopping"
        self.cancel_all(self._stopping)

    @contextmanager
    def _listed(self, run: int, fence: int, deadline: Deadline) -> Iterator[None]:
        with self._lock:
            self._in_hand[run, fence] = deadline
        if self._stopping:
            deadline.cancel(self._stopping)
        try:
            yield
        finally:
            with self._lock:
                self._in_hand.pop((run, fence), None)

    def _take(self, run: int, fence: int) -> None:
        """In hand first, then the ticket: so "not in hand" proves to the controller that it was not started."""
        self.outbox.take_in_hand(run, fence)
        try:
            self._meet_controller()
            sealed = self.client.getdel(ticket_key(self.identity.name, run, fence))
        except (redis.RedisError, OSError) as error:
            log.warning("run %s: no ticket, Redis does not answer (%s)", run, type(error).__name__)
            sealed = None
        if sealed is None:
            self.outbox.let_go(run, fence)
            return
        self.outbox.add("started", run, fence)
        self.wake()
        body = self._outcome(run, fence, sealed)
        self.outbox.finish("finished", run, fence, body)
        self.wake()

    def _meet_controller(self) -> None:
        """The very first offer may be quicker than the pulse that brings the controller's key."""
        if not self.identity.knows_controller:
            found = self.client.hget(key(self.identity.name, "control"), "key")
            if found:
                self.identity.trust(found.decode())

    def _outcome(self, run: int, fence: int, sealed: bytes) -> dict[str, Any]:
        try:
            ticket = self.identity.open_ticket(sealed, time.time())
        except BadTicket as error:
            log.error("run %s: its ticket is no good: %s", run, error)
            return _body(Result("errored", "bad_ticket", str(error)))
        if (ticket.run, ticket.fence) != (run, fence):
            return _body(Result("errored", "bad_ticket", "it is for another run"))
        deadline = Deadline(ticket.seconds)
        with self._listed(run, fence, deadline):
            return self._on_the_phone(ticket, deadline)

    def _on_the_phone(self, ticket: Ticket, deadline: Deadline) -> dict[str, Any]:
        found = self.inventory.find(ticket.serial)
        try:
            if found is None:
                raise PhoneOffline
            with open_phone(*found, deadline=deadline) as phone:
                result = self._run(phone, ticket)
        except PhoneError as error:
            result = ended(error)
        if result.outcome not in WITH_EVIDENCE or found is None:
            return _body(result)
        return _body(result, **self._evidence(found, ticket))

    def _run(self, phone: Phone, ticket: Ticket) -> Result:
        """The script's result. An unexpected exception is our defect: errored, with a traceback without values."""
        try:
            result = run_script(ticket.script, phone, ticket, self._step_reporter(ticket))
            return ended(Canceled(result.message)) if result.outcome == "canceled" else result
        except Exception as error:  # noqa: BLE001 - the one place that catches all
            where = "".join(traceback.format_tb(error.__traceback__))
            log.error("run %s: %s in %s\n%s", ticket.run, type(error).__name__, ticket.script, where)
            return Result("errored", "defect", f"{type(error).__name__}\n{where}")

    def _evidence(self, found: tuple[AdbServer, str], ticket: Ticket) -> dict[str, Any]:
        """What the phone shows now; with a deadline of its own, for the run's may be over."""
        deadline = Deadline(evidence.EVIDENCE_SECONDS)
        try:
            with (
                self._listed(ticket.run, ticket.fence, deadline),
                open_phone(*found, deadline=deadline) as phone,
            ):
                return {**evidence.collect(phone, ticket), "screens_hash": screens_hash()}
        except Exception as error:  # noqa: BLE001 - evidence is a help, never a reason to lose the result
            log.warning("run %s leaves no evidence: %s", ticket.run, type(error).__name__)
            return {}

    def _step_reporter(self, ticket: Ticket) -> Callable[[str, float, bool, str], None]:
        def report(name: str, seconds: float, ok: bool = True, detail: str = "") -> None:
            body = {"name": name, "seconds": round(seconds, 3), "ok": ok, "detail": detail}
            self.outbox.add("step", ticket.run, ticket.fence, body)
            self.wake()

        return report


def ended(error: PhoneError) -> Result:
    """What a run is that ended for the phone's sake, or because somebody wanted it to end."""
    if isinstance(error, Canceled):
        reason = str(error) if str(error) in ("cut_off", "agent_stopping") else "canceled"
        return Result("lost" if reason == "cut_off" else "canceled", reason, "")
    return Result("failed", error.reason, str(error))


def _body(result: Result, **extra: Any) -> dict[str, Any]:
    return {
        "outcome": result.outcome, "reason": result.reason, "message": result.message, "data": result.data, **extra,
    }  # fmt: skip
