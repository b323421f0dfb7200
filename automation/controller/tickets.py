"""Tickets: sealed for one host, bound to run and fence, single-use.

The seal is a NaCl Box of the controller's and the host's keys (https://nacl.cr.yp.to/box.html), so that only that
host can open it and knows that the controller made it.
"""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from nacl.public import Box, PrivateKey, PublicKey

from accounts.choices import PACKAGES
from accounts.models import Account
from accounts.totp import codes
from automation.controller.wire import publish, wire
from automation.models import Run
from automation.protocol import Ticket, ticket_key
from devices.models import Device, Host

TICKET_SECONDS = 60  #: how long a ticket lies in Redis at most


def controller_key() -> PrivateKey:
    return PrivateKey(bytes.fromhex(settings.PHONERACK_CONTROLLER_KEY))


def issue(run: Run) -> None:
    """Put the run's ticket where its host can take it once. Raises redis errors."""
    device, host = _where(run)
    box = Box(controller_key(), PublicKey(bytes.fromhex(host.public_key)))
    sealed = bytes(box.encrypt(make(run, device, host).to_json().encode()))
    wire().set(ticket_key(host.name, run.pk, run.fence), sealed, ex=TICKET_SECONDS)


def announce(run: Run) -> None:
    """Send the offer's message: ids only. Raises what a broker may raise."""
    device, host = _where(run)
    publish(host.name, run.pk, run.fence, device.serial)


def withdraw(run: Run) -> bool:
    """Take the ticket back. True: it was not taken, and now nobody ever will. Raises redis errors."""
    if run.host is None:
        return True
    return bool(wire().delete(ticket_key(run.host.name, run.pk, run.fence)))


def _where(run: Run) -> tuple[Device, Host]:
    if run.device is None or run.host is None:
        raise ValueError(f"run {run.pk} is offered to no phone")
    return run.device, run.host


def make(run: Run, device: Device, host: Host) -> Ticket:
    """All that the agent needs to know for this run, and nothing more."""
    account = run.account
    return Ticket(
        run=run.pk,
        fence=run.fence,
        host=host.name,
        script=run.script,
        serial=device.serial,
        app=account.app if account else str(run.options.get("app", "")),
        package=account.package_name if account else "",
        expires=time.time() + TICKET_SECONDS,
        seconds=settings.PHONERACK_RUN_SECONDS,
        account=_credentials(account) if account else None,
        packages=packages_on(device.pk),
        options=run.options,
    )


def packages_on(device_id: int) -> dict[str, list[str]]:
    """Per app: its own packages, and the clones that accounts of this device use."""
    clones = Account.objects.filter(device_id=device_id).exclude(package_name="")
    packages = {str(app): list(names) for app, names in PACKAGES.items()}
    for app, name in clones.values_list("app", "package_name").distinct():
        if name not in packages[app]:
            packages[app].append(name)
    return packages


def _credentials(account: Account) -> dict[str, Any]:
    secret = account.totp_secret.reveal()
    return {
        "username": account.username,
        "email": account.email,
        "password": account.password.reveal(),
        "codes": codes(secret, settings.PHONERACK_RUN_SECONDS + TICKET_SECONDS) if secret else [],
    }
