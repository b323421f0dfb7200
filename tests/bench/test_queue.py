"""`./run bench queue --small` as somebody starts it: real processes, and none left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import _report
from bench._sheets import sheets
from bench._stage import BASE
from tests.phones import wait_for

pytestmark = [pytest.mark.timeout(400), pytest.mark.slow]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The command, with all that it writes below `tmp_path`."""
    child = subprocess.Popen(
        [sys.executable, "-m", "bench.queue", "--small", "--json"], text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=(tmp_path / "said").open("w"), start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(BASE), "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    yield child
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait(10)


def test_the_small_slice_measures_everybody_at_the_same_work_and_leaves_nothing(
    started: subprocess.Popen[str], tmp_path: Path
) -> None:
    output, _none = started.communicate(timeout=380)
    assert started.returncode == 0, (tmp_path / "said").read_text()
    found: dict[str, Any] = json.loads(output)
    assert len(found["farms"]) == 5
    for farm in found["farms"]:
        assert (farm["overlaps"], farm["missing"], farm["doubled"]) == (0, 0, 0), farm
        assert farm["ratio"] >= 1
    assert {one["what"] for one in found["latency"]} == {"clicks", "cancel"}
    assert all(one["per_second"] > 0 for one in found["rates"])
    assert found["hosts"][0]["idle"]["total"] > 0
    assert len(list(sheets(found))) == 5
    assert _report.picture(found).startswith("<svg")
    assert left_behind(tmp_path) == []


def test_ctrl_c_ends_every_process(started: subprocess.Popen[str], tmp_path: Path) -> None:
    wait_for(lambda: "runs of" in (tmp_path / "said").read_text(), 120, "the first measurement")
    time.sleep(1)
    started.send_signal(signal.SIGINT)
    assert started.wait(40) == 130
    assert "every process is ended" in (tmp_path / "said").read_text()
    assert left_behind(tmp_path) == []


def left_behind(folder: Path) -> list[str]:
    """Folders, and live processes that were started with them."""
    folders = [path.name for path in folder.glob("phonerack-*")]
    return folders + [proc.name for proc in Path("/proc").glob("[0-9]*") if _is_of(proc, folder)]


def _is_of(proc: Path, folder: Path) -> bool:
    try:
        is_ours = f"TMPDIR={folder}".encode() in (proc / "environ").read_bytes()
        return is_ours and "Z" not in (proc / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
