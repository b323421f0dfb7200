"""`./run test` without options: both halves are played, the worse one counts, and none outlives its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests import __main__ as both

TOLD = "import sys; print('this half:', sys.argv[-1]); sys.exit(3 if sys.argv[-1] == 'slow' else 0)"
KILLED = "import os, sys; os.kill(os.getpid(), 9 if sys.argv[-1] == 'not slow' else 0)"
ASLEEP = """
import time
print("at work", flush=True)
try:
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(0.5)  # a second one would break off the clearing up
    print("cleared up", flush=True)
"""
STARTED = f"""
import sys
from tests import __main__ as both
both.PYTEST = {[sys.executable, "-c", ASLEEP]!r}
sys.exit(both.main([]))
"""


@pytest.fixture(autouse=True)
def _signals_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(both.signal, "signal", lambda *_arguments: None)


def test_a_half_that_is_killed_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(both, "PYTEST", [sys.executable, "-c", KILLED])
    assert both.main([]) == 9


def test_with_options_it_is_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(both.os, "execv", lambda _program, command: started.append(command) or sys.exit())
    with pytest.raises(SystemExit):
        both.main(["-k", "some name"])
    assert started == [[sys.executable, "-m", "pytest", "-k", "some name"]]


def test_both_are_played_and_shown_and_the_worse_code_counts(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(both, "PYTEST", [sys.executable, "-c", TOLD])
    assert both.main([]) == 3
    said = capfd.readouterr().out
    assert "this half: slow" in said
    assert "this half: not slow" in said


@pytest.mark.parametrize("ignored", [[], [signal.SIGINT]], ids=["usual", "begun in the background"])
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_whoever_ends_it_ends_both_once(how: signal.Signals, ignored: list[signal.Signals]) -> None:
    command, pipe = [sys.executable, "-c", STARTED], subprocess.PIPE
    process = subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, bufsize=0, start_new_session=True,
        preexec_fn=lambda: [signal.signal(one, signal.SIG_IGN) for one in ignored],
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == b"at work\n"
    os.killpg(process.pid, how)  # as a terminal does
    assert process.wait(20) == both.INTERRUPTED
    assert process.stdout.read().splitlines() == [b"cleared up", b"at work", b"cleared up"]
    with pytest.raises(BrokenPipeError):  # nobody is left who could read what both have inherited
        process.stdin.write(b"?")
