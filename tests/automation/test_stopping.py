"""What the processes of an agent and of a controller do at a first SIGTERM, and at those that follow."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bench._plan import Plan
from bench._stage import BASE, Phonerack
from config.processes import Process
from tests.phones import wait_for

pytestmark = pytest.mark.timeout(180)

HANDED_BACK = ("finished", "canceled")  #: its next attempt is another run
A_WHILE = 2.0  #: after which a process that goes on would have ended, if a signal ended it
LONG_STEP = """
from automation.scripts import *
@script("long-step", label="Long step", needs_account=False, options=[Int("seconds", "Seconds", default=0)])
def long_step(context):
    with context.step("a long one"):
        context.deadline.sleep(context.options["seconds"])
    return Result("succeeded", "done")
"""
MAKE_RUN = """
from automation.services import enqueue
from devices.models import Device
enqueue("long-step", [(None, Device.objects.get())], requested_by="ann", options={"seconds": %s}, repeat=True)
"""


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Phonerack]:
    """A controller and an agent with one phone, and a script of one step."""
    own = tmp_path / "long_step.py"
    own.write_text(LONG_STEP)
    monkeypatch.setenv("PHONERACK_SCRIPTS", str(own))
    monkeypatch.setenv("PHONERACK_DRAIN_SECONDS", "120")
    with Phonerack("sqlite") as stage:
        stage.start_controller()
        stage.start_agents(Plan("one phone", hosts=1, phones=1, runs=1, low=1, high=1))
        yield stage


def started(stage: Phonerack) -> None:
    """A run that has the phone in hand for longer than anybody waits here."""
    make(stage, seconds=60)
    wait_for(lambda: runs(stage)[0][0] == "running", 20, "the run to start")


def make(stage: Phonerack, seconds: float) -> None:
    command = [sys.executable, str(BASE / "manage.py"), "shell", "-c", MAKE_RUN % seconds]
    subprocess.run(command, env=stage.environment, check=True, timeout=60, capture_output=True)


def runs(stage: Phonerack) -> list[tuple[str, str]]:
    """(state, outcome) of each."""
    with closing(sqlite3.connect(stage.folder / "phonerack.sqlite3", timeout=10)) as database:
        return database.execute("SELECT state, outcome FROM automation_run ORDER BY id").fetchall()


def goes_on(process: Process) -> bool:
    time.sleep(A_WHILE)
    return process.is_alive()


def ended(process: Process, seconds: float) -> int:
    """Its exit code; raises TimeoutExpired."""
    return process.popen.wait(seconds)


def test_an_agent_lets_the_step_at_hand_end_and_lets_go_of_it_at_a_second_signal(stage: Phonerack) -> None:
    agent = stage.processes["agent h1"]
    started(stage)
    agent.terminate()
    assert goes_on(agent)
    assert runs(stage) == [("running", "")]
    agent.terminate()
    assert ended(agent, 10) == 0
    wait_for(lambda: runs(stage)[0] == HANDED_BACK, 20, "the run to come back")


def test_a_controller_drains_stops_at_a_second_signal_and_the_next_one_goes_on(stage: Phonerack) -> None:
    agent, controller = stage.processes["agent h1"], stage.processes["controller"]
    started(stage)
    controller.terminate()
    make(stage, seconds=0)
    assert goes_on(controller)
    controller.terminate()
    assert ended(controller, 5) == 0
    assert runs(stage) == [("running", ""), ("pending", "")]
    for _ in range(2):
        agent.terminate()
        time.sleep(1)
    stage.start_controller()
    wait_for(lambda: runs(stage)[0] == HANDED_BACK, 20, "the run to come back")


def test_a_controller_that_waits_for_redis_ends_at_once_at_a_third_signal(stage: Phonerack) -> None:
    controller, redis = stage.processes["controller"], stage.processes["redis"]
    started(stage)
    redis.popen.send_signal(signal.SIGSTOP)
    try:
        for _ in range(2):
            controller.terminate()
            time.sleep(1)
        assert controller.is_alive()
        controller.terminate()
        assert ended(controller, 2) == 128 + signal.SIGTERM
    finally:
        redis.popen.send_signal(signal.SIGCONT)
