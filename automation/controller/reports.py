"""Reports of the agents: read from the streams, applied once each and in order, then acknowledged."""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from automation import bulk, services
from automation.choices import EventKind, Outcome, RunState
from automation.controller import sweep
from automation.controller.gather import Pace
from automation.controller.wire import DATABASE_AWAY, wire
from automation.models import Run
from automation.protocol import MOST, Report, key, read_json
from automation.transitions import Changes, InvalidTransition, changing
from devices.models import Host

log = logging.getLogger(__name__)

Entry = tuple[bytes, dict[bytes, bytes]]  #: of a stream: its id and its fields

Due = tuple[Host, Report]  #: a report whose turn it is, and the host that it came from

BATCH = 500  #: reports applied in one transaction at most
OUTCOMES = tuple(Outcome.values)  #: Django works them out each time
UNREADABLE = "unreadable"  #: what a report is of which only its number and its run can be read
BELL = b"beat"  #: an entry of the stream that only says: there is a new heartbeat


@dataclass
class News:
    """What the reports of a pass told the controller beside what they changed."""

    devices: set[int] = field(default_factory=set)  #: that came free, or whose next run may be staged
    pace: Pace = field(default_factory=Pace)
    bells: bool = False  #: some host has a heartbeat that should not wait


def apply_host(name: str, news: News | None = None) -> int:
    """Apply what the host reported since last time; returns how many reports had an effect. Raises redis errors.

    A gap (Redis lost some) ends the batch: the agent sends again whatever is not acknowledged.
    """
    return apply_hosts([name], news or News())


def apply_hosts(names: Iterable[str], news: News) -> int:
    """The same for many hosts in one transaction."""
    wanted, pipeline = list(names), wire().pipeline(transaction=False)
    for name in wanted:
        pipeline.xrange(key(name, "reports"), count=BATCH)
    entries = {name: found for name, found in zip(wanted, pipeline.execute(), strict=True) if found}
    if not entries:
        return 0
    reports = {name: _reports_in(name, found, news) for name, found in entries.items()}
    hosts, applied = _apply_in_order(reports, news)
    if any(_needs_person(report) for found in reports.values() for report in found):
        sweep.spare_held()
    for name, found in entries.items():
        pipeline.xdel(key(name, "reports"), *[entry_id for entry_id, _fields in found])
    for host in hosts:
        acknowledge(pipeline, host)
    pipeline.execute()
    return applied


def _needs_person(report: Report) -> bool:
    return report.kind == "finished" and report.body.get("outcome") == Outcome.NEEDS_PERSON


def _reports_in(name: str, entries: list[Entry], news: News) -> list[Report]:
    news.bells = news.bells or any(BELL in fields for _id, fields in entries)
    parsed = (_parse(name, fields) for _id, fields in entries if BELL not in fields)
    return [report for report in parsed if report is not None]


def acknowledge(client: Any, host: Host) -> None:
    """Tell the agent up to which number its reports are in the database."""
    if host.outbox_epoch:
        client.hset(key(host.name, "control"), "acked", f"{host.outbox_epoch}:{host.applied_seq}")


def _parse(name: str, fields: dict[bytes, bytes]) -> Report | None:
    try:
        text = fields[b"report"]
        data = read_json(text)
        return _report_of(_without_nul(data) if b"\\u0000" in text else data)
    except (KeyError, ValueError, RecursionError):
        log.warning("host %s: an unreadable report was dropped", name)
        return None


def _report_of(data: Any) -> Report:
    """Where only its number and its run make sense it is of the kind UNREADABLE: it must take its turn, for all that
    come after it wait for it. Raises ValueError.
    """
    try:
        return Report.from_dict(data)
    except ValueError:
        if not isinstance(data, dict):
            raise
        known = {name: data[name] for name in ("run", "fence", "epoch", "seq") if name in data}
        return Report.from_dict({**known, "kind": UNREADABLE})


def _without_nul(value: Any) -> Any:
    """The same without the one character that PostgreSQL does not store."""
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, list):
        return [_without_nul(one) for one in value]
    if isinstance(value, dict):
        return {_without_nul(name): _without_nul(one) for name, one in value.items()}
    return value


@transaction.atomic
def _apply_in_order(reports: dict[str, list[Report]], news: News) -> tuple[list[Host], int]:
    hosts = list(Host.objects.select_for_update().filter(name__in=reports).order_by("pk"))
    before = sum(host.applied_seq for host in hosts)
    due = [(host, report) for host in hosts for report in _next_in_order(host, reports[host.name])]
    if due:
        _apply_together(due, news)
        applied = {"applied_seq": [host.applied_seq for host in hosts]}
        bulk.update(Host, {"id": [host.pk for host in hosts]}, applied)
    return hosts, sum(host.applied_seq for host in hosts) - before


