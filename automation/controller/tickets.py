"""Tickets: sealed for one host, bound to run and fence, single-use.

The seal is a NaCl Box of the controller's and the host's keys (https://nacl.cr.yp.to/box.html), so that only that
host can open it and knows that the controller made it.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

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
from automation.protocol import Moment, Ticket, moment_of, take, ticket_key
from automation.scripts.base import WITH_SECRETS
from devices.models import Device, Host

log = logging.getLogger(__name__)

Packages = dict[str, list[str]]  #: app -> packages


class OnPhone(NamedTuple):
    """An account on the phone of a run that has none itself."""

    app: str
    package: str  #: a clone's; empty for the app's own
    username: str
    nickname: str


class Shared(NamedTuple):
    """What all tickets of a batch have in common."""

    screens: str = ""  #: the digest of the screen files to go by
    now: Moment = Moment()
    ahead: int = 0  #: seconds by which Redis' clock is ahead of this machine's


SHARED = Shared()
MOST_PEOPLE = 50  #: accounts of a phone whose names travel with a ticket
TICKET_SECONDS = 60  #: how long a ticket lies in Redis at most


def controller_key() -> PrivateKey:
    return PrivateKey(bytes.fromhex(settings.PHONERACK_CONTROLLER_KEY))


def issue(runs: Iterable[Run]) -> list[Run]:
    """Put tickets where their hosts can take them once; returns the runs that have one. Raises redis errors.

    A run that cannot have one, such as by a password whose key is gone, ends as errored; the others go on. Each
    password that goes out is in the audit before its ticket is in Redis.
    """
    known, now = list(runs), moment_of(wire())
    shared = Shared(parcels.current().digest, now, now.seconds - int(time.time()))
    on_phones = accounts_on({run.device_id for run in known if run.account_id is None})
    ready, pipeline = [], wire().pipeline(transaction=False)
    for run in known:
        sealed = _sealed_or_ended(run, on_phones.get(run.device_id, []), shared)
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


def _sealed_or_ended(run: Run, on_phone: Sequence[OnPhone], shared: Shared) -> bytes | None:
    try:
        return seal(run, on_phone, shared)
    except Exception as error:
        log.exception("run %s cannot be offered", run.pk)
        services.finish_run(run, Outcome.ERRORED, reason="not_offered", message=type(error).__name__)
        return None


def seal(run: Run, on_phone: Sequence[OnPhone], shared: Shared) -> bytes:
    """The ticket of an offered run, for its host alone."""
    if run.device is None or run.host is None:
        raise ValueError(f"run {run.pk} is offered to no phone")
    ticket = make(run, run.device, run.host, on_phone, shared).by_clock(shared.ahead)
    return seal_for(run.host, ticket.to_json())


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

    One that an older life of Redis left proves nothing: it may have been taken there. Nor does a run whose host is
    gone: nobody knows where its ticket lies.
    """
    if run.host is None:
        return False
    sealed, now = take(wire(), _key(run))
    return sealed is not None and _life_in(run.host, sealed) == now.life


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
    run: Run, device: Device, host: Host, on_phone: Sequence[OnPhone] = (), shared: Shared = SHARED
) -> Ticket:
    """All that the agent needs to know for this run, and nothing more.

    Evidence must not show the name of its account; of a run without one, those of the accounts on the phone.
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
        expires=shared.now.seconds + TICKET_SECONDS,
        seconds=settings.PHONERACK_RUN_SECONDS,
        account=_credentials(account, run.script in WITH_SECRETS) if account else None,
        packages={} if account else _packages(on_phone),
        options=run.options,
        hide=[account.nickname] * bool(account.nickname) if account else _names(on_phone),
        screens=shared.screens,
        life=shared.now.life,
    )


def accounts_on(devices: Collection[int | None]) -> dict[int | None, list[OnPhone]]:
    """device -> the accounts on it. One query for all of them, none for no device."""
    found: dict[int | None, list[OnPhone]] = {device: [] for device in devices if device}
    if not found:
        return found
    rows = Account.objects.filter(device__in=found).order_by("pk")
    for device, *account in rows.values_list("device_id", "app", "package_name", "username", "nickname"):
        found[device].append(OnPhone(*account))
    return found


def _names(on_phone: Sequence[OnPhone]) -> list[str]:
    """Of MOST_PEOPLE accounts at most."""
    return [name for one in on_phone[:MOST_PEOPLE] for name in (one.username, one.nickname) if name]


def _packages(on_phone: Sequence[OnPhone]) -> Packages:
    """app -> its own packages, and the clones that accounts on the phone use."""
    found = {str(app): list(names) for app, names in PACKAGES.items()}
    for app, clone in sorted({(one.app, one.package) for one in on_phone if one.package}):
        if clone not in found[app]:
            found[app].append(clone)
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
