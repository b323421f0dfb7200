"""Runs that would otherwise hang: offers nobody took, runs that died with their host, runs too late to start.

Judged by ticket, heartbeat and fence, never by age alone (DESIGN part 6).
"""

from __future__ import annotations

import json
import logging
import uuid
from datetime import timedelta

from django.utils import timezone

from automation import services
from automation.choices import Outcome
from automation.controller import tickets
from automation.controller.wire import wire
from automation.models import Run
from automation.protocol import Heartbeat, key
from automation.services import InvalidTransition
from devices import services as devices
from devices.models import Host

log = logging.getLogger(__name__)

OFFER_SECONDS = 10  #: an offer not taken by then is withdrawn and made anew


class Questions:
    """Runs whose ticket is gone though nobody reported a start: "have you got it?", asked by nonce.

    A heartbeat that echoes the nonce was made after the question; if it does not name the run, and every report
    made before it has been applied, the run was not started and never will be.
    """

    def __init__(self) -> None:
        self._me, self._number = uuid.uuid4().hex, 0
        self._asked: dict[tuple[int, int], int] = {}

    def ask(self, run: Run) -> None:
        """Ask the run's host once. Raises redis errors."""
        if run.host is None or (run.pk, run.fence) in self._asked:
            return
        self._number += 1
        wire().hset(key(run.host.name, "control"), "nonce", f"{self._me}:{self._number}")
        self._asked[run.pk, run.fence] = self._number

    def answered(self, run: Run, beat: Heartbeat) -> bool:
        """Whether this heartbeat was made after the question about this run."""
        who, _, number = beat.nonce.partition(":")
        asked = self._asked.get((run.pk, run.fence))
        return asked is not None and who == self._me and int(number or 0) >= asked

    def forget(self, run: Run) -> None:
        self._asked.pop((run.pk, run.fence), None)


def expire() -> None:
    """End the pending runs that may no longer start, and those whose account was disabled."""
    now = timezone.now()
    for run in Run.objects.expired(now)[:500]:
        _finish(run, Outcome.SKIPPED, "not_started_in_time")
    for run in Run.objects.pending().filter(account__is_enabled=False)[:500]:
        _finish(run, Outcome.SKIPPED, "disabled")


def overdue_offers(questions: Questions) -> None:
    """Withdraw offers that nobody took in time, and those that somebody wants canceled. Raises redis errors."""
    limit = timezone.now() - timedelta(seconds=OFFER_SECONDS)
    offered = Run.objects.offered().select_related("host")
    for run in offered.filter(offered_at__lt=limit) | offered.filter(cancel_requested=True):
        if tickets.withdraw(run):
            not_started(run, "nobody took the ticket")
        else:
            questions.ask(run)


def not_started(run: Run, why: str) -> None:
    """An offer that surely never starts: back to waiting, or canceled where somebody asked for that."""
    if run.cancel_requested:
        _finish(run, Outcome.CANCELED, "canceled")
    else:
        services.withdraw_offer(run, why)


def hold_against(beat: Heartbeat, questions: Questions) -> None:
    """Settle the host's runs by what its heartbeat has in hand, once all its reports are applied.

    Another outbox than before means that the agent was set up anew: what it had running then is in nobody's hand.
    """
    host = Host.objects.get(name=beat.host)
    applied = host.applied_seq if host.outbox_epoch == beat.epoch else 0
    if applied != beat.last_seq:
        return
    in_hand = {(run, fence) for run, fence in beat.in_hand}
    for run in Run.objects.active().filter(host=host):
        if (run.pk, run.fence) in in_hand:
            questions.forget(run)
        elif run.started_at is not None:
            _finish(run, Outcome.LOST, "not_in_hand")
        elif questions.answered(run, beat):
            questions.forget(run)
            not_started(run, "the agent has not got it")


def lose_host(host: Host) -> None:
    """The host is silent: its runs are lost, its untaken offers go back to waiting. Raises redis errors."""
    if not devices.host_fell_silent(host):
        return
    log.warning("host %s is silent: its runs end as lost", host)
    for run in Run.objects.active().filter(host=host).select_related("host"):
        if run.started_at is None and tickets.withdraw(run):
            not_started(run, "its host is silent")
        else:
            _finish(run, Outcome.LOST, "host_silent")


def send_cancels(host: Host) -> None:
    """Write down for the agent which of its runs are to end; made from the database, so losing it costs nothing."""
    wanted = [[run.pk, run.fence] for run in Run.objects.to_cancel().filter(host=host)]
    wire().hset(key(host.name, "control"), mapping={"cancels": json.dumps(wanted)})


def _finish(run: Run, outcome: str, reason: str) -> None:
    try:
        services.finish_run(run, outcome, reason=reason)
    except InvalidTransition:
        log.info("run %s moved on by itself", run.pk)
