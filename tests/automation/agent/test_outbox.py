"""The outbox keeps what was not acknowledged, through any death of the process."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from automation.agent.outbox import Outbox


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox.sqlite3")


def test_reports_are_numbered_from_one_and_kept_until_acknowledged(outbox: Outbox) -> None:
    for kind in ("started", "step", "finished"):
        outbox.add(kind, 7, 1)
    assert [report.seq for report in outbox.unsent(0, 10)] == [1, 2, 3]
    outbox.acknowledged(2)
    assert [(report.seq, report.kind) for report in outbox.unsent(0, 10)] == [(3, "finished")]


def test_numbers_go_on_after_everything_was_acknowledged(outbox: Outbox, tmp_path: Path) -> None:
    outbox.add("started", 7, 1)
    outbox.acknowledged(1)
    outbox.close()
    again = Outbox(tmp_path / "outbox.sqlite3")
    again.add("finished", 7, 1)
    assert [report.seq for report in again.unsent(0, 10)] == [2]
    assert again.snapshot() == (2, 2, [])
    assert again.epoch == outbox.epoch


def test_an_offer_is_taken_once_and_may_be_taken_after_it_was_let_go(outbox: Outbox) -> None:
    assert outbox.take_in_hand(7, 1)
    assert not outbox.take_in_hand(7, 1)
    outbox.finish("finished", 7, 1)
    assert not outbox.take_in_hand(7, 1)
    assert outbox.take_in_hand(7, 2)
    outbox.let_go(7, 2)
    assert outbox.take_in_hand(7, 2)


def test_the_oldest_number_still_kept_is_told(outbox: Outbox) -> None:
    for _ in range(3):
        outbox.add("step", 7, 1)
    outbox.acknowledged(2)
    assert outbox.snapshot()[:2] == (3, 3)
    outbox.acknowledged(3)
    assert outbox.snapshot()[:2] == (4, 3)


def test_a_result_of_any_kind_can_be_written_down(outbox: Outbox) -> None:
    outbox.finish("finished", 7, 1, {"at": object()})
    assert len(outbox.unsent(0, 10)) == 1


def test_finishing_takes_the_run_out_of_hand_in_the_same_breath(outbox: Outbox) -> None:
    outbox.take_in_hand(7, 3)
    assert outbox.snapshot() == (1, 0, [[7, 3]])
    outbox.finish("finished", 7, 3, {"outcome": "succeeded"})
    assert outbox.snapshot() == (1, 1, [])


def test_a_new_agent_says_what_its_dead_forerunner_had_in_hand(outbox: Outbox, tmp_path: Path) -> None:
    outbox.take_in_hand(7, 3)
    outbox.close()
    again = Outbox(tmp_path / "outbox.sqlite3")
    assert again.abandon_all() == 1
    assert [(report.kind, report.run, report.fence) for report in again.unsent(0, 10)] == [
        ("abandoned", 7, 3)
    ]
    assert again.snapshot() == (1, 1, [])


def test_a_report_survives_kill_minus_nine(tmp_path: Path) -> None:
    code = (
        "import os, sys, pathlib; from automation.agent.outbox import Outbox\n"
        "box = Outbox(pathlib.Path(sys.argv[1])); box.take_in_hand(1, 1); box.add('started', 1, 1)\n"
        "os.kill(os.getpid(), 9)"
    )
    path = tmp_path / "outbox.sqlite3"
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == -9
    box = Outbox(path)
    assert [report.kind for report in box.unsent(0, 10)] == ["started"]
    assert box.snapshot() == (1, 1, [[1, 1]])


def test_what_many_threads_write_together_has_no_gap_and_nothing_twice(outbox: Outbox) -> None:
    together = threading.Barrier(20)

    def write(run: int) -> None:
        together.wait()
        for _ in range(10):
            outbox.add("step", run, 1)

    threads = [threading.Thread(target=write, args=(run,)) for run in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sent = outbox.unsent(0, 500)
    assert [report.seq for report in sent] == list(range(1, 201))
    assert Counter(report.run for report in sent) == dict.fromkeys(range(20), 10)


def test_a_write_that_fails_is_told_to_everybody_who_waited_for_it(outbox: Outbox) -> None:
    outbox.close()
    for write in (lambda: outbox.add("step", 1, 1), lambda: outbox.take_in_hand(1, 1)):
        with pytest.raises(sqlite3.ProgrammingError):
            write()


def test_what_is_written_outlives_a_loss_of_power(outbox: Outbox) -> None:
    assert outbox._db.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL: each commit is on the disk
    assert outbox._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
