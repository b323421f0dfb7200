"""`python -m tests.canary`: marked passwords through everything, then a search of every place for them."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from config import keys, postgres_server, redis_server
from config.processes import Process, free_port


def main() -> int:
    """0 when nothing was found but what was planted, and that all."""
    options = parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as Ctrl-C does: nothing is left behind
    folder = options.folder or Path(tempfile.mkdtemp(prefix="phonerack-canary-"))
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    os.environ.update(environment(folder))
    redis, os.environ["REDIS_URL"] = redis_server.start(folder / "redis")
    database: Process | None = None
    try:
        if options.database == "postgres":
            database, os.environ["DATABASE_URL"] = postgres_server.start(folder / "postgres")
        report = play(folder, options.long, redis)
    finally:
        redis.stop()
        if database is not None:
            database.stop()
    print(json.dumps(report, indent=1))  # noqa: T201 - the answer of a command
    is_good = not report["hits"] and all(report["proofs"].values()) and all(report["leaks"].values())
    if is_good and not options.keep:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if is_good else 1


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m tests.canary", description=__doc__)
    made.add_argument("--long", action="store_true", help="every case, every page")
    made.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    made.add_argument("--folder", type=Path, help="where everything lies (a new folder)")
    made.add_argument("--keep", action="store_true", help="keep the folder in any case")
    return made


def environment(folder: Path) -> dict[str, str]:
    """What all processes share: the most talkative settings there are, and a folder of their own for all they write."""
    return {
        **keys.fresh(),
        "PHONERACK_STATE": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "PHONERACK_LOCKS": str(folder / "locks"),
        "DATABASE_URL": f"sqlite:///{folder}/phonerack.sqlite3",
        "PHONERACK_BIND": f"127.0.0.1:{free_port()}",
        "PHONERACK_TRUST_NEW_HOSTS": "true",
        "PHONERACK_HOLD_MINUTES": "0",
        "PHONERACK_QUARANTINE_AFTER": "0",
        "PHONERACK_RUN_SECONDS": "60",
        "PHONERACK_SECOND_FACTOR": "off",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEBUG": "true",
        "LOG_LEVEL": "DEBUG",
    }


def play(folder: Path, is_long: bool, redis: Process) -> dict[str, object]:
    import django

    django.setup()
    from tests.canary.play import Play

    one = Play(folder, is_long)
    one.run(redis)
    return one.report()


if __name__ == "__main__":
    sys.exit(main())
