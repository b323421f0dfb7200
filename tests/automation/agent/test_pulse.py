"""The agent's talk with the controller on a real Redis."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
import time
from pathlib import Path

import pytest
import redis

from automation.agent import pulse as pulses
from automation.agent.identity import CannotStart, Identity
from automation.agent.inventory import Inventory
from automation.agent.lease import CUT_OFF_SECONDS, Lease, clock
from automation.agent.outbox import Outbox
from automation.agent.pulse import Pulse
from automation.protocol import REPORT_WINDOW, Heartbeat, Report, key
from automation.screens.schema import library
from tests.phones import wait_for


@pytest.fixture
def canceled() -> list:
    return []


@pytest.fixture
def pulse(redis_client, tmp_path: Path, canceled: list) -> Pulse:
    return make_pulse(redis_client, tmp_path / "a", canceled)


class FakeWork:
    """Notes what it is told."""

    def __init__(self, told: list) -> None:
        self.told, self.lease = told, Lease()

    def cancel(self, *call) -> None:
        self.told.append(call)

    def cancel_all(self, reason: str) -> None:
        self.told.append(reason)

    def end_expired(self) -> None:
        pass

    def die(self) -> None:
        self.told.append("died")


def make_pulse(client, folder: Path, canceled: list) -> Pulse:
    identity = Identity("pc1", folder)
    return Pulse(
        client, identity, Outbox(folder / "outbox.sqlite3"), Inventory([]), FakeWork(canceled), 10, "1"
    )


def sent(client) -> list[Report]:
    return [Report.from_json(fields[b"report"]) for _id, fields in client.xrange(key("pc1", "reports"))]


def test_a_heartbeat_carries_the_runs_in_hand_and_the_newest_number(pulse: Pulse, redis_client) -> None:
    pulse.outbox.take_in_hand(7, 2)
    pulse.outbox.add("started", 7, 2)
    pulse.beat_once()
    beat = Heartbeat.from_json(redis_client.get(key("pc1", "beat")))
    assert (beat.in_hand, beat.last_seq, beat.epoch) == ([[7, 2]], 1, pulse.outbox.epoch)


def test_reports_are_sent_once_while_redis_keeps_them(pulse: Pulse, redis_client) -> None:
    pulse.outbox.add("started", 7, 2)
    for _ in range(3):
        pulse.beat_once()
    assert [report.seq for report in sent(redis_client)] == [1]


def test_reports_that_redis_lost_are_sent_again(pulse: Pulse, redis_client, monkeypatch) -> None:
    monkeypatch.setattr(pulses, "RESEND_SECONDS", 0)
    pulse.outbox.add("started", 7, 2)
    pulse.beat_once()
    redis_client.flushall()
    pulse.beat_once()
    assert [report.seq for report in sent(redis_client)] == [1]


def test_what_the_controller_has_is_forgotten(pulse: Pulse, redis_client) -> None:
    pulse.outbox.add("started", 7, 2)
    redis_client.hset(key("pc1", "control"), "acked", f"{pulse.outbox.epoch}:1")
    pulse.beat_once()
    assert pulse.outbox.unsent(0, 10) == []


def test_an_acknowledgement_for_another_outbox_is_ignored(pulse: Pulse, redis_client) -> None:
    pulse.outbox.add("started", 7, 2)
    redis_client.hset(key("pc1", "control"), "acked", "other:1")
    pulse.beat_once()
    assert len(pulse.outbox.unsent(0, 10)) == 1


def test_the_stream_never_holds_more_than_two_windows(pulse: Pulse, redis_client) -> None:
    for number in range(3 * REPORT_WINDOW):
        pulse.outbox.add("step", number, 1)
    for _ in range(5):
        pulse.beat_once()
    assert len(sent(redis_client)) <= 2 * REPORT_WINDOW


def test_cancels_reach_the_runs(pulse: Pulse, redis_client, canceled: list) -> None:
    redis_client.hset(key("pc1", "control"), "cancels", json.dumps([[7, 2]]))
    pulse.beat_once()
    assert canceled == [({(7, 2)}, "canceled")]


def test_a_question_is_answered_with_the_next_breath(pulse: Pulse, redis_client) -> None:
    pulse.beat_once()
    redis_client.hset(key("pc1", "control"), "nonce", "who:1")
    pulse.beat_once()
    assert Heartbeat.from_json(redis_client.get(key("pc1", "beat"))).nonce == "who:1"


@pytest.mark.parametrize("cancels", ["x", "[[1]]", "[[Infinity, 1]]", "[" * 100_000])
@pytest.mark.parametrize("acked", [":", "99", "9" * 30, "0" * 5000])
def test_rubbish_in_the_control_hash_does_no_harm(
    pulse: Pulse, redis_client, canceled: list, cancels: str, acked: str
) -> None:
    rubbish = {"cancels": cancels, "acked": f"{pulse.outbox.epoch}:{acked}", "nonce": "\xff"}
    redis_client.hset(key("pc1", "control"), mapping=rubbish)
    pulse.beat_once()
    assert canceled == []


def test_an_outage_of_redis_is_said_once_with_its_address(pulse: Pulse, caplog, monkeypatch) -> None:
    pulse.client, seen = redis.Redis.from_url("redis://localhost:1"), list[bool]()
    monkeypatch.setattr(pulse._work, "end_expired", lambda: seen.append(True))
    thread = threading.Thread(target=pulse.run, daemon=True)
    thread.start()
    wait_for(lambda: len(seen) > 2, 10, "three attempts")
    pulse.stop.set()
    thread.join(5)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 1
    assert said[0].startswith("Redis at localhost:1 does not answer (ConnectionError)")


def test_a_name_in_use_elsewhere_is_refused_and_its_own_is_taken_again(
    pulse: Pulse, redis_client, tmp_path: Path, canceled: list
) -> None:
    pulse.claim_name()
    pulse.claim_name()  # the same outbox: a restart
    with pytest.raises(CannotStart, match="already uses the name pc1"):
        make_pulse(redis_client, tmp_path / "b", canceled).claim_name()


def run_for(pulse: Pulse, seconds: float) -> None:
    thread = threading.Thread(target=pulse.run)
    thread.start()
    time.sleep(seconds)
    pulse.stop.set()
    pulse.wake()
    thread.join(5)


def test_an_agent_that_was_paused_for_too_long_lets_go_of_its_phones(pulse: Pulse, canceled: list) -> None:
    pulse._lease.renew(clock() - CUT_OFF_SECONDS - 1)
    run_for(pulse, 0.3)
    assert canceled == ["cut_off"]


def test_only_a_heartbeat_renews_the_lease_and_from_the_moment_before_it(pulse: Pulse, monkeypatch) -> None:
    now = clock()
    monkeypatch.setattr(pulses, "clock", lambda: now - CUT_OFF_SECONDS - 1)
    pulse.beat_once()  # the process was paused within it
    assert pulse._lease.is_over
    monkeypatch.undo()
    pulse.beat_once()  # Redis answers, but no heartbeat is due
    assert pulse._lease.is_over
    pulse.beat_now()
    pulse.beat_once()
    assert not pulse._lease.is_over


def test_an_agent_that_cannot_keep_its_books_ends(pulse: Pulse, canceled: list, monkeypatch) -> None:
    def full() -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(pulse.outbox, "snapshot", full)
    run_for(pulse, 0.3)
    assert canceled[0] == "died"


def test_lost_reports_are_sent_again_while_new_ones_flow(pulse: Pulse, redis_client, monkeypatch) -> None:
    monkeypatch.setattr(pulses, "RESEND_SECONDS", 0.2)
    pulse.outbox.add("step", 1, 1)
    pulse.beat_once()
    redis_client.flushdb()

    def is_back() -> bool:
        pulse.outbox.add("step", 1, 1)
        pulse.beat_once()
        back = 1 in [report.seq for report in sent(redis_client)]
        redis_client.delete(key("pc1", "reports"))  # the controller reads, sees the gap, deletes
        return back

    wait_for(is_back, 5, "the first report")


def test_a_copy_of_the_hosts_disk_is_not_the_same_agent(
    pulse: Pulse, redis_client, tmp_path: Path, canceled: list, monkeypatch
) -> None:
    pulse.claim_name()
    shutil.copytree(tmp_path / "a", tmp_path / "copy")
    copy = make_pulse(redis_client, tmp_path / "copy", canceled)
    monkeypatch.setattr(pulses, "machine_id", lambda: "another machine")
    with pytest.raises(CannotStart):
        copy.claim_name()


def test_an_order_is_read_at_once(pulse: Pulse, redis_client, canceled: list, monkeypatch) -> None:
    monkeypatch.setattr(pulses, "CONTROL_POLL_SECONDS", 30)
    threads = [threading.Thread(target=target, daemon=True) for target in (pulse.run, pulse.listen)]
    for thread in threads:
        thread.start()
    wait_for(lambda: redis_client.exists(key("pc1", "beat")), what="its first heartbeat")
    time.sleep(0.2)  # it waits now
    redis_client.hset(key("pc1", "control"), "cancels", json.dumps([[7, 2]]))
    redis_client.xadd(key("pc1", "orders"), {"new": 1})
    wait_for(lambda: canceled, 2, "the cancel")
    pulse.stop.set()
    pulse.wake()
    for thread in threads:
        thread.join(5)


def test_a_phone_that_came_or_went_is_told_at_once_with_a_ring(pulse: Pulse, redis_client) -> None:
    pulse.beat_once()
    first = Heartbeat.from_json(redis_client.get(key("pc1", "beat"))).number
    pulse.beat_now()
    pulse.beat_once()
    assert Heartbeat.from_json(redis_client.get(key("pc1", "beat"))).number > first
    assert [list(fields) for _id, fields in redis_client.xrange(key("pc1", "reports"))] == [[b"beat"]]


def test_a_heartbeat_tells_which_screen_files_are_used_and_what_was_left_out(
    pulse: Pulse, redis_client, tmp_path: Path, monkeypatch
) -> None:
    (tmp_path / "bad.yaml").write_text('schema: 1\napp: instagram\n"\\0": 1\n', "utf-8")
    monkeypatch.setenv("PHONERACK_SCREENS", str(tmp_path))
    pulse.beat_once()
    beat = Heartbeat.from_json(redis_client.get(key("pc1", "beat")))

    assert (beat.screens, beat.screen_faults) == (library().hash, "bad.yaml:3: unknown key '\\x00'")
