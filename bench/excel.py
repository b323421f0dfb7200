"""accounts.xlsx beside django-import-export's own classes, in one run on one database, each step in its own process:
CPU seconds, database queries, peak memory; then how long another writer waits while a large file is imported.

./run bench excel --rows 2000 [--json] [--ours]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

DEVICES = 500
WRITER_PAUSE = 0.02


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run bench excel", description=__doc__)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--ours", action="store_true", help="leave out the library's own classes")
    args = parser.parse_args()
    prepare()
    rows = measure(args.rows, args.ours)
    waits = writer_waits(max(args.rows, 2001))
    if args.json:
        Console().print_json(json.dumps({"steps": rows, "other_writer": waits}))
    else:
        Console().print(table(args.rows, rows))
        Console().print(
            f"Another writer during a large import of {waits['rows']} rows, {waits['seconds']} s: "
            f"{waits['writes']} writes, worst wait {waits['worst']} s, {waits['errors']} errors"
        )


def prepare() -> None:
    """A throw-away database in a folder of its own, with phones."""
    from config import keys

    os.environ.update(
        keys.fresh(), PHONERACK_STATE=tempfile.mkdtemp(), DJANGO_SETTINGS_MODULE="config.settings"
    )
    os.environ.pop("DATABASE_URL", None)
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from devices.models import Device

    Device.objects.bulk_create(Device(serial=f"S{n}", label=str(n)) for n in range(DEVICES))


def measure(count: int, only_ours: bool) -> list[dict[str, Any]]:
    """One row per step: ours, the library's own, and how many times less CPU ours takes.

    A machine that others use is not equally fast all the time: ours is done before the library's own and after it,
    and the mean of both counts.
    """
    from accounts.excel.resources import export_file, import_file, preview
    from accounts.models import Account
    from bench._stock import stock_export, stock_import, stock_preview

    data = built_apart(count)
    steps = [
        ("preview, all new", lambda: preview(data), lambda: stock_preview(data)),
        ("import, all new", lambda: import_file(data), lambda: stock_import(data)),
        ("import, unchanged", lambda: import_file(data), lambda: stock_import(data)),
        ("export", lambda: export_file(Account.objects.all(), with_passwords=True), stock_export),
    ]

    def all_of(which: int) -> list[dict[str, Any]]:
        apart(lambda: Account.objects.all().delete())
        return [apart(step[which]) for step in steps]

    before = all_of(1)
    theirs = [None] * len(steps) if only_ours else all_of(2)
    mine = [_mean(*both) for both in zip(before, all_of(1), strict=True)]
    rows = [
        {"step": name, "ours": one, "stock": other, "ratio": other and round(other["cpu"] / one["cpu"], 1)}
        for (name, _ours, _theirs), one, other in zip(steps, mine, theirs, strict=True)
    ]
    return [*rows, _together(rows)]


def _mean(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    mb = max(one["mb"], other["mb"])
    return {"cpu": round((one["cpu"] + other["cpu"]) / 2, 3), "queries": other["queries"], "mb": mb}


def _together(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Preview and import of new rows: what an operator waits for."""
    both = {}
    for who in ("ours", "stock"):
        first, second = rows[0][who], rows[1][who]
        both[who] = first and {
            "cpu": round(first["cpu"] + second["cpu"], 3),
            "queries": first["queries"] + second["queries"],
            "mb": max(first["mb"], second["mb"]),
        }
    ratio = both["stock"] and round(both["stock"]["cpu"] / both["ours"]["cpu"], 1)
    return {"step": "preview + import, new", **both, "ratio": ratio}


def built_apart(count: int) -> bytes:
    """The workbook, made in a process of its own: what that takes is no memory of a step."""
    path = Path(tempfile.mkdtemp()) / "accounts.xlsx"
    fork = multiprocessing.get_context("fork")
    process = fork.Process(target=lambda: path.write_bytes(workbook(count)))
    process.start()
    process.join()
    return path.read_bytes()


