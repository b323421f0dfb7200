"""Ending runs from outside: what the admin's Cancel and a disabled account set off, before the reply is sent."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.utils.translation import gettext as _

from accounts.services import NotDeleted, RunsMayStart
from automation import services
from automation.choices import Outcome, RunState
from automation.controller import sweep, tickets
from automation.controller.wire import WIRE_ERRORS
from automation.models import Run
from automation.services import InvalidTransition
from devices.models import Device, Host

log = logging.getLogger(__name__)


class StillInHand(NotDeleted):
    """An agent may have runs of a host or a device in hand, which nobody could end without its row: it is kept."""

    def __init__(self, row: Host | Device, count: int) -> None:
        super().__init__()
        self.row, self.count = row, count

    def __str__(self) -> str:
        return _(
            "Nothing was deleted: %(name)s still has runs in hand (%(n)s). They were told to end. Delete it once they "
            "have: in some seconds, or half a minute after its agent died."
        ) % {"name": self.row, "n": self.count}


def cancel(runs: Iterable[Run], actor: str, outcome: str = Outcome.CANCELED, reason: str = "canceled") -> int:
    """End waiting runs at once, withdraw tickets, tell the agents of running ones; returns how many it reached.

    Raises RunsMayStart when Redis does not answer; the controller then ends them as soon as it can.
    """
    wanted = list(runs)
    active = services.request_cancel(
        wanted, actor, outcome, reason
    )  # all in the database before Redis may fail
    try:
        for run in active:
            _end_active(run, outcome, reason, actor)
    except WIRE_ERRORS as error:
        raise RunsMayStart from error
    return len(wanted)


def _end_active(run: Run, outcome: str, reason: str, actor: str) -> None:
    if run.state == RunState.OFFERED and tickets.withdraw(run):
        try:
            services.finish_run(run, outcome, reason=reason, actor=actor)
        except InvalidTransition:
            log.info("run %s moved on by itself", run.pk)
    elif run.host is not None:
        sweep.send_cancels(run.host)
