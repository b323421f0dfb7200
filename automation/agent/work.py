"""A run on a phone: take the ticket, hold the phone, run the script, report. The one catch-all is here."""

from __future__ import annotations

import logging
import os
import threading
import time
import traceback
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import redis

from automation.agent import evidence
from automation.agent.identity import BadTicket, Identity
from automation.agent.inventory import Inventory
from automation.agent.lanes import Lanes
from automation.agent.lease import Lease
from automation.agent.outbox import Outbox
from automation.agent.own_screens import OwnScreens, ScreensAway
from automation.protocol import UNCONFIRMED, Moment, Ticket, key, take, ticket_key
from automation.screens.schema import library
from automation.screens.sightings import Sightings, Versions
from automation.scripts.base import Result, run_script
from automation.scripts.reasons import sentence
from devices.phones.adb import AdbServer
from devices.phones.deadline import Deadline
from devices.phones.errors import Canceled, PhoneError
from devices.phones.phone import Phone
from devices.phones.u2_phone import open_phone

log = logging.getLogger(__name__)

OpenPhone = Callable[..., AbstractContextManager[Phone]]

WITH_EVIDENCE = ("failed", "needs_person", "errored")  #: outcomes after which the screen is kept
DEFECT = 70  #: exit code; a service manager starts the agent anew
LANE_SECONDS = 8.0  #: how long an offer may wait for its lane before it is let go


@dataclass(frozen=True, eq=False)
class InHand:
    """A run that this agent has, or that waits here for its phone."""

    run: int
    fence: int
    deadline: Deadline
    waits: bool


