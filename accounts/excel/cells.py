"""One cell to one value, or a sentence that says what to do."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.choices import App
from accounts.excel.reader import EXACT, Doubt, ErrorCell, Moment
from accounts.models import Account
from accounts.services import join_password
from accounts.text import email_problem, normal_tags, normal_username, package_problem, username_problem

YES = {"1", "yes", "y", "true"}
NO = {"0", "no", "n", "false"}
#: What the vendor writes where there is nothing: a figure not fetched, the label of a phone that is away.
NO_FIGURE = "-"
AWAY = "offline"
GROUPED = re.compile(r"\d{1,3}(,\d{3})+")
#: Spaces and what takes no place at all.
UNSEEN = ("Zs", "Cf")
#: Columns in which a number counts as it is held, whatever its cell makes of it: 1,234 or 1.2K.
NUMBERS = {"id", "logined", "status", "followers", "following", "hearts", "videos", "friends"}
DOUBTS = {
    "no_result": gettext_lazy(
        "The cell holds a formula without a result: open the file in a spreadsheet program, save it, import it again."
    ),
    "merged": gettext_lazy("This cell is part of a merged one: undo the merge and fill in each cell."),
    "shaped": gettext_lazy(
        "The cell shows its number otherwise than it holds it (leading zeros, a currency, a percentage): "
        "format it as Text and type it again."
    ),
}
BIGGEST_ID = 2**63 - 1
APPS = frozenset(App.values)
REMEMBERED = 2000  #: cells of a column
Reader = Callable[[Any], Any]
#: What a `pwd` cell says to forget the password; a password that reads so itself has one # more in the file.
LOOKS_LIKE_CLEAR = re.compile(r"#+clear#", re.IGNORECASE)


class CellError(Exception):
    """A cell that cannot be taken; the message says what to do."""


def raw_text(cell: Any) -> str:
    """The cell as text, as it stands; blank gives an empty text."""
    if cell is None or cell == "":
        return ""
    if isinstance(cell, str):
        return cell
    _refuse_rounded(cell)
    if isinstance(cell, bool | Moment) or not isinstance(cell, int):
        raise CellError(
            _("This cell became a date, a fraction or a truth value: format it as Text and type it again.")
        )
    return str(cell)


def _refuse_rounded(cell: Any) -> None:
    """Raises CellError for a number that lost its last digits."""
    if isinstance(cell, int | float) and abs(cell) >= EXACT:
        raise CellError(
            _("Excel keeps only 15 digits of a number: format the cell as Text and type it again.")
        )


def text(longest: int) -> Callable[[Any], str]:
    """A parser of trimmed text."""

    def parse(cell: Any) -> str:
        value = raw_text(cell).strip()
        if len(value) > longest:
            raise CellError(_("At most %(longest)s characters.") % {"longest": longest})
        if "\x00" in value:
            raise CellError(_("This cell holds a character that is no text: type it again."))
        return value

    return parse


def username(cell: Any) -> str:
    value = normal_username(text(100)(cell))
    if not value:
        raise CellError(_("The username is missing: fill it in, or clear the whole row."))
    return _checked(value, username_problem(value))


def _checked(value: str, problem: str) -> str:
    if problem:
        raise CellError(problem)
    return value


def email(cell: Any) -> str:
    value = text(254)(cell)
    return _checked(value, email_problem(value))


def package(cell: Any) -> str:
    value = text(200)(cell)
    return _checked(value, package_problem(value))


def password(cell: Any) -> str | None:
    """As typed, spaces included; empty keeps the one that is there, None (`#clear#`) forgets it.

    A cell of characters that nobody sees is empty.
    """
    value = raw_text(cell)
    if all(unicodedata.category(letter) in UNSEEN for letter in value):
        return ""
    if LOOKS_LIKE_CLEAR.fullmatch(value):
        return value[1:] if value.startswith("##") else None
    if "\x00" in value:
        raise CellError(_("This cell holds a character that is no text: type it again."))
    if len(value) > 500:
        raise CellError(_("At most %(longest)s characters.") % {"longest": 500})
    return value


def written_password(account: Account) -> str:
    """The `pwd` cell of an account."""
    text = join_password(account)
    return f"#{text}" if LOOKS_LIKE_CLEAR.fullmatch(text) else text


def tags(cell: Any) -> str:
    return text(500)(normal_tags(raw_text(cell)))


def row_id(cell: Any) -> int | None:
    """The id; None for a blank cell or 0: a new account."""
    value = raw_text(cell).strip()
    if not value or value == "0":
        return None
    if not value.isdecimal():
        raise CellError(_("An id is a whole number: empty the cell to create the account."))
    if len(value) > 19 or int(value) > BIGGEST_ID:
        raise CellError(_("No account has an id this long: empty the cell to create the account."))
    return int(value)


def _flag(cell: Any, what_to_do: str) -> bool | None:
    """Yes or no; None for a blank cell."""
    if isinstance(cell, bool):
        return cell
    value = cell.strip().casefold() if isinstance(cell, str) else str(cell)
    if value in YES | NO:
        return value in YES
    if not value:
        return None
    raise CellError(what_to_do)


def logined(cell: Any) -> bool | None:
    """Whether the account is logged in; None for a blank cell."""
    return _flag(cell, _("Use 1 for logged in or 0 for not logged in."))


def status(cell: Any) -> bool | None:
    """Whether the account is enabled: 0 is enabled, 1 is disabled; None for a blank cell."""
    disabled = _flag(cell, _("Use 0 for enabled or 1 for disabled."))
    return None if disabled is None else not disabled


def figure(cell: Any) -> int | None:
    """A count; None for a blank cell or a dash."""
    _refuse_rounded(cell)
    if isinstance(cell, float | bool | Moment):
        raise CellError(_("A whole number is needed here, or an empty cell."))
    value = str("" if cell is None else cell).strip()
    if value in ("", NO_FIGURE):
        return None
    if GROUPED.fullmatch(value):
        value = value.replace(",", "")
    if not (value.isascii() and value.isdecimal()) or int(value) > BIGGEST_ID:
        raise CellError(_("A whole number is needed here, or an empty cell."))
    return int(value)


def app(cell: Any) -> str:
    """The app's code, or an empty text for a blank cell."""
    value = text(50)(cell).casefold()
    if value and value not in APPS:
        raise CellError(_("Use tiktok or instagram."))
    return value


