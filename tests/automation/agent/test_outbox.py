"""The outbox keeps what was not acknowledged, through any death of the process."""

from __future__ import annotations

import subprocess
import sys
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
