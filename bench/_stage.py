"""The processes of a measurement: all on loopback, all in one temporary folder, all ended with it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench._plan import Plan
from config import keys, postgres_server, redis_server
from config.processes import Process, free_port, stop_all

BASE = Path(__file__).resolve().parent.parent
READY_SECONDS = 60.0


class Broken(Exception):
    """A process of the measurement ended or did not get ready; the message says which and shows its log."""


class Stage:
    """A Redis server and what is started on it. Used as a context: at its end nothing is left."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="phonerack-bench-"))
        self.processes: dict[str, Process] = {}
        self.redis_url = ""

    def __enter__(self) -> Any:
        try:
            self.open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def open(self) -> None:
        self.records.mkdir()
        self.processes["redis"], self.redis_url = redis_server.start(self.folder / "redis")

    def close(self) -> None:
        stop_all(list(self.processes.values()))
        self.processes.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def records(self) -> Path:
        """Where the phones' records are."""
        return self.folder / "records"

    @property
    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": str(BASE), "REDIS_URL": self.redis_url, "BENCH_RECORDS": str(self.records)}

    def pids(self) -> dict[str, int]:
        return {name: process.pid for name, process in self.processes.items()}

    def start(self, name: str, *arguments: str) -> None:
        """A Python process of that name."""
        log = self.folder / f"{name.replace(' ', '-')}.log"
        self.processes[name] = Process(name, [sys.executable, *arguments], log, self.environment)

    def stop(self, name: str) -> None:
        self.processes.pop(name).stop()

    def until(self, what: str, is_true: Callable[[], bool], seconds: float = READY_SECONDS) -> None:
        """Raises Broken when that is not so in time, or a process ended."""
        end = time.monotonic() + seconds
        while not is_true():
            self.check()
            if time.monotonic() > end:
                raise Broken(f"Waited {seconds:.0f} s in vain until {what}.{self._logs()}")
            time.sleep(0.02)

    def check(self) -> None:
        """Raises Broken when a process has ended."""
        for process in self.processes.values():
            if not process.is_alive():
                raise Broken(f"The process {process.name} ended.{self._logs()}")

    def _logs(self) -> str:
        """The end of every log in which something went wrong."""
        texts = [(log.name, log.read_text(errors="replace").strip()) for log in self.folder.glob("*.log")]
        bad = [one for one in texts if any(word in one[1] for word in ("Traceback", "ERROR", "rror:"))]
        return "".join(f"\n--- {name}\n{text[-1500:]}" for name, text in bad)

    def ask(self, module: str, *arguments: str, seconds: float = 120) -> Any:
        """What `python -m bench.<module>` prints as JSON, run in a process of its own."""
        command = [sys.executable, "-m", f"bench.{module}", *arguments]
        log = self.folder / f"{module}.log"
        with log.open("ab") as errors:
            try:
                done = subprocess.run(
                    command, env={**os.environ, **self.environment}, stdout=subprocess.PIPE, stderr=errors,
                    stdin=subprocess.DEVNULL, timeout=seconds, check=False,
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                raise Broken(
                    f"{module} {' '.join(arguments)[:80]} took over {seconds:.0f} s.{self._logs()}"
                ) from None
        if done.returncode:
            raise Broken(f"{module} {' '.join(arguments)[:80]} failed.{self._logs()}")
        return json.loads(done.stdout.decode().splitlines()[-1])


class Phonerack(Stage):
    """The product: database, controller, and agents as they are asked for."""

    _migrated: bytes | None = None  #: an empty SQLite database

    def __init__(self, database: str) -> None:
        super().__init__()
        self.database, self.database_url = database, f"sqlite:///{self.folder / 'phonerack.sqlite3'}"
        self._keys = keys.fresh()

    def open(self) -> None:
        super().open()
        if self.database == "postgres":
            self.processes["postgres"], self.database_url = postgres_server.start(self.folder / "postgres")
            self.client("prepare")
        else:
            self._open_sqlite()

    def _open_sqlite(self) -> None:
        """Migrations take seconds: every stage after the first gets a copy of what they made."""
        file = self.folder / "phonerack.sqlite3"
        if Phonerack._migrated is None:
            self.client("prepare")
            Phonerack._migrated = file.read_bytes()
        file.write_bytes(Phonerack._migrated)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **super().environment,
            **self._keys,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PHONERACK_STATE": str(self.folder),
            "PHONERACK_LOCKS": str(self.folder / "locks"),
            "PHONERACK_TRUST_NEW_HOSTS": "1",
            "DATABASE_URL": self.database_url,
            "LOG_LEVEL": "WARNING",
        }

    def client(self, measure: str, within: float = 120, **options: Any) -> Any:
        """What the measure of bench/_client.py found."""
        given = {"pids": self.pids(), "folder": str(self.folder), **options}
        return self.ask("_client", measure, json.dumps(given), seconds=within)

    def start_controller(self) -> None:
        self.start("controller", str(BASE / "manage.py"), "controller")

    def start_agents(self, plan: Plan) -> None:
        """One per host of the plan, with its phones; they are online when this returns."""
        for host, serials in plan.serials().items():
            self.phones_of(host, serials)
            self.start(
                f"agent {host}", "-m", "bench._agent", "--name", host, "--redis", self.redis_url,
                "--state", str(self.folder / "agents"), "--phones", str(self._phones(host)),
                "--records", str(self.records),
            )  # fmt: skip
        self.client("ready", phones=plan.hosts * plan.phones)

    def phones_of(self, host: str, serials: list[str]) -> None:
        """Hang these phones on the host."""
        new = self._phones(host).with_suffix(".new")
        new.write_text(json.dumps(serials))
        new.rename(self._phones(host))

    def _phones(self, host: str) -> Path:
        return self.folder / f"phones-{host}.json"

    def start_web(self) -> None:
        """The rest of what a server runs: pages, and the ticks of campaigns."""
        self.start("web", str(BASE / "manage.py"), "web", "--bind", f"127.0.0.1:{free_port()}")
        for command in ("beat", "worker"):
            self.start(command, str(BASE / "manage.py"), command)
