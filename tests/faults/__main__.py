"""`./run faults --minutes 60 --seed 1`: the whole system under faults, and a verdict about its promises."""

from __future__ import annotations

import argparse
import logging
import os
import secrets
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from config import keys, postgres_server, redis_server
from config.processes import Process


def main() -> int:
    """0 when no promise was broken."""
    options = parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as Ctrl-C does: nothing is left behind
    folder = Path(tempfile.mkdtemp(prefix="phonerack-faults-"))
    redis, url = redis_server.start(folder / "redis")
    database: Process | None = None
    try:
        os.environ.update(
            environment(folder), REDIS_URL=url, DATABASE_URL=f"sqlite:///{folder}/phonerack.sqlite3"
        )
        if options.database == "postgres":
            database, os.environ["DATABASE_URL"] = postgres_server.start(folder / "postgres")
        code = play(folder, options, redis, database)
    finally:
        redis.stop()
        if database is not None:
            database.stop()
    if code == 0 and not options.keep:
        shutil.rmtree(folder, ignore_errors=True)
    return code


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="./run faults", description=__doc__)
    made.add_argument("--minutes", type=float, default=60.0, help="how long faults are injected")
    made.add_argument("--seed", type=int, default=secrets.randbelow(100_000), help="repeats the same faults")
    made.add_argument(
        "--runs", type=int, default=0, help="go on, at most half as long again, until so many are made"
    )
    made.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    made.add_argument(
        "--only", nargs="+", default=[], metavar="KIND", help="of the plan: net, agent_stop, ..."
    )
    made.add_argument(
        "--keep", action="store_true", help="keep the folder with logs and journals in any case"
    )
    made.add_argument("--plan", action="store_true", help="only show which faults would come")
    return made


def environment(folder: Path) -> dict[str, str]:
    """What all processes of the test share."""
    return {
        "PHONERACK_STATE": str(folder),
        "PHONERACK_TRUST_NEW_HOSTS": "true",
        "PHONERACK_HOLD_MINUTES": "0",
        "PHONERACK_QUARANTINE_AFTER": "0",  # nobody is there to say that a phone is good again
        "PHONERACK_RUN_SECONDS": "60",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        **keys.fresh(),
    }


def play(folder: Path, options: argparse.Namespace, redis: Process, database: Process | None) -> int:
    import django

    django.setup()
    from django.core.management import call_command

    from tests.faults.play import Play
    from tests.faults.report import Screen, verdict
    from tests.faults.stage import NotReady

    logging.basicConfig(filename=folder / "test.log", level=logging.INFO, force=True)
    call_command("migrate", verbosity=0)
    with Screen() as screen:
        test = Play(folder, options.seed, options, screen.show)
        screen.plan(test)
        if options.plan:
            return 0
        try:
            test.run(redis, database)
        except NotReady as error:
            screen.print(f"seed {options.seed}: {error}")
            return 2
    return verdict(screen, test)


if __name__ == "__main__":
    sys.exit(main())
