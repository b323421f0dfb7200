"""`./run test`: all tests, in two halves side by side. The slow ones mostly wait for processes that they started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

PYTEST = [sys.executable, "-m", "pytest"]
SLOW = ["-p", "no:cacheprovider", "-m", "slow"]  # the cache is the quick ones'
END_SECONDS = 60.0  #: for a half that was told to end
INTERRUPTED = 130
Half = subprocess.Popen[bytes]


def main(options: list[str]) -> int:
    """The worse exit code of the halves. With options it is pytest itself, with all that they choose in one process."""
    if options:
        os.execv(sys.executable, [*PYTEST, *options])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    with tempfile.NamedTemporaryFile() as written, Path(written.name).open("rb") as said:
        halves = [begin(SLOW, written, PHONERACK_TEST_DATABASE="slow"), begin(["-m", "not slow"])]
        try:
            return play(*halves, said)
        except KeyboardInterrupt:
            end(halves)
            show(said)
            return INTERRUPTED


def begin(options: list[str], output: IO[bytes] | None = None, **env: str) -> Half:
    """A half in a session of its own: Ctrl-C comes from here alone, not from the terminal as well."""
    return subprocess.Popen(
        [*PYTEST, *options], stdout=output, stderr=output, env={**os.environ, **env}, start_new_session=True
    )


def play(slow: Half, quick: Half, said: IO[bytes]) -> int:
    """Until both are over; the quick ones are seen at once, the slow ones after them."""
    code = quick.wait()
    sys.stdout.buffer.write(b"\nNow what the slow tests have said beside them, and what they still say:\n\n")
    while slow.poll() is None:
        show(said)
        time.sleep(0.2)
    show(said)
    return max(abs(code), abs(slow.returncode))  # below 0: killed by that signal


def show(said: IO[bytes]) -> None:
    sys.stdout.buffer.write(said.read())
    sys.stdout.buffer.flush()


def end(halves: list[Half]) -> None:
    """As with Ctrl-C: each ends what it has started."""
    for half in halves:
        if half.poll() is None:
            half.send_signal(signal.SIGINT)
    for half in halves:
        try:
            half.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            half.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
