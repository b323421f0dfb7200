"""accounts.xlsx beside django-import-export's own classes, in one run on one database: CPU seconds and queries.

./run bench excel --rows 2000 [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.table import Table


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run bench excel", description=__doc__)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    prepare()
    rows = measure(args.rows)
    if args.json:
        Console().print_json(json.dumps(rows))
    else:
        Console().print(table(args.rows, rows))


def prepare() -> None:
    """A throw-away database in a folder of its own."""
    from config import keys

    os.environ.update(
        keys.fresh(), PHONERACK_STATE=tempfile.mkdtemp(), DJANGO_SETTINGS_MODULE="config.settings"
    )
    os.environ.pop("DATABASE_URL", None)
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def measure(count: int) -> list[dict[str, Any]]:
    """One row per step: ours, the library's own, and how many times less CPU ours takes."""
    from accounts.excel.resources import export_file, import_file, preview
    from accounts.models import Account
    from bench._stock import stock_export, stock_import, stock_preview

    data = workbook(count)
    ours = [
        ("preview, all new", lambda: preview(data)),
        ("import, all new", lambda: import_file(data)),
        ("import, unchanged", lambda: import_file(data)),
        ("export", lambda: export_file(Account.objects.all(), with_passwords=True)),
    ]
    mine = [timed(step) for _name, step in ours]
    Account.objects.all().delete()
    theirs = [timed(step) for step in (
        lambda: stock_preview(data), lambda: stock_import(data), lambda: stock_import(data), stock_export,
    )]  # fmt: skip
    return [
        {"step": name, "ours": cpu, "queries": queries, "stock": their_cpu, "stock_queries": their_queries,
         "ratio": round(their_cpu / cpu, 1)}
        for (name, _step), (cpu, queries), (their_cpu, their_queries) in zip(ours, mine, theirs, strict=True)
    ]  # fmt: skip


def workbook(count: int) -> bytes:
    """A list of `count` accounts as an export has it."""
    from accounts.excel.cells import COLUMNS
    from devices.sheets.writer import Layout, write_sheet

    values = {"logined": 0, "status": 0, "app": "tiktok", "followers": 1234, "tags": "warm, nl"}
    rows = [
        [
            {**values, "id": n, "email": f"u{n}@a.org", "pwd": f"pass-{n}", "username": f"user{n}"}.get(
                column, ""
            )
            for column in COLUMNS
        ]
        for n in range(1, count + 1)
    ]
    return write_sheet("accounts", COLUMNS, rows, Layout([12] * len(COLUMNS)))


def timed(step: Callable[[], object]) -> tuple[float, int]:
    """CPU seconds, those of children included, and database queries."""
    from django.db import connection

    queries = 0

    def counted(execute: Any, *arguments: Any) -> Any:
        nonlocal queries
        queries += 1
        return execute(*arguments)

    before = cpu()
    with connection.execute_wrapper(counted):
        step()
    return round(cpu() - before, 3), queries


def cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def table(count: int, rows: list[dict[str, Any]]) -> Table:
    made = Table("step", title=f"{count} accounts, CPU seconds")
    for title in ("ours", "queries", "library's own", "queries", "ratio"):
        made.add_column(title, justify="right")
    for row in rows:
        made.add_row(
            row["step"], f"{row['ours']:.2f}", str(row["queries"]), f"{row['stock']:.2f}", str(row["stock_queries"]),
            f"{row['ratio']} x",
        )  # fmt: skip
    return made


if __name__ == "__main__":
    main()
