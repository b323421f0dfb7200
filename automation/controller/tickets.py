"""Tickets: sealed for one host, bound to run and fence, single-use.

The seal is a NaCl Box of the controller's and the host's keys (https://nacl.cr.yp.to/box.html), so that only that
host can open it and knows that the controller made it.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.conf import settings
from nacl.exceptions import CryptoError
from nacl.public import Box, PrivateKey, PublicKey

from accounts import audit
from accounts.choices import PACKAGES, AuditAction
from accounts.models import Account, AuditEvent
from accounts.totp import codes
from automation import bulk, services
from automation.choices import Outcome
from automation.controller import parcels
from automation.controller.wire import publish, wire
from automation.models import Run
from automation.protocol import Ticket, life_of, ticket_key
from automation.scripts.base import WITH_SECRETS
from devices.models import Device, Host

log = logging.getLogger(__name__)

Packages = dict[str, list[str]]  #: app -> packages

MOST_PEOPLE = 50  #: accounts of a phone whose names travel with a ticket
TICKET_SECONDS = 60  #: how long a ticket lies in Redis at most


def controller_key() -> PrivateKey:
    return PrivateKey(bytes.fromhex(settings.PHONERACK_CONTROLLER_KEY))


def issue(runs: Iterable[Run]) -> list[Run]:
    """Put tickets where their hosts can take them once; returns the runs that have one. Raises redis errors.

    A run that cannot have one, such as by a password whose key is gone, ends as errored; the others go on. Each
    password that goes out is in the audit before its ticket is in Redis.
    """
    known = list(runs)
    phones = {run.device_id for run in known if run.account_id is None}
    packages, people = packages_on(phones), people_on(phones)
    life = life_of(wire())
    ready, pipeline = [], wire().pipeline(transaction=False)
    for run in known:
        phone = run.device_id or 0
        sealed = _sealed_or_ended(run, packages.get(phone, {}), people.get(phone, []), life)
        if sealed is not None:
            ready.append(run)
            pipeline.set(_key(run), sealed, ex=TICKET_SECONDS)
    _note(ready)
    pipeline.execute()
    return ready


def _note(runs: list[Run]) -> None:
    """Whose password goes where, and who ordered it: a row each, in one statement."""
    sent = [
        (run.account, run, run.device, run.host) for run in runs if run.account and run.device and run.host
    ]
    if sent:
        columns: dict[str, list[Any]] = {
            "actor": [
                run.requested_by or f"campaign {run.campaign_id}" for _account, run, _phone, _host in sent
            ],
            "account_id": [account.pk for account, *_others in sent],
            "subject": [audit.name_of(account) for account, *_others in sent],
            "detail": [
                f"run {run.pk}, {run.script}, phone {phone.serial}, host {host.name}"[:200]
                for _account, run, phone, host in sent
            ],
        }
        bulk.insert(AuditEvent, {"action": AuditAction.TICKET}, columns)


def _sealed_or_ended(run: Run, packages: Packages, people: Sequence[str], life: str) -> bytes | None:
    try:
        return seal(run, packages, people, life)
    except Exception as error:
        log.exception("run %s cannot be offered", run.pk)
        services.finish_run(run, Outcome.ERRORED, reason="not_offered", message=type(error).__name__)
        return None


def seal(run: Run, packages: Packages, people: Sequence[str], life: str) -> bytes:
    """The ticket of an offered run, for its host alone."""
    if run.device is None or run.host is None:
        raise ValueError(f"run {run.pk} is offered to no phone")
    return seal_for(run.host, make(run, run.device, run.host, packages, people, life).to_json())


def seal_for(host: Host, text: str) -> bytes:
    """The text so that only that host can open it, and knows that it is the controller's."""
    return bytes(_box(settings.PHONERACK_CONTROLLER_KEY, host.public_key).encrypt(text.encode()))


@functools.lru_cache(maxsize=1000)
def _box(private: str, public: str) -> Box:
    """The shared key of controller and host; working it out takes longer than sealing."""
    return Box(PrivateKey(bytes.fromhex(private)), PublicKey(bytes.fromhex(public)))


def announce(runs: Iterable[Run]) -> None:
    """Send the messages of offers: ids only. Raises redis errors."""
    publish((run.host.name, run.pk, run.fence, run.device.serial) for run in runs if run.host and run.device)


def withdraw(run: Run) -> bool:
    """Take the ticket back. True: it was not taken, and now nobody ever will. Raises redis errors.

    One that an older life of Redis left proves nothing: it may have been taken there.
    """
    if run.host is None:
        return True
    sealed = wire().getdel(_key(run))
    return sealed is not None and _life_in(run.host, sealed) == life_of(wire())


def _life_in(host: Host, sealed: bytes) -> str:
    """In which life of Redis a ticket was made; empty where it does not open any more."""
    try:
        box = _box(settings.PHONERACK_CONTROLLER_KEY, host.public_key)
        return Ticket.from_json(box.decrypt(sealed)).life
    except (CryptoError, ValueError):
        return ""


def _key(run: Run) -> str:
    return ticket_key(run.host.name if run.host else "", run.pk, run.fence)


def make(
    run: Run, device: Device, host: Host, packages: Packages, people: Sequence[str] = (), life: str = ""
) -> Ticket:
    """All that the agent needs to know for this run, and nothing more.

    Evidence must not show the name of its account; of a run without one, those of the `people` on the phone.
    """
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
        account=_credentials(account, run.script in WITH_SECRETS) if account else None,
        packages=packages,
        options=run.options,
        hide=[name for name in ([account.nickname] if account else people) if name],
        screens=parcels.current().digest,
        life=life,
    )


def people_on(devices: Collection[int | None]) -> dict[int, list[str]]:
    """device -> the names of the accounts on it, of MOST_PEOPLE accounts at most."""
    found: dict[int, list[list[str]]] = {device: [] for device in devices if device}
    named = Account.objects.filter(device__in=found).order_by("pk")
    for device, *names in named.values_list("device_id", "username", "nickname"):
        found[device].append(names)
    return {
        device: [name for both in accounts[:MOST_PEOPLE] for name in both if name]
        for device, accounts in found.items()
    }


def packages_on(devices: Collection[int | None]) -> dict[int, Packages]:
    """device -> app -> its own packages, and the clones that accounts of this device use."""
    found: dict[int, Packages] = {
        device: {str(app): list(names) for app, names in PACKAGES.items()} for device in devices if device
    }
    clones = Account.objects.filter(device__in=found).exclude(package_name="").order_by("app", "package_name")
    for device, app, name in clones.values_list("device_id", "app", "package_name").distinct():
        if name not in found[device][app]:
            found[device][app].append(name)
    return found


def _credentials(account: Account, with_secrets: bool) -> dict[str, Any]:
    """What the script is told of the account; password and codes only where it types them."""
    public = {"username": account.username, "email": account.email}
    if not with_secrets:
        return public
    secret = account.totp_secret.reveal()
    return {
        **public,
        "password": "" if account.password_refused else account.password.reveal(),
        "codes": codes(secret, settings.PHONERACK_RUN_SECONDS + TICKET_SECONDS) if secret else [],
    }
