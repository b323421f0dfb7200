"""Reports of the agents: read from the streams, applied once each and in order, then acknowledged."""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction

from automation import services
from automation.choices import EventKind, Outcome
from automation.controller.wire import DATABASE_AWAY, wire
from automation.models import Run, RunEvent
from automation.protocol import MOST, Report, key
from automation.services import InvalidTransition
from devices.models import Host

log = logging.getLogger(__name__)

BATCH = 500  #: reports applied in one transaction at most


def apply_host(name: str) -> int:
    """Apply what the host reported since last time; returns how many reports had an effect. Raises redis errors.

    A gap (Redis lost some) ends the batch: the agent sends again whatever is not acknowledged.
    """
    entries = wire().xrange(key(name, "reports"), count=BATCH)
    if not entries:
        return 0
    reports = [report for _id, fields in entries if (report := _parse(name, fields)) is not None]
    applied = _apply_in_order(name, reports)
    wire().xdel(key(name, "reports"), *[entry_id for entry_id, _fields in entries])
    acknowledge(name)
    return applied


def acknowledge(name: str) -> None:
    """Tell the agent up to which number its reports are in the database."""
    host = Host.objects.filter(name=name).first()
    if host is not None and host.outbox_epoch:
        wire().hset(key(name, "control"), "acked", f"{host.outbox_epoch}:{host.applied_seq}")


def _parse(name: str, fields: dict[bytes, bytes]) -> Report | None:
    try:
        return Report.from_json(fields[b"report"].replace(b"\\u0000", b""))  # PostgreSQL stores no NUL
    except (KeyError, ValueError):
        log.warning("host %s: an unreadable report was dropped", name)
        return None


@transaction.atomic
def _apply_in_order(name: str, reports: list[Report]) -> int:
    host = Host.objects.select_for_update().get(name=name)
    before = host.applied_seq
    for report in reports:
        if report.epoch == host.outbox_epoch and report.seq == host.applied_seq + 1:
            _apply(host, report)
            host.applied_seq = report.seq
    host.save(update_fields=["applied_seq"])
    return host.applied_seq - before


def _apply(host: Host, report: Report) -> None:
    """One report; whatever it says of a run that moved on is kept as an event and changes nothing."""
    handler = HANDLERS.get(report.kind)
    if handler is None:
        log.warning("host %s: a report of unknown kind %r was dropped", host.name, report.kind)
        return
    try:
        with transaction.atomic():
            handler(host, report)
    except (InvalidTransition, Run.DoesNotExist, IntegrityError) as error:
        services.note_late(report.run, f"{report.kind} from {host.name} under fence {report.fence}: {error}")
    except DATABASE_AWAY:  # the database is away or locked: the whole batch comes again
        raise
    except Exception as error:
        log.exception("host %s: report %s of run %s cannot be applied", host.name, report.seq, report.run)
        _unusable(host, report, error)


def _unusable(host: Host, report: Report, error: Exception) -> None:
    """A report that makes no sense ends its run as errored, so that no phone stays busy for it."""
    for run in Run.objects.active().filter(pk=report.run, fence=report.fence, host=host):
        message = f"{report.kind} from {host.name}: {type(error).__name__}"
        services.finish_run(run, Outcome.ERRORED, reason="bad_report", message=message)


def _started(host: Host, report: Report) -> None:
    if not Run.objects.filter(pk=report.run, host=host).exists():
        raise InvalidTransition(f"the run is not with {host.name}")
    services.start_run(report.run, report.fence, report.seq)


def _step(host: Host, report: Report) -> None:
    run = _run_of(host, report)
    body = report.body
    RunEvent.objects.create(
        run=run, kind=EventKind.STEP, name=str(body.get("name", ""))[:80], seconds=_number(body.get("seconds")),
        ok=bool(body.get("ok", True)), detail=str(body.get("detail", ""))[:300], actor=host.name,
    )  # fmt: skip


def _finished(host: Host, report: Report) -> None:
    run, body = _run_of(host, report), report.body
    outcome = body.get("outcome") if body.get("outcome") in Outcome.values else Outcome.ERRORED
    if body.get("screenshot") or body.get("dump"):
        picture = _decoded(body.get("screenshot", ""))
        services.keep_evidence(
            run, picture, str(body.get("dump", "")), str(body.get("screens_hash", ""))[:64]
        )
    services.finish_run(
        run, str(outcome), reason=str(body.get("reason", ""))[:32], message=str(body.get("message", "")),
        result=body.get("data") if isinstance(body.get("data"), dict) else {}, actor=host.name,
    )  # fmt: skip


def _abandoned(host: Host, report: Report) -> None:
    """The agent died and came back: what it had in hand is over, what it had not started never will be."""
    run = Run.objects.active().get(pk=report.run, fence=report.fence, host=host)
    if run.started_at is None:
        services.withdraw_offer(run, "the agent restarted before it started the run")
    else:
        services.finish_run(run, Outcome.LOST, reason="agent_restarted", actor=host.name)


def _run_of(host: Host, report: Report) -> Run:
    run: Run = Run.objects.running().get(pk=report.run, fence=report.fence, host=host)
    return run


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and abs(value) < MOST else None


def _decoded(text: object) -> bytes:
    try:
        return base64.b64decode(str(text), validate=True)
    except binascii.Error:
        return b""


HANDLERS: dict[str, Callable[[Host, Report], Any]] = {
    "started": _started,
    "step": _step,
    "finished": _finished,
    "abandoned": _abandoned,
}
