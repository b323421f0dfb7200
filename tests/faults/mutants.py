"""`./run mutants`: builds each defect of mutants_list.py into a copy of the product and shows which test notices.

A fault test is worth what it catches. Exit code 0: the unchanged product passes, and every mutant is caught.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from config import postgres_server
from tests.faults.mutants_list import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "state", "static")
SECONDS = 900  #: for one run of tests; it is long only on a busy machine
WRONG_USAGE = 4  #: pytest's exit code for a test that does not exist


class AnchorMoved(Exception):
    """What a mutant is to replace does not occur exactly once."""


@dataclass(frozen=True)
class Database:
    """Where the tests of a mutant run."""

    name: str
    url: str  #: for named tests, which make a database beside it; empty: each its own file
    machine_url: str  #: for the state machine, which empties its tables


def edited(mutant: Mutant, root: Path) -> dict[str, str]:
    """file -> its text with the defect built in. Raises AnchorMoved."""
    texts: dict[str, str] = {}
    for edit in mutant.edits:
        text = texts.get(edit.file) or (root / edit.file).read_text()
        if text.count(edit.old) != 1:
            raise AnchorMoved(
                f"{mutant.name}: occurs {text.count(edit.old)} times in {edit.file}:\n{edit.old}"
            )
        texts[edit.file] = text.replace(edit.old, edit.new)
    return texts


@contextmanager
def copied(mutants: Iterable[Mutant] = ()) -> Iterator[Path]:
    """A copy of the product with these defects."""
    with tempfile.TemporaryDirectory(prefix="phonerack-mutant-") as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=LEFT_OUT)
        for mutant in mutants:
            for file, text in edited(mutant, ROOT).items():
                (tree / file).write_text(text)
        yield tree


def catcher(mutant: Mutant, tree: Path, database: Database, by_machine: bool) -> str:
    """Who notices that something is wrong in the tree; empty when a test that is to notice does not."""
    passing = [test for test in mutant.tests if tests_pass([test], tree, database)]
    if passing:
        say(*(f"{test} passes all the same" for test in passing))
        return ""
    if by_machine and mutant.examples and not machine_passes(tree, database, mutant.examples):
        return "the state machine"
    return ", ".join(test.rpartition("::")[2] for test in mutant.tests)


def machine_passes(tree: Path, database: Database, examples: int) -> bool:
    options = ["--quick", "--examples", str(examples), "--database", database.machine_url]
    return _run(["-m", "tests.faults.machine_main", *options], tree, database) == 0


def tests_pass(tests: Iterable[str], tree: Path, database: Database) -> bool:
    code = _run(["-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--create-db", *tests], tree, database)
    if code == WRONG_USAGE:
        raise AnchorMoved(f"there is no test {' '.join(tests)}")
    return code == 0


def _run(command: list[str], tree: Path, database: Database) -> int:
    env = {**os.environ, "PYTHONPATH": str(tree), "PYTHONSAFEPATH": "1"}
    env.pop("DATABASE_URL", None)
    if database.url:
        env["DATABASE_URL"] = database.url
    done = subprocess.run(
        [sys.executable, *command], cwd=tree, env=env, timeout=SECONDS, check=False, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return done.returncode


@contextmanager
def databases(wanted: str) -> Iterator[list[Database]]:
    """The databases to try on; a PostgreSQL server of our own where it is wanted."""
    sqlite = Database("sqlite", "", "sqlite://:memory:")
    if wanted == "sqlite":
        yield [sqlite]
        return
    with tempfile.TemporaryDirectory(prefix="phonerack-postgres-") as folder:
        process, url = postgres_server.start(Path(folder))
        try:
            machine_url = make_database(url, "machine")
            postgres = Database("postgres", url, machine_url)
            yield [postgres] if wanted == "postgres" else [sqlite, postgres]
        finally:
            process.stop()


def make_database(url: str, name: str) -> str:
    """The URL of a new, empty database on that server."""
    with psycopg.connect(url, autocommit=True) as client:
        client.execute(f'CREATE DATABASE "{name}"'.encode())
    return f"{url.rpartition('/')[0]}/{name}"


def unchanged_passes(chosen: list[Mutant], database: Database, by_machine: bool) -> bool:
    """Whether the same tests pass where no defect was built in."""
    with copied() as tree:
        tests = sorted({test for mutant in chosen for test in mutant.tests})
        examples = max([mutant.examples for mutant in chosen]) if by_machine else 0
        return tests_pass(tests, tree, database) and (
            not examples or machine_passes(tree, database, examples)
        )


def try_all(chosen: list[Mutant], database: Database, by_machine: bool) -> bool:
    """One line for each mutant; True when all were caught."""
    all_caught = True
    for mutant in chosen:
        begun = time.monotonic()
        with copied([mutant]) as tree:
            by = catcher(mutant, tree, database, by_machine)
        all_caught = all_caught and bool(by)
        say(f"{database.name:9} {mutant.name:36} {time.monotonic() - begun:5.0f} s  {by or 'NOT CAUGHT'}")
    return all_caught


def main(argv: list[str] | None = None) -> int:
    """0 when the unchanged product passes and every mutant is caught."""
    args = parser().parse_args(argv)
    chosen = [mutant for mutant in MUTANTS if not args.only or mutant.name in args.only]
    if args.list:
        say(*(f"{mutant.name:36} {mutant.sentence}" for mutant in chosen))
        return 0
    good = True
    with databases(args.database) as known:
        for database in known:
            if not args.no_baseline and not unchanged_passes(chosen, database, not args.no_machine):
                say(f"{database.name:9} the unchanged product does not pass: see ./run test")
                return 1
            good = try_all(chosen, database, not args.no_machine) and good
    return 0 if good else 1


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="./run mutants", description="Which test notices which defect.")
    made.add_argument("--only", nargs="+", choices=[mutant.name for mutant in MUTANTS], help="these mutants")
    made.add_argument("--database", choices=["sqlite", "postgres", "both"], default="sqlite")
    made.add_argument("--no-machine", action="store_true", help="named tests only: quick")
    made.add_argument("--no-baseline", action="store_true", help="do not try the unchanged product first")
    made.add_argument("--list", action="store_true", help="name the mutants and what is wrong with them")
    return made


def say(*lines: str) -> None:
    print(*lines, sep="\n", flush=True)  # noqa: T201 - the answer of a command


if __name__ == "__main__":
    sys.exit(main())
