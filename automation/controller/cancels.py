"""Ending runs from outside: what Cancel and a disabled account set off, and what the agents are told of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterable, Mapping

from django.utils.translation import gettext as _

from accounts.services import NotDeleted, RunsMayStart
from automation import services
from automation.choices import Outcome, RunState
from automation.controller import tickets
from automation.controller.wire import WIRE_ERRORS, wire
from automation.models import Run
from automation.protocol import Heartbeat, key
from automation.services import InvalidTransition
from devices.models import Device, Host

log = logging.getLogger(__name__)

Pairs = list[list[int]]  #: [[run, fence], ...]

LOOKS = 3  #: at what is to be canceled, while more comes in; what comes later is told with the next sweep


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
        tell(run.host)


def tell(host: Host, beat: Heartbeat | None = None) -> None:
    """Write down for the agent which runs are to end, and ring. Raises redis errors."""
    _tell_all([host], {host.name: beat} if beat else {})


class Cancels:
    """The same for all hosts, again and again, for Redis may lose it; but an empty list only when that is new."""

    def __init__(self) -> None:
        self._empty: set[str] = set()  #: hosts that were sent an empty list

    def send(self, hosts: Iterable[Host], beats: Mapping[str, Heartbeat]) -> None:
        known = list(hosts)
        wanted = _tell_all(known, beats, self._empty)
        self._empty = {host.name for host in known if host.name not in wanted}


def wanted_cancels(hosts: Iterable[Host], beats: Mapping[str, Heartbeat]) -> dict[str, Pairs]:
    """Host -> the runs that somebody canceled, and those that its agent has in hand though they have ended here."""
    by_pk = {host.pk: host.name for host in hosts}
    rows = Run.objects.active().filter(host__in=by_pk).order_by("pk")
    wanted: dict[str, Pairs] = {}
    known: dict[str, set[tuple[int, int]]] = {}
    for pk, fence, host, is_canceled in rows.values_list("pk", "fence", "host_id", "cancel_requested"):
        known.setdefault(by_pk[host or 0], set()).add((pk, fence))
        if is_canceled:
            wanted.setdefault(by_pk[host or 0], []).append([pk, fence])
    for name in by_pk.values():
        in_hand = beats[name].in_hand if name in beats else []
        over = [[run, fence] for run, fence in in_hand if (run, fence) not in known.get(name, set())]
        if over:
            wanted.setdefault(name, []).extend(over)
    return wanted


def _tell_all(
    hosts: list[Host], beats: Mapping[str, Heartbeat], told_nothing: Collection[str] = ()
) -> dict[str, Pairs]:
    """Write what is wanted, unless that is nothing and the host was told so; returns it.

    Others write in the same place: whoever read the database before a cancel and writes after it hides it. So each
    looks once more after it has written, and adds what came meanwhile.
    """
    wanted = wanted_cancels(hosts, beats)
    told = {host.name: wanted.get(host.name, []) for host in hosts if host.name not in told_nothing} | wanted
    for _look in range(LOOKS):
        if not told:
            break
        _send(told)
        before, wanted = wanted, wanted_cancels(hosts, beats)
        told = {name: runs for name, runs in wanted.items() if _has_more(runs, before.get(name, []))}
    return wanted


def _has_more(runs: Pairs, before: Pairs) -> bool:
    return any(run not in before for run in runs)


def _send(wanted: Mapping[str, Pairs]) -> None:
    pipeline = wire().pipeline(transaction=False)
    for name, runs in wanted.items():
        pipeline.hset(key(name, "control"), "cancels", json.dumps(runs))
        if runs:
            pipeline.xadd(key(name, "orders"), {"new": 1}, maxlen=1)
    pipeline.execute()
