"""`./run test` without options: both halves are played, the worse one counts, and none outlives its end."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests import __main__ as both

TOLD = "import sys; print('this half:', sys.argv[-1]); sys.exit(3 if sys.argv[-1] == 'slow' else 0)"
ASLEEP = "import time; print('at work', flush=True); time.sleep(60)"
STARTED = f"""
import sys
from tests import __main__ as both
both.PYTEST = {[sys.executable, "-c", ASLEEP]!r}
sys.exit(both.main([]))
"""


def test_both_are_played_and_shown_and_the_worse_code_counts(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(both, "PYTEST", [sys.executable, "-c", TOLD])
    monkeypatch.setattr(both.signal, "signal", lambda *_arguments: None)
    assert both.main([]) == 3
    said = capfd.readouterr().out
    assert "this half: slow" in said
    assert "this half: not slow" in said


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_whoever_ends_it_ends_both(how: signal.Signals) -> None:
    command, pipe = [sys.executable, "-c", STARTED], subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, bufsize=0)
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == b"at work\n"
    process.send_signal(how)
    assert process.wait(20) == both.INTERRUPTED
    with pytest.raises(BrokenPipeError):  # nobody is left who could read what both have inherited
        process.stdin.write(b"?")