def label(cell: Any) -> str:
    """A device's label; empty for a blank cell and for a phone that was away."""
    value = text(32)(cell)
    return "" if value.casefold() == AWAY else value


#: Columns of the sheet in their order, and what each cell is.
PARSERS: dict[str, Callable[[Any], Any]] = {
    "id": row_id,
    "email": email,
    "pwd": password,
    "username": username,
    "device": text(64),
    "device_index": label,
    "logined": logined,
    "status": status,
    "nickname": text(200),
    "country": text(64),
    "followers": figure,
    "following": figure,
    "hearts": figure,
    "videos": figure,
    "friends": figure,
    "app": app,
    "packagename": package,
    "tags": tags,
}
COLUMNS = list(PARSERS)


def parse(column: str, cell: Any) -> Any:
    """The value of a cell of this column. Raises CellError."""
    if isinstance(cell, ErrorCell):
        raise CellError(
            _("The cell holds an error (%(error)s): mend the formula or type the value.")
            % {"error": cell.text[:20]}
        )
    if isinstance(cell, Doubt):
        if not (cell.why == "shaped" and column in NUMBERS):
            raise CellError(str(DOUBTS[cell.why]))
        cell = cell.text
    return PARSERS[column](cell)


def readers() -> dict[str, Reader]:
    """A `parse` for each column of one file. Most cells repeat: those are read once. A password is not remembered."""
    plain = {column: partial(parse, column) for column in COLUMNS}
    remembered = lru_cache(REMEMBERED, typed=True)
    return {column: read if column == "pwd" else remembered(read) for column, read in plain.items()}


def lenient(read: Reader, cell: Any) -> Any:
    """The value, None for a cell that is wrong: it is reported where its row is planned."""
    try:
        return read(cell)
    except CellError:
        return None


def shown(column: str, cell: Any) -> str:
    """What stands in a cell, on one short line; nothing of a secret."""
    if column == "pwd" or cell is None:
        return ""
    text = cell.text if isinstance(cell, ErrorCell | Moment | Doubt) else str(cell)
    return " ".join(text.split())[:60]


#: Other names: those of the documents, of the pages (in both languages) and of older files.
ALIASES = {
    "tag": "tags",
    "labels": "tags",
    "password": "pwd",
    "wachtwoord": "pwd",
    "e-mail": "email",
    "e-mailadres": "email",
    "gebruikersnaam": "username",
    "package": "packagename",
    "package name": "packagename",
    "package_name": "packagename",
    "device index": "device_index",
    "device serial": "device",
    "serial": "device",
    "apparaat": "device",
    "login": "logined",
    "login status": "logined",
    "logged in": "logined",
    "land": "country",
}
#: The column that says what is wrong, in the file of the rows that were not imported.
ERROR_COLUMN = "Error"
#: The account's attribute behind a column, where a cell is written to it as it is.
ATTRIBUTES = {
    "email": "email",
    "username": "username",
    "logined": "is_logged_in",
    "status": "is_enabled",
    "nickname": "nickname",
    "country": "country",
    "followers": "followers",
    "following": "following",
    "hearts": "hearts",
    "videos": "videos",
    "friends": "friends",
    "packagename": "package_name",
    "tags": "tags",
}
