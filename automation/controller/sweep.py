"""Runs that would otherwise hang: offers nobody took, runs that died with their host, runs too late to start.

Judged by ticket, heartbeat and fence, never by age alone (DESIGN part 6).
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from automation import services
from automation.choices import Outcome, RunState
from automation.controller import tickets
from automation.controller.wire import DATABASE_AWAY, wire
from automation.models import Run
from automation.protocol import Heartbeat, key
from automation.querysets import OF_DISABLED, ON_HELD_PHONE, WITHOUT_HOST
from automation.services import InvalidTransition
from devices import services as devices
from devices.models import Host

log = logging.getLogger(__name__)

ASKING = 4  #: controllers whose questions stand side by side; those that ended make room
OFFER_SECONDS = 10  #: an offer not taken by then is withdrawn and made anew


class Questions:
    """Runs whose ticket is gone though nobody reported a start: "have you got it?", asked by nonce.

    A heartbeat that echoes the nonce was made after the question; if it does not name the run, and every report
    made before it has been applied, the run was not started and never will be. The nonces of several controllers
    stand side by side, so that none waits for an answer that another's question took away.
    """

    def __init__(self) -> None:
        self._me, self._number = uuid.uuid4().hex, 0
        self._asked: dict[tuple[int, int], int] = {}

    def ask(self, run: Run) -> None:
        """Ask the run's host; again and again, for Redis may lose the question. Raises redis errors."""
        if run.host is None:
            return
        if (run.pk, run.fence) not in self._asked:
            self._number += 1
            self._asked[run.pk, run.fence] = self._number
        self._write(key(run.host.name, "control"), f"{self._me}:{self._number}")

    def _write(self, control: str, mine: str) -> None:
        there = (wire().hget(control, "nonce") or b"").decode(errors="replace").split()
        if mine not in there:
            others = [nonce for nonce in there if not nonce.startswith(self._me)]
            wire().hset(control, "nonce", " ".join([mine, *others][:ASKING]))

    def answered(self, run: Run, beat: Heartbeat) -> bool:
        """Whether this heartbeat was made after the question about this run."""
        asked = self._asked.get((run.pk, run.fence))
        return asked is not None and any(self._numbered(nonce) >= asked for nonce in beat.nonce.split())

    def _numbered(self, nonce: str) -> int:
        """The number of a question of mine; 0 for another controller's."""
        who, _, number = nonce.partition(":")
        return int(number) if who == self._me and number.isdecimal() else 0

    def forget(self, run: Run) -> None:
        self._asked.pop((run.pk, run.fence), None)

    def forget_all_but(self, runs: Iterable[Run]) -> None:
        """Drop the questions about runs that are no longer offered."""
        still = {(run.pk, run.fence) for run in runs}
        self._asked = {one: number for one, number in self._asked.items() if one in still}


def expire() -> None:
    """End the pending runs that may no longer start."""
    for run in Run.objects.expired(timezone.now())[:500]:
        end(run, Outcome.SKIPPED, "not_started_in_time")


def in_hand(questions: Questions) -> None:
    """See to what phones have in hand or before them, by one question where all is well. Raises redis errors."""
    is_wrong = ON_HELD_PHONE | _is_overdue() | OF_DISABLED | WITHOUT_HOST
    if Run.objects.active().filter(is_wrong).exists():
        spare_held()
        overdue_offers(questions)
        end_unwanted()


def end_unwanted() -> None:
    """See that no run of a disabled account goes on, nor one whose host was deleted."""
    services.request_cancel(
        Run.objects.active().of_disabled().filter(cancel_requested=False), "", Outcome.SKIPPED, "disabled"
    )
    for run in Run.objects.without_host():
        end(run, Outcome.LOST, "host_deleted")


def skip_disabled() -> None:
    """End what waits for accounts that were disabled while nobody could follow it up; none of it would start."""
    services.request_cancel(Run.objects.pending().of_disabled()[:500], "", Outcome.SKIPPED, "disabled")


def end_holds() -> None:
    """Give the phones back whose time for a person is over."""
    ended = devices.end_holds(timezone.now())
    if ended:
        log.info("%s phones were kept for a person long enough: they work again", ended)


def spare_held() -> None:
    """Take back what was put before a phone that is kept for a person meanwhile. Raises redis errors."""
    for run in Run.objects.active().offered().on_held_phones().select_related("host"):
        if tickets.withdraw(run):
            services.withdraw_offer(run, "its phone is kept for a person")


def overdue_offers(questions: Questions) -> None:
    """Withdraw offers that nobody took in time, and those that somebody wants canceled. Raises redis errors."""
    runs = list(Run.objects.filter(_is_overdue()).exclude(host=None).select_related("host"))
    questions.forget_all_but(runs)
    for run in runs:
        if tickets.withdraw(run):
            services.withdraw_offer(run, "nobody took the ticket")
        else:
            questions.ask(run)


def _is_overdue() -> Q:
    term, now = timedelta(seconds=OFFER_SECONDS), timezone.now()
    in_time = Q(offered_at__gte=now - term, offered_at__lte=now + term)  # later: a clock is wrong
    return Q(state=RunState.OFFERED) & (~in_time | Q(cancel_requested=True))


def hold_against(host: Host, beat: Heartbeat, questions: Questions) -> None:
    """Settle the host's runs by what its heartbeat has in hand, once the reports before it are applied."""
    if host.outbox_epoch != beat.epoch or host.applied_seq < beat.last_seq:
        return
    in_hand = {(run, fence) for run, fence in beat.in_hand}
    for run in Run.objects.active().filter(host=host):
        if (run.pk, run.fence) in in_hand:
            questions.forget(run)
        elif run.started_at is not None:
            if run.started_seq <= beat.last_seq:  # the agent had started it when it drew up the list
                end(run, Outcome.LOST, "not_in_hand")
        elif questions.answered(run, beat):
            questions.forget(run)
            services.withdraw_offer(run, "the agent has not got it")


def lose_host(host: Host) -> None:
    """The host is silent: its runs are lost, its untaken offers go back to waiting. Raises redis errors.

    Safe to repeat: it goes on where an earlier attempt was cut short.
    """
    if devices.host_fell_silent(host):
        log.warning("host %s is silent: its runs end as lost", host)
    lose_running(host, "host_silent")
    for run in Run.objects.offered().filter(host=host).select_related("host"):
        if tickets.withdraw(run):
            services.withdraw_offer(run, "its host is silent")
        else:
            end(run, Outcome.LOST, "host_silent")


def lose_running(host: Host, reason: str) -> None:
    """End what runs on the host as lost."""
    for run in Run.objects.running().filter(host=host):
        end(run, Outcome.LOST, reason)


def with_runs(given_up: list[Host]) -> list[Host]:
    """Those of the hosts that were given up whose runs were not all ended."""
    if not given_up:
        return []
    left = set(Run.objects.active().filter(host__in=given_up).values_list("host_id", flat=True))
    return [host for host in given_up if host.pk in left]


def end(run: Run, outcome: str, reason: str, message: str = "") -> None:
    """End a run that may have moved on by itself. One that a defect keeps from it must not keep the others."""
    try:
        services.finish_run(run, outcome, reason=reason, message=message)
    except InvalidTransition:
        log.info("run %s moved on by itself", run.pk)
    except DATABASE_AWAY:
        raise
    except Exception:
        log.exception("run %s cannot be ended", run.pk)
