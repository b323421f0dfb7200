"""What a person does with runs that need one: solved, given up, put off. Each gives the phone back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts import services as accounts
from accounts.choices import Attention as Reason
from automation import services
from automation.choices import AttentionState
from automation.locks import lock
from automation.models import Attention, Run
from devices import services as devices
from devices.models import Device

#: Reasons that only another password helps: the same one is never tried again.
OF_THE_PASSWORD = frozenset({Reason.WRONG_PASSWORD, Reason.NO_PASSWORD})
#: Reasons that other credentials may help.
OF_THE_CREDENTIALS = OF_THE_PASSWORD | {Reason.TWO_FACTOR, Reason.CODE_REFUSED}


@dataclass
class Done:
    """What came of a wish for several rows."""

    rows: list[Attention] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    same_password: int = 0  #: left as they are: the app has refused this password already
    disabled: int = 0  #: left as they are: the account is disabled


def needs_other_password(row: Attention) -> bool:
    """Whether another login would type what the app has refused already, or nothing."""
    account = row.account
    if account is None:
        return False
    return account.password_refused or (row.reason in OF_THE_PASSWORD and account.attention == row.reason)


@transaction.atomic
def go_on(wanted: Iterable[Attention], actor: str) -> Done:
    """It is solved: the same script again as a new run, which looks at the screen first, on the phone given back.

    Once: of two who click at the same time the second finds nothing open.
    """
    done = Done()
    for row in _locked(wanted):
        if needs_other_password(row):
            done.same_password += 1
        elif row.account is not None and not row.account.is_enabled:
            done.disabled += 1
        else:
            done.rows.append(row)
    _end(done.rows, AttentionState.SOLVED, actor)
    for row in done.rows:
        if row.account is not None and row.account.attention == row.reason:
            accounts.clear_attention(row.account)
    done.runs = _again(done.rows, actor)
    return done


@transaction.atomic
def give_up(wanted: Iterable[Attention], actor: str) -> Done:
    """Nobody will solve it: off the list, the phone goes back to work. The account keeps its mark."""
    done = Done(_locked(wanted))
    _end(done.rows, AttentionState.GIVEN_UP, actor)
    return done


@transaction.atomic
def snooze(wanted: Iterable[Attention], until: datetime) -> Done:
    """Off the list until then; the phone goes back to work meanwhile."""
    done = Done(_locked(wanted))
    Attention.objects.filter(pk__in=[row.pk for row in done.rows]).update(snoozed_until=until)
    _give_back(done.rows)
    return done


def _locked(wanted: Iterable[Attention]) -> list[Attention]:
    """Those that are still open, locked after their accounts and phones (automation/locks.py)."""
    rows = Attention.objects.open().filter(pk__in=[row.pk for row in wanted]).order_by("pk")
    concerned = list(rows.values_list("account", "device"))
    lock(*({one for one in column if one} for column in zip(*concerned, strict=True)))
    related = ("run__campaign", "run__device", "account__device", "device")
    return list(rows.select_for_update(of=("self",)).select_related(*related))


def _end(rows: list[Attention], state: str, actor: str) -> None:
    found = Attention.objects.filter(pk__in=[row.pk for row in rows])
    found.update(state=state, actor=actor, ended_at=timezone.now())
    _give_back(rows)


def _give_back(rows: list[Attention]) -> None:
    """The phones that were kept for these, unless something newer on the phone waits for a person too."""
    newest = {row.device_id: row.since for row in sorted(rows, key=lambda row: row.since)}
    waiting = (
        Attention.objects.waiting(timezone.now())
        .filter(device__in=newest)
        .exclude(pk__in=[row.pk for row in rows])
    )
    still = {device for device, since in waiting.values_list("device", "since") if since > newest[device]}
    devices.end_hold(Device.objects.filter(pk__in=newest.keys() - still - {None}))


def _again(rows: list[Attention], actor: str) -> list[Run]:
    """Their runs once more, each account on the phone where it lives now."""
    homes = [(row.account.device if row.account else None) or row.run.device for row in rows]
    wanted = [(row.run, (row.account, home)) for row, home in zip(rows, homes, strict=True)]
    return services.enqueue_again(wanted, requested_by=actor)
