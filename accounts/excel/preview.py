"""What an import would do, or did: for a page, a terminal or a program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

#: Rows, errors and warnings that are kept to be shown; all of them are counted.
KEPT_ROWS = 200
KEPT_ERRORS = 1000
KEPT_WARNINGS = 50


@dataclass(frozen=True)
class RowError:
    """A cell that stops its row: sheet row, column, what to do, and what stands there (never of a secret)."""

    row: int
    column: str
    message: str
    value: str = ""

    def __str__(self) -> str:
        facts = {"row": self.row, "column": self.column, "message": self.message, "value": self.value}
        if self.value:
            return _("Row %(row)s, %(column)s, “%(value)s”: %(message)s") % facts
        return _("Row %(row)s, %(column)s: %(message)s") % facts


@dataclass(frozen=True)
class CellChange:
    """One cell, old and new. A secret says only set, changed, cleared or kept."""

    column: str
    old: str
    new: str


@dataclass(frozen=True)
class RowChange:
    """One row that makes or changes an account."""

    row: int
    is_new: bool
    username: str
    app: str
    cells: list[CellChange]


@dataclass
class Preview:
    """Counts of all rows, and the first rows, errors and warnings in full."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    invalid: int = 0
    expected_devices: int = 0
    warnings: list[str] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    rows: list[RowChange] = field(default_factory=list)
    error_count: int = 0
    warning_count: int = 0

    @property
    def total(self) -> int:
        return self.new + self.changed + self.unchanged + self.invalid

    @property
    def more_rows(self) -> int:
        """Rows with changes that are counted but not kept."""
        return self.new + self.changed - len(self.rows)

    @property
    def more_errors(self) -> int:
        return self.error_count - len(self.errors)

    @property
    def more_warnings(self) -> int:
        return self.warning_count - len(self.warnings)

    def summary(self) -> str:
        """One line: 3 new, 1 changed, 0 unchanged, 0 invalid."""
        return _("%(new)s new, %(changed)s changed, %(unchanged)s unchanged, %(invalid)s invalid") % {
            "new": self.new,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "invalid": self.invalid,
        }

    def warn(self, message: str) -> None:
        self.warning_count += 1
        if len(self.warnings) < KEPT_WARNINGS:
            self.warnings.append(message)

    def add_errors(self, errors: list[RowError]) -> None:
        self.invalid += 1
        self.error_count += len(errors)
        self.errors.extend(errors[: KEPT_ERRORS - len(self.errors)])

    def add_change(self, is_new: bool, change: Callable[[], RowChange]) -> None:
        if is_new:
            self.new += 1
        else:
            self.changed += 1
        if len(self.rows) < KEPT_ROWS:
            self.rows.append(change())
