"""Writes down who did what with which secrets. Call it before the answer is given: no row, no answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from getpass import getuser
from itertools import groupby
from typing import Any

from django.http import HttpRequest

from accounts.choices import AuditAction
from accounts.models import Account, AuditEvent
from accounts.where import address_of


@dataclass(frozen=True)
class Who:
    """Somebody, and the address that they come from."""

    name: str
    address: str | None = None

    @classmethod
    def of(cls, request: HttpRequest) -> Who:
        return cls(request.user.get_username(), address_of(request))

    @classmethod
    def at_the_shell(cls) -> Who:
        """Who gave a command on the server."""
        try:
            return cls(f"{getuser()} (shell)")
        except (KeyError, OSError):  # a container's user without a name
            return cls("shell")


def note(action: AuditAction, who: Who, account: Account | None = None, **more: Any) -> AuditEvent:
    """One row: about one account, or with `subject`, `detail` and `accounts` of one's own."""
    values = {"subject": name_of(account), "count": 1} if account else {"count": 0}
    return AuditEvent.objects.create(
        action=action, actor=who.name[:150], address=who.address, account=account, **{**values, **more}
    )


def note_many(
    action: AuditAction, who: Who, ids: Sequence[int], subject: str, detail: str = ""
) -> AuditEvent:
    """One row about many accounts."""
    return note(
        action, who, subject=subject[:120], detail=detail[:200], accounts=spans(ids), count=len(ids)
    )  # fmt: skip


def name_of(account: Account) -> str:
    """The subject of a row about it."""
    return f"{account} ({account.get_app_display()})"[:120]


def spans(ids: Iterable[int]) -> str:
    """Numbers in short: "3, 5-17"."""
    runs = groupby(enumerate(sorted(set(ids))), lambda pair: pair[1] - pair[0])
    ends = [[pair[1] for pair in run] for _gap, run in runs]
    return ", ".join(str(one[0]) if len(one) == 1 else f"{one[0]}-{one[-1]}" for one in ends)
