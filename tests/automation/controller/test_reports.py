"""Reports are applied once each, in order; what comes late or from a stranger changes nothing."""

from __future__ import annotations

import base64
import json

import pytest
from django.utils import timezone

from automation import effects, services
from automation.choices import EventKind, Outcome, RunState
from automation.controller import reports, sweep
from automation.models import Evidence, Run, RunEvent
from automation.protocol import Report, key
from tests.automation.rows import finished_run, host_with_key, offer_run, offered_run, run_on, running_run
from tests.factories import make_device

pytestmark = pytest.mark.django_db(transaction=True)


def send(client, host: str, *sent: Report) -> None:
    for report in sent:
        client.xadd(key(host, "reports"), {"report": report.to_json()})


def report(kind: str, run: Run, seq: int, epoch: str = "e1", fence: int | None = None, **body) -> Report:
    return Report(
        kind=kind, run=run.pk, fence=run.fence if fence is None else fence, epoch=epoch, seq=seq, body=body
    )


DONE = {"outcome": "succeeded", "reason": "signed_in", "data": {}}


def test_started_step_and_finished_bring_the_run_to_its_end(redis_client) -> None:
    run = offered_run()
    step = report("step", run, 2, name="open the app", seconds=1.5, ok=True)
    send(redis_client, run.host.name, report("started", run, 1), step, report("finished", run, 3, **DONE))
    assert reports.apply_host(run.host.name) == 3
    run.refresh_from_db()
    assert (run.state, run.outcome) == (RunState.FINISHED, Outcome.SUCCEEDED)
    assert run.events.filter(kind=EventKind.STEP, name="open the app", seconds=1.5).count() == 1


def test_what_is_applied_is_acknowledged_and_taken_off_the_stream(redis_client) -> None:
    run = offered_run()
    send(redis_client, run.host.name, report("started", run, 1))
    reports.apply_host(run.host.name)
    assert redis_client.hget(key(run.host.name, "control"), "acked") == b"e1:1"
    assert redis_client.xlen(key(run.host.name, "reports")) == 0


def test_a_report_that_comes_twice_is_applied_once(redis_client) -> None:
    run = offered_run()
    send(redis_client, run.host.name, *[report("started", run, 1), report("step", run, 2, name="x")] * 3)
    assert reports.apply_host(run.host.name) == 2
    assert run.events.filter(kind=EventKind.STEP).count() == 1


def test_after_a_gap_nothing_is_applied_until_the_agent_sends_again(redis_client) -> None:
    run = offered_run()
    send(redis_client, run.host.name, report("started", run, 1), report("finished", run, 3, **DONE))
    assert reports.apply_host(run.host.name) == 1
    send(redis_client, run.host.name, report("step", run, 2, name="x"), report("finished", run, 3, **DONE))
    assert reports.apply_host(run.host.name) == 2


def test_reports_of_another_outbox_than_the_heartbeats_are_refused(redis_client) -> None:
    run = running_run()
    send(redis_client, run.host.name, report("finished", run, 1, epoch="old", **DONE))
    assert reports.apply_host(run.host.name) == 0
    run.refresh_from_db()
    assert run.state == RunState.RUNNING


@pytest.mark.parametrize("kind", ["started", "finished"])
def test_a_late_report_is_kept_as_an_event_and_changes_nothing(redis_client, kind: str) -> None:
    run = finished_run()
    send(redis_client, run.host.name, report(kind, run, 1, outcome="failed", reason="x"))
    reports.apply_host(run.host.name)
    run.refresh_from_db()
    assert run.outcome == Outcome.SUCCEEDED
    assert RunEvent.objects.filter(run=run, kind=EventKind.LATE).count() == 1


def test_a_report_under_an_old_fence_changes_nothing(redis_client) -> None:
    run = running_run()
    send(redis_client, run.host.name, report("finished", run, 1, fence=run.fence - 1, **DONE))
    reports.apply_host(run.host.name)
    run.refresh_from_db()
    assert run.state == RunState.RUNNING


def test_a_host_cannot_speak_for_the_run_of_another(redis_client) -> None:
    run, stranger = running_run(), host_with_key()
    send(redis_client, stranger.name, report("finished", run, 1, **DONE))
    reports.apply_host(stranger.name)
    run.refresh_from_db()
    assert run.state == RunState.RUNNING


def test_rubbish_on_the_stream_is_dropped_and_the_rest_applied(redis_client) -> None:
    run = offered_run()
    redis_client.xadd(key(run.host.name, "reports"), {"report": b"\xff{"})
    redis_client.xadd(key(run.host.name, "reports"), {"something": "else"})
    redis_client.xadd(key(run.host.name, "reports"), {"report": '{"kind": 3}'})
    send(redis_client, run.host.name, report("started", run, 1))
    assert reports.apply_host(run.host.name) == 1