class Work:
    """The runs of one agent. `do` is what the Celery task calls."""

    open_phone: OpenPhone = staticmethod(open_phone)  #: how a phone is opened; tests have phones of their own

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
        self.own_screens = OwnScreens(client, identity)
        self.lease, self.versions = Lease(), Versions()
        self._lock = threading.Lock()
        self._in_hand: set[InHand] = set()
        self.stopping = ""  #: why nothing more is started

    def do(self, run: int, fence: int, serial: str) -> None:
        """One offer, from its message to its last report. Never raises."""
        try:
            if self.outbox.take_in_hand(run, fence):
                self._take(run, fence, serial)
            else:
                log.info("run %s: a message came twice", run)
        except Exception:  # mostly an outbox that cannot be written; the next start tells what was in hand
            log.exception("run %s cannot be reported; this agent ends", run)
            self.die()

    def die(self) -> None:
        """End the process at once. The next start reports what was in hand; until then the phones are let go."""
        os._exit(DEFECT)

    def cancel(self, wanted: Collection[tuple[int, int]], reason: str) -> None:
        """End these (run, fence) where they are in hand; a script stops at the next touch, a blocked call at once."""
        for deadline in self._deadlines(wanted):
            deadline.cancel(reason)

    def cancel_all(self, reason: str) -> None:
        for deadline in self._deadlines():
            deadline.cancel(reason)

    def end_expired(self) -> None:
        """The watchdog: wake whoever still waits though the run's time is over."""
        for deadline in self._deadlines():
            if deadline.expired:
                deadline.end()

    def stop(self, lets_end: bool = False) -> None:
        """Start nothing more. What runs finishes its step and is handed back, or `lets_end`: goes on to its end."""
        self.stopping = "agent_stopping"
        with self._lock:
            in_hand = list(self._in_hand)
        for one in in_hand:
            if one.waits:
                one.deadline.cancel(self.stopping)
            elif not lets_end:
                one.deadline.cancel_after_step(self.stopping)

    def _deadlines(self, wanted: Collection[tuple[int, int]] | None = None) -> list[Deadline]:
        """Of these (run, fence), or of all that is in hand."""
        with self._lock:
            return [one.deadline for one in self._in_hand if wanted is None or (one.run, one.fence) in wanted]

    @contextmanager
    def _listed(self, run: int, fence: int, deadline: Deadline, waits: bool = False) -> Iterator[None]:
        mine = InHand(run, fence, deadline, waits)
        with self._lock:
            self._in_hand.add(mine)
        if self.stopping and waits:
            deadline.cancel(self.stopping)
        try:
            yield
        finally:
            with self._lock:
                self._in_hand.discard(mine)

    def _take(self, run: int, fence: int, serial: str) -> None:
        """In hand first, then the ticket: so "not in hand" proves to the controller that it was not started."""
        term = self.lease.term  # before the ticket: a pause after it must not go unnoticed
        with ExitStack() as lane:
            ticket = self._ticket_in_lane(lane, run, fence, serial)
            if ticket is None:
                self.outbox.let_go(run, fence)
                return
            self.outbox.add("started", run, fence)
            self.wake()
            body = self._outcome_or_defect(run, fence, serial, ticket, term)
            self.outbox.finish("finished", run, fence, body)
        self.wake()

    def _ticket_in_lane(
        self, lane: ExitStack, run: int, fence: int, serial: str
    ) -> Ticket | BadTicket | None:
        """The ticket, once the phone is ours; None when either cannot be had."""
        waiting = Deadline(LANE_SECONDS)
        try:
            with self._listed(run, fence, waiting, waits=True):
                lane.enter_context(self.lanes.hold(serial, waiting))
                waiting.check()
                return self._ticket(run, fence)
        except PhoneError as error:
            log.warning("run %s is left to the controller: %s", run, error)
            return None

    def _ticket(self, run: int, fence: int) -> Ticket | BadTicket | None:
        try:
            self._meet_controller()
            if not self.identity.knows_controller:  # such as after Redis was emptied: it could not be opened
                return None
            sealed, now = take(self.client, ticket_key(self.identity.name, run, fence))
            return self._opened(run, sealed, now) if sealed is not None else None
        except (redis.RedisError, OSError) as error:
            log.warning("run %s: no ticket, Redis does not answer (%s)", run, type(error).__name__)
            return None

    def _opened(self, run: int, sealed: bytes, now: Moment) -> Ticket | BadTicket | None:
        """The ticket, or what is wrong with it, which is told at the end; None for one of an earlier time."""
        try:
            ticket = self.identity.open_ticket(sealed)
        except BadTicket as error:
            return error
        if not ticket.is_good(now):  # it may have been taken before, or withdrawn
            log.warning("run %s: its ticket is of an earlier time (an old copy of Redis?), so void", run)
            return None
        return ticket.by_clock(int(time.time()) - now.seconds)

    def _meet_controller(self) -> None:
        """The very first offer may be quicker than the pulse that brings the controller's key."""
        if not self.identity.knows_controller:
            found = self.client.hget(key(self.identity.name, "control"), "key")
            if found:
                self.identity.trust(found.decode())

    def _outcome_or_defect(
        self, run: int, fence: int, serial: str, ticket: Ticket | BadTicket, term: int
    ) -> dict[str, Any]:
        """The body of the last report. An unexpected exception is our defect, told without the values in it."""
        try:
            return self._outcome(run, fence, serial, ticket, term)
        except Exception as error:  # noqa: BLE001 - the one place that catches all
            where = "".join(traceback.format_tb(error.__traceback__))
            log.error("run %s: %s\n%s", run, type(error).__name__, where)
            return _body(Result("errored", "defect", f"{type(error).__name__}\n{where}"))

    def _outcome(
        self, run: int, fence: int, serial: str, ticket: Ticket | BadTicket, term: int
    ) -> dict[str, Any]:
        if isinstance(ticket, BadTicket):
            log.error("run %s: its ticket is no good: %s", run, ticket)
            return _body(Result("errored", "bad_ticket", str(ticket)))
        if (ticket.run, ticket.fence, ticket.serial) != (run, fence, serial):
            return _body(Result("errored", "bad_ticket", "it is for another run"))
        deadline = Deadline(ticket.seconds, lambda: self.lease.why_not(term))
        with self._listed(run, fence, deadline):
            try:
                self.own_screens.bring(ticket.screens, deadline)
            except ScreensAway:
                return _body(Result("failed", "screens_away", sentence("screens_away")))
            except PhoneError as error:
                return _body(ended(error))
            return self._on_the_phone(ticket, deadline)

    def _on_the_phone(self, ticket: Ticket, deadline: Deadline) -> dict[str, Any]:
        found, sightings = None, Sightings(self.versions.of)
        try:
            found = self.inventory.confirm(ticket.serial, deadline)
            with self.open_phone(*found, deadline=deadline) as phone:
                report = self._step_reporter(ticket)
                result = run_script(ticket.script, phone, ticket, report, sightings=sightings)
            if result.outcome == "canceled":
                result = ended(Canceled(result.message))
        except PhoneError as error:
            result = ended(error)
        if sightings.unconfirmed:
            result = replace(result, data={**result.data, UNCONFIRMED: sightings.unconfirmed})
        if result.outcome not in WITH_EVIDENCE or found is None:
            return _body(result, **sightings.report())
        return _body(result, **self._evidence(found, ticket), **sightings.report())

    def _evidence(self, found: tuple[AdbServer, str], ticket: Ticket) -> dict[str, Any]:
        """What the phone shows now; in a time of its own, but no longer than the run may touch the phone."""
        (of_run,) = self._deadlines([(ticket.run, ticket.fence)])
        deadline = Deadline(evidence.EVIDENCE_SECONDS, of_run.why_not)
        try:
            with (
                self._listed(ticket.run, ticket.fence, deadline),
                self.open_phone(*found, deadline=deadline) as phone,
            ):
                return evidence.collect(phone, ticket)
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
        "outcome": result.outcome, "reason": result.reason, "message": result.message, "data": result.data,
        "screens_hash": library().hash, **extra,
    }  # fmt: skip
