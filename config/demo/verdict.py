"""How each account ended, held against the sheet “expected” of the file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook

from accounts.models import Account
from accounts.text import normal_username
from automation.choices import LOGIN, Outcome, RunState
from automation.models import Run

NOT_RUN = "not run"
COLUMNS = ("app", "username", "outcome", "reason")

Key = tuple[str, str]  #: app, username


@dataclass(frozen=True)
class Row:
    """One account of the final table."""

    app: str
    username: str
    device: str
    outcome: str
    reason: str
    message: str
    seconds: float | None
    as_expected: bool
    wanted: str = ""  #: what the sheet says, where it ended otherwise


def key_of(app: str, username: str) -> Key:
    """By which an account is found in the sheet, however it is written there."""
    return app.lower(), normal_username(username).lower()


class BadSheet(Exception):
    """The sheet “expected” needs the columns app, username, outcome and reason, in any order."""

    def __str__(self) -> str:
        return self.__doc__ or ""


def expected(file: Path) -> dict[Key, tuple[str, str]] | None:
    """(app, username) -> (outcome, reason) of the sheet “expected”; None when the file has none. Raises BadSheet."""
    try:
        book = CalamineWorkbook.from_path(str(file))
    except (CalamineError, OSError):
        return None
    if "expected" not in book.sheet_names:
        return None
    head, *rows = book.get_sheet_by_name("expected").to_python() or [[]]
    titles = [str(title).strip().lower() for title in head]
    if not set(COLUMNS) <= set(titles):
        raise BadSheet
    places = [titles.index(title) for title in COLUMNS]
    cells = [[str(row[place]).strip() for place in places] for row in rows]
    return {key_of(app, name): (outcome, reason) for app, name, outcome, reason in cells if name}


def rows(wanted: dict[Key, tuple[str, str]] | None) -> list[Row]:
    """Every account, and every expected one that is missing, in the order of the list."""
    found = [_row(account, wanted) for account in Account.objects.select_related("device").order_by("pk")]
    there = {key_of(row.app, row.username) for row in found}
    missing = [key for key in wanted or {} if key not in there]
    return found + [Row(app, name, "", "missing", "", "", None, False, "there") for app, name in missing]


def _row(account: Account, wanted: dict[Key, tuple[str, str]] | None) -> Row:
    run = Run.objects.filter(account=account, script=LOGIN).select_related("device").order_by("id").last()
    outcome, reason = (run.outcome or run.state, run.reason) if run else (NOT_RUN, "")
    if run is None and not account.is_enabled:
        reason = "disabled"
    return Row(
        app=account.app,
        username=account.username,
        device=str(account.device or "–"),
        outcome=outcome,
        reason=reason,
        message=run.message if run else "",
        seconds=run.seconds if run else None,
        as_expected=_is_expected(key_of(account.app, account.username), outcome, reason, wanted),
        wanted=" ".join((wanted or {}).get(key_of(account.app, account.username), ())),
    )


def _is_expected(key: Key, outcome: str, reason: str, wanted: dict[Key, tuple[str, str]] | None) -> bool:
    if wanted is None:  # somebody's own file: every run came to an honest end
        return outcome not in (
            Outcome.ERRORED,
            Outcome.LOST,
            RunState.PENDING,
            RunState.OFFERED,
            RunState.RUNNING,
        )
    return wanted.get(key) == (outcome, reason)
