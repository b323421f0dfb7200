"""The order in which rows are locked, so that no two wait for each other in a circle.

Hosts (whose reports are applied), runs, accounts, devices, attention; of one table by their numbers. Until the end of
the transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from accounts.models import Account
from devices.models import Device

TOGETHER = 500  #: rows asked for in one statement


def lock(accounts: Iterable[int] = (), devices: Iterable[int] = ()) -> tuple[set[int], set[int]]:
    """Lock the accounts and then the devices with these numbers; returns which of them runs may be made for.

    Those are (the enabled ones of the accounts, the devices) that are still there.
    """
    accounts_found = _lock(Account.objects.locked().values_list("pk", "is_enabled"), accounts)
    devices_found = _lock(Device.objects.locked().values_list("pk"), devices)
    return {pk for pk, is_enabled in accounts_found if is_enabled}, {pk for (pk,) in devices_found}


def _lock(rows: QuerySet[Any, tuple[Any, ...]], numbers: Iterable[int]) -> list[tuple[Any, ...]]:
    ordered = sorted(set(numbers))
    parts = [ordered[start : start + TOGETHER] for start in range(0, len(ordered), TOGETHER)]
    return [row for part in parts for row in rows.filter(pk__in=part)]