@pytest.mark.parametrize("text", ["\\u0000", "C:\\u0000bin", "a\0b", "\0"])
def test_words_that_look_like_the_character_nul_stay_as_they_are(redis_client, text: str) -> None:
    run = running_run()
    send(redis_client, run.host.name, report("step", run, 1, name="read", detail=text))
    assert reports.apply_host(run.host.name) == 1
    assert run.events.get(kind=EventKind.STEP).detail == text.replace("\0", "")


@pytest.mark.parametrize("wrong", [{"kind": 3}, {"body": "x"}, {"at": "now"}])
def test_a_report_that_cannot_be_read_takes_its_turn_and_ends_its_run(redis_client, wrong) -> None:
    run, other = running_run(), offered_run()
    Run.objects.filter(pk=other.pk).update(host=run.host)
    unreadable = {**vars(report("step", run, 1)), **wrong}
    redis_client.xadd(key(run.host.name, "reports"), {"report": json.dumps(unreadable)})
    send(redis_client, run.host.name, report("started", other, 2))
    assert reports.apply_host(run.host.name) == 2
    run.refresh_from_db()
    other.refresh_from_db()
    assert (run.outcome, run.reason, other.state) == (Outcome.ERRORED, "bad_report", RunState.RUNNING)


@pytest.mark.parametrize(
    "text", [b"[" * 100_000, b'{"body":' + b"[" * 900 + b'"\\u0000"' + b"]" * 900 + b"}"]
)
def test_a_text_nested_too_deep_stops_no_other_host(redis_client, text: bytes) -> None:
    bad, good = running_run(), offered_run()
    redis_client.xadd(key(bad.host.name, "reports"), {"report": text})
    send(redis_client, good.host.name, report("started", good, 1))
    assert reports.apply_hosts([bad.host.name, good.host.name], reports.News()) == 1


@pytest.mark.parametrize(
    "body", [{"data": {"found": ["x"]}}, {"data": {"found": [{"app": "x"}]}}, {"outcome": [], "message": {}}]
)
def test_a_report_that_makes_no_sense_ends_its_run_and_stops_nobody(redis_client, body) -> None:
    device = make_device(host=host_with_key())
    (run,) = services.enqueue("match", [(None, device)], requested_by="ann")
    run = offer_run(run, device.host_id)
    bad = report("finished", run, 2, **{"outcome": "succeeded", "reason": "matched", **body})
    send(redis_client, run.host.name, report("started", run, 1), bad, report("step", run, 3, name="x"))
    assert reports.apply_host(run.host.name) == 3
    run.refresh_from_db()
    assert (run.state, run.outcome) == (RunState.FINISHED, Outcome.ERRORED)


def test_a_restarted_agent_ends_what_it_had_running_as_lost(redis_client) -> None:
    run = running_run()
    send(redis_client, run.host.name, report("abandoned", run, 1))
    reports.apply_host(run.host.name)
    run.refresh_from_db()
    assert (run.outcome, run.reason) == (Outcome.LOST, "agent_restarted")


def test_a_restarted_agent_gives_back_what_it_had_not_started(redis_client) -> None:
    run = offered_run()
    send(redis_client, run.host.name, report("abandoned", run, 1))
    reports.apply_host(run.host.name)
    run.refresh_from_db()
    assert run.state == RunState.PENDING


def test_evidence_is_kept_with_the_run(redis_client) -> None:
    run = running_run()
    body = {
        "screenshot": base64.b64encode(b"picture").decode(),
        "dump": "<hierarchy/>",
        "screens_hash": "abc",
    }
    send(
        redis_client,
        run.host.name,
        report("finished", run, 1, outcome="failed", reason="wrong_password", **body),
    )
    reports.apply_host(run.host.name)
    kept = Evidence.objects.get(run=run)
    assert (bytes(kept.screenshot), kept.dump) == (b"picture", "<hierarchy/>")


def test_a_run_whose_end_meets_a_defect_keeps_nobody_elses_from_being_applied(
    redis_client, monkeypatch
) -> None:
    bad, good, apply = running_run(), running_run(), effects.apply

    def broken(run) -> None:
        if run.pk == bad.pk:
            raise RuntimeError
        apply(run)

    monkeypatch.setattr(effects, "apply", broken)
    for run in (bad, good):
        body = {"outcome": "succeeded"}
        said = Report("finished", run.pk, run.fence, epoch="e1", seq=1, body=body)
        redis_client.xadd(key(run.host.name, "reports"), {"report": said.to_json()})
    reports.apply_hosts([bad.host.name, good.host.name], reports.News())
    Run.objects.filter(pk=bad.pk).update(host=None)
    late = run_on()
    Run.objects.filter(pk=late.pk).update(start_by=timezone.now())
    sweep.in_hand(sweep.Questions())
    sweep.expire()
    ends = dict(Run.objects.order_by("pk").values_list("pk", "outcome"))
    assert ends == {bad.pk: "", good.pk: "succeeded", late.pk: "skipped"}
