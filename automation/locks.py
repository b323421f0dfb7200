"""The order in which rows are locked, so that no two wait for each other in a circle.

Hosts (whose reports are applied), runs, accounts, devices, attention; of one table by their numbers. Until the end of
the transaction.
"""

from __future__ import annotations

from collections.abc import Iterable

from accounts.models import Account
from devices.models import Device

TOGETHER = 500  #: rows asked for in one statement


def lock(accounts: Iterable[int] = (), devices: Iterable[int] = ()) -> None:
    """Lock the accounts and then the devices with these numbers."""
    for rows, numbers in ((Account.objects.locked(), accounts), (Device.objects.locked(), devices)):
        ordered = sorted(set(numbers))
        for start in range(0, len(ordered), TOGETHER):
            list(rows.filter(pk__in=ordered[start : start + TOGETHER]).values_list("pk"))
