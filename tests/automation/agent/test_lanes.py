"""A phone is in one pair of hands only, within a process and between processes."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from automation.agent.lanes import Lanes
from devices.phones.deadline import Deadline
from devices.phones.errors import PhoneTaken


def test_one_has_the_phone_one_waits_and_the_others_are_turned_away_at_once(tmp_path: Path) -> None:
    lanes, inside, worst, turned_away = Lanes(tmp_path), [], [], []

    def work() -> None:
        try:
            with lanes.hold("SIM1", Deadline(10)):
                inside.append(1)
                worst.append(len(inside))
                time.sleep(0.3)
                inside.pop()
        except PhoneTaken:
            turned_away.append(1)

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
        time.sleep(0.005)
    for thread in threads:
        thread.join()
    assert (worst, len(turned_away)) == ([1, 1], 18)


def test_other_phones_are_free_meanwhile(tmp_path: Path) -> None:
    lanes = Lanes(tmp_path)
    with lanes.hold("SIM1", Deadline(5)), lanes.hold("SIM2", Deadline(5)):
        pass


HOLDER = """
import sys, pathlib
from automation.agent.lanes import Lanes
from devices.phones.deadline import Deadline
with Lanes(pathlib.Path(sys.argv[1])).hold("SIM1", Deadline(5)):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_is_kept_out_and_let_in_when_the_holder_is_killed(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    lanes = Lanes(tmp_path)
    with pytest.raises(PhoneTaken), lanes.hold("SIM1", Deadline(0.3)):
        pass
    holder.kill()
    holder.communicate()
    with lanes.hold("SIM1", Deadline(5)):
        pass