def _next_in_order(host: Host, reports: list[Report]) -> Iterator[Report]:
    for report in reports:
        if report.epoch == host.outbox_epoch and report.seq == host.applied_seq + 1:
            host.applied_seq = report.seq
            yield report


def _apply_together(due: list[Due], news: News) -> None:
    """All in one go; where one of them stumbles the batch is taken back and each is applied by itself."""
    try:
        with transaction.atomic():
            _apply(due, news)
    except DATABASE_AWAY:  # the database is away or locked: the whole batch comes again
        raise
    except Exception as error:  # noqa: BLE001 - it is met again, and told, below
        log.info("%s reports are applied one by one (%s)", len(due), type(error).__name__)
        for host, report in due:
            _apply_alone(host, report, news)


def _apply_alone(host: Host, report: Report, news: News) -> None:
    try:
        with transaction.atomic():
            _apply([(host, report)], news)
    except DATABASE_AWAY:
        raise
    except Exception as error:
        log.exception("host %s: report %s of run %s cannot be applied", host.name, report.seq, report.run)
        _unusable(host, report, error)


def _apply(due: list[Due], news: News) -> None:
    """What a report says of a run that moved on is kept as an event and changes nothing."""
    with changing({report.run for _host, report in due}) as changes:
        for host, report in due:
            handler = HANDLERS.get(report.kind)
            if handler is None:
                log.warning("host %s: a report of unknown kind %r was dropped", host.name, report.kind)
                continue
            try:
                handler(changes, host, report, news)
            except InvalidTransition as error:
                late = f"{report.kind} from {host.name} under fence {report.fence}: {error}"
                changes.note_late(report.run, late)


def _unusable(host: Host, report: Report, error: Exception) -> None:
    """A report that makes no sense ends its run as errored, so that no phone stays busy for it."""
    for run in Run.objects.active().filter(pk=report.run, fence=report.fence, host=host):
        message = f"{report.kind} from {host.name}: {type(error).__name__}"
        sweep.end(run, Outcome.ERRORED, "bad_report", message)


def _started(changes: Changes, host: Host, report: Report, news: News) -> None:
    run = changes.start(report.run, report.fence, report.seq, host_id=host.pk)
    news.devices.add(run.device_id or 0)  # the next one may be staged


def _step(changes: Changes, host: Host, report: Report, news: News) -> None:
    run, body = changes.on_host(report.run, report.fence, host.pk), report.body
    changes.note(
        run, kind=EventKind.STEP, name=str(body.get("name", ""))[:80], seconds=_number(body.get("seconds")),
        ok=bool(body.get("ok", True)), detail=str(body.get("detail", "")), actor=host.name,
    )  # fmt: skip


def _finished(changes: Changes, host: Host, report: Report, news: News) -> None:
    body = report.body
    outcome = body.get("outcome") if body.get("outcome") in OUTCOMES else Outcome.ERRORED
    run = changes.finish(
        report.run, report.fence, str(outcome), reason=str(body.get("reason", ""))[:32],
        message=str(body.get("message", "")), result=body.get("data") if isinstance(body.get("data"), dict) else {},
        actor=host.name, host_id=host.pk, screens_hash=str(body.get("screens_hash", ""))[:64],
    )  # fmt: skip
    changes.saw(body.get("seen"))
    if body.get("screenshot") or body.get("dump"):
        picture = _decoded(body.get("screenshot", ""))
        texts = [str(body.get(name, "")) for name in ("dump", "screens_hash", "app_version")]
        services.keep_evidence(run, picture, *texts)
    news.devices.add(run.device_id or 0)
    news.pace.saw(run.script, run.seconds or 0.0)


def _abandoned(changes: Changes, host: Host, report: Report, news: News) -> None:
    """The agent died and came back: what it had in hand is over, what it had not started never will be."""
    run = changes.on_host(report.run, report.fence, host.pk, RunState.OFFERED, RunState.RUNNING)
    if run.state == RunState.OFFERED:
        changes.withdraw(run.pk, run.fence, "the agent restarted before it started the run")
    else:
        changes.finish(run.pk, run.fence, Outcome.LOST, reason="agent_restarted", actor=host.name)
    news.devices.add(run.device_id or 0)


def _unreadable(_changes: Changes, _host: Host, report: Report, _news: News) -> None:
    raise ValueError(f"report {report.seq} is not what it should be")


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and abs(value) < MOST else None


def _decoded(text: object) -> bytes:
    try:
        return base64.b64decode(str(text), validate=True)
    except binascii.Error:
        return b""


HANDLERS: dict[str, Callable[[Changes, Host, Report, News], None]] = {
    "started": _started,
    "step": _step,
    "finished": _finished,
    "abandoned": _abandoned,
    UNREADABLE: _unreadable,
}
