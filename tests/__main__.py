"""`./run test`: all tests, in two halves side by side. The slow ones mostly wait for processes that they started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from typing import IO, Any

PYTEST = [sys.executable, "-m", "pytest"]
END_SECONDS = 60.0  #: for a half that was told to end
INTERRUPTED = 130


def main(options: list[str]) -> int:
    """The worse exit code of the halves. With options it is pytest itself, with all that they choose in one process."""
    if options:
        os.execv(sys.executable, [*PYTEST, *options])
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryFile() as written:
        slow = subprocess.Popen([*PYTEST, "-m", "slow"], stdout=written, stderr=subprocess.STDOUT)
        quick = subprocess.Popen([*PYTEST, "-m", "not slow"])
        try:
            code = quick.wait()
            print("\nNow what the slow tests have said beside them, and what they still say:\n", flush=True)  # noqa: T201
            show(written, slow)
            return max(code, slow.wait())
        except KeyboardInterrupt:
            end(quick, slow)
            return INTERRUPTED


def show(written: IO[Any], process: subprocess.Popen[bytes]) -> None:
    """What it has written so far, and what it writes until it ends."""
    shown = 0
    while True:
        is_over = process.poll() is not None
        new = os.pread(written.fileno(), 1 << 20, shown)
        shown += len(new)
        sys.stdout.buffer.write(new)
        sys.stdout.buffer.flush()
        if is_over and not new:
            return
        time.sleep(0 if new else 0.2)


def end(*halves: subprocess.Popen[bytes]) -> None:
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