def workbook(count: int) -> bytes:
    """A list of `count` accounts as an export has it."""
    from accounts.excel.cells import COLUMNS
    from devices.sheets.writer import Layout, write_sheet

    same = {
        "logined": 0,
        "status": 0,
        "app": "tiktok",
        "country": "NL",
        "tags": "warm, nl",
        "packagename": "com.x.y",
    }
    figures = dict.fromkeys(("followers", "following", "hearts", "videos", "friends"), 1234)

    def row(n: int) -> dict[str, Any]:
        names = {"email": f"u{n}@a.org", "username": f"user{n}", "nickname": f"User {n}", "pwd": f"pass-{n}"}
        phone = {"device": f"S{n % DEVICES}", "device_index": n % DEVICES}
        return {**same, **figures, **names, **phone, "id": n}

    rows = ([row(n)[column] for column in COLUMNS] for n in range(1, count + 1))
    return write_sheet("accounts", COLUMNS, rows, Layout([12] * len(COLUMNS)))


def apart(step: Callable[[], object]) -> dict[str, Any]:
    """The step in a process of its own: CPU seconds and peak memory, those of children included, and queries."""
    from django.db import connections

    connections.close_all()
    fork = multiprocessing.get_context("fork")
    answer = fork.SimpleQueue()
    process = fork.Process(target=lambda: answer.put(timed(step)))
    process.start()
    process.join()
    assert process.exitcode == 0, "a step failed"
    found: dict[str, Any] = answer.get()
    return found


def timed(step: Callable[[], object]) -> dict[str, Any]:
    from django.db import connection

    queries = 0

    def counted(execute: Any, *arguments: Any) -> Any:
        nonlocal queries
        queries += 1
        return execute(*arguments)

    before = cpu()
    with connection.execute_wrapper(counted):
        step()
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {"cpu": round(cpu() - before, 3), "queries": queries, "mb": round(max(peaks) / 1024)}


def writer_waits(count: int) -> dict[str, Any]:
    """How long another process's small writes take while the worker imports a large file."""
    from django.db import connections

    from accounts.excel import jobs
    from accounts.models import Account

    Account.objects.all().delete()
    job = jobs.create(built_apart(count), "large.xlsx", "tiktok")
    job.is_large = True
    job.save(update_fields=["is_large"])
    fork = multiprocessing.get_context("fork")
    answers = fork.SimpleQueue()
    connections.close_all()
    stop = fork.Event()
    writer = fork.Process(target=lambda: answers.put(_write_all_the_time(stop)))
    writer.start()
    started = time.monotonic()
    jobs.tick()
    job.refresh_from_db()
    jobs.confirm(job)
    jobs.tick()
    job.refresh_from_db()
    assert job.state == "done", job.message
    seconds = round(time.monotonic() - started, 1)
    stop.set()
    found: dict[str, Any] = answers.get()
    writer.join()
    return {"rows": count, "seconds": seconds, **found}


def _write_all_the_time(stop: Any) -> dict[str, Any]:
    from django.db import OperationalError

    from devices.models import Device

    waits, errors = [], 0
    while not stop.is_set():
        started = time.monotonic()
        try:
            Device.objects.filter(serial="S1").update(note=str(started))
        except OperationalError:
            errors += 1
        waits.append(time.monotonic() - started)
        time.sleep(WRITER_PAUSE)
    return {"writes": len(waits), "worst": round(max(waits), 3), "errors": errors}


def cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def table(count: int, rows: list[dict[str, Any]]) -> Table:
    made = Table("step", title=f"{count} accounts: CPU seconds, queries, MB")
    for title in ("ours", "queries", "MB", "library's own", "queries", "MB", "ratio"):
        made.add_column(title, justify="right")
    for row in rows:
        made.add_row(row["step"], *_cells(row["ours"]), *_cells(row["stock"]), f"{row['ratio'] or '-'} x")
    return made


def _cells(one: dict[str, Any] | None) -> list[str]:
    return [f"{one['cpu']:.2f}", str(one["queries"]), str(one["mb"])] if one else ["-", "-", "-"]


if __name__ == "__main__":
    main()
