"""Rows are locked in one order by everybody: of two who want several, neither waits for the other in a circle.

On PostgreSQL; SQLite lets one write at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.utils import timezone

from accounts import services as accounts
from accounts.models import Account
from automation import attention, campaigns, services, solving
from automation.controller import reports
from automation.models import Attention, Campaign, Run
from automation.protocol import Report, key
from devices import services as devices
from devices.choices import Health
from devices.models import Device
from tests.automation.rows import finished_run, host_with_key, offer_run, running_run, start_run
from tests.factories import make_account, make_device
from tests.phones import wait_for

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite locks the whole database"),
]


class Beside:
    """Somebody else's work, in a thread; `end` raises what it raised."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work, self._errors = work, list[Exception]()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        wait_for(self._waits, what="its wait for a lock")

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:  # noqa: BLE001 - raised by `end`
            self._errors.append(error)
        finally:
            connections.close_all()

    def _waits(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            return bool(cursor.fetchone()[0]) or not self._thread.is_alive()

    def end(self) -> None:
        self._thread.join()
        for error in self._errors:
            raise error


def lock(row: Account | Device | Attention) -> None:
    type(row).objects.select_for_update(no_key=True).get(pk=row.pk)


def report(client, run: Run, seq: int, **body: object) -> None:
    said = Report("finished", run.pk, run.fence, epoch="e1", seq=seq, body={"outcome": "succeeded", **body})
    client.xadd(key(run.host.name, "reports"), {"report": said.to_json()})


def test_ends_that_come_together_lock_their_accounts_as_a_request_does(redis_client) -> None:
    host = host_with_key()
    first, second = make_account(), make_account()
    for seq, account in enumerate((second, first), start=1):
        report(redis_client, running_run(make_device(host=host), account=account), seq)
    with transaction.atomic():
        lock(first)
        other = Beside(lambda: reports.apply_host(host.name))
        lock(second)
    other.end()
    assert Account.objects.logged_in().count() == 2


def test_ends_that_come_together_lock_their_phones_as_a_request_does(redis_client) -> None:
    host = host_with_key()
    first, second = make_device(host=host), make_device(host=host)
    for seq, device in enumerate((second, first), start=1):
        report(redis_client, running_run(device), seq, outcome="needs_person", reason="captcha")
    with transaction.atomic():
        lock(first)
        other = Beside(lambda: reports.apply_host(host.name))
        lock(second)
    other.end()
    assert set(Device.objects.values_list("hold", flat=True)) == {"person"}


def test_matches_that_come_together_lock_the_accounts_that_they_found_as_a_request_does(redis_client) -> None:
    host = host_with_key()
    phones = [make_device(host=host) for _ in range(2)]
    first, second = (make_account(username=name, device=None) for name in ("first", "second"))
    for seq, (account, device) in enumerate(zip((second, first), phones, strict=True), start=1):
        (run,) = services.enqueue("match", [(None, device)], requested_by="ann")
        offered = offer_run(run, host.pk)
        start_run(offered.pk, offered.fence)
        app = {"app": account.app, "package": "", "usernames": [account.username]}
        report(redis_client, offered, seq, data={"found": [app]})
    with transaction.atomic():
        lock(first)
        other = Beside(lambda: reports.apply_host(host.name))
        lock(second)
    other.end()
    assert set(Account.objects.values_list("device", flat=True)) == {phone.pk for phone in phones}


def test_a_heartbeat_locks_its_phones_as_a_request_does() -> None:
    host = host_with_key()
    first, second = make_device(host=host), make_device(host=host)
    phones = [
        {"serial": one.serial, "address": one.serial, "connection": "online", "battery": 50}
        for one in (second, first)
    ]
    with transaction.atomic():
        lock(first)
        other = Beside(lambda: devices.devices_seen(host, phones, timezone.now()))
        lock(second)
    other.end()
    assert set(Device.objects.values_list("battery", flat=True)) == {50}


@pytest.mark.parametrize(
    "verb",
    [
        lambda rows: devices.hold(rows),
        lambda rows: devices.set_health(rows, Health.MAINTENANCE),
        lambda rows: devices.number_by_position(),
    ],
)
def test_what_a_person_does_with_many_phones_locks_them_in_the_order_of_their_numbers(verb) -> None:
    first, second = make_device(serial="Z", label="8"), make_device(serial="A", label="9")
    Device.objects.filter(pk=first.pk).update(model="moved")  # its row now lies behind the other
    with transaction.atomic():
        lock(first)
        other = Beside(lambda: verb([first, second]))
        lock(second)
    other.end()


def test_disabling_many_accounts_locks_them_in_the_order_of_their_numbers(redis_client) -> None:
    first, second = make_account(), make_account()
    Account.objects.filter(pk=first.pk).update(country="moved")
    with transaction.atomic():
        lock(first)
        other = Beside(lambda: accounts.set_enabled([first, second], False))
        lock(second)
    other.end()
    assert not Account.objects.enabled().exists()


def test_what_a_person_solves_is_locked_after_its_account_as_at_the_end_of_a_run(redis_client) -> None:
    run = finished_run()
    Run.objects.filter(pk=run.pk).update(reason="captcha")
    run.refresh_from_db()
    attention.open_for(run)
    row = Attention.objects.get()
    with transaction.atomic():
        lock(run.account)
        other = Beside(lambda: solving.go_on([row], "ann"))
        lock(row)
    other.end()
    assert Run.objects.unfinished().count() == 1


def test_runs_that_are_wanted_again_lock_their_accounts_in_the_order_of_their_numbers(redis_client) -> None:
    runs = [finished_run() for _ in range(2)]
    Run.objects.filter(pk=runs[0].pk).update(options={"app": "tiktok"})  # each is a group of its own
    wanted = [(run, (run.account, run.device)) for run in Run.objects.order_by("-pk")]
    with transaction.atomic():
        lock(runs[0].account)
        other = Beside(lambda: services.enqueue_again(wanted, requested_by="ann"))
        lock(runs[1].account)
    other.end()
    assert Run.objects.unfinished().count() == 2


@pytest.mark.parametrize("what", ["host", "device"])
def test_a_claim_that_comes_while_a_host_or_a_device_is_being_deleted_comes_too_late(
    redis_client, what: str
) -> None:
    device = make_device(host=host_with_key())
    (run,) = services.enqueue("login", [(make_account(), None)], requested_by="ann", any_device=True)
    row, claimed = {"host": device.host, "device": device}[what], list[Run]()
    claim = services.Claim(run.pk, run.fence, device.pk, device.host_id)
    with transaction.atomic():
        row.delete()
        other = Beside(lambda: claimed.extend(services.offer_runs([claim])))
    other.end()
    run.refresh_from_db()
    assert (claimed, run.state, type(row).objects.exists()) == ([], "pending", False)


@pytest.mark.parametrize(
    "gone", [lambda account: account.delete(), lambda account: accounts.set_enabled([account], False)]
)
def test_runs_that_wait_for_an_account_to_be_deleted_or_disabled_are_made_for_the_others(
    redis_client, gone
) -> None:
    device, made = make_device(host=host_with_key()), list[Run]()
    targets = [(make_account(device=device), device) for _ in range(2)]
    with transaction.atomic():
        gone(Account.objects.get(pk=targets[0][0].pk))
        other = Beside(lambda: made.extend(services.enqueue("login", targets, requested_by="ann")))
    other.end()
    assert [run.account for run in made] == [targets[1][0]]


def test_the_deletion_of_an_account_waits_for_the_runs_that_are_being_made_and_ends_them(
    redis_client,
) -> None:
    device = make_device(host=host_with_key())
    account = make_account(device=device)
    with transaction.atomic():
        services.enqueue("login", [(account, device)], requested_by="ann")
        other = Beside(Account.objects.get(pk=account.pk).delete)
    other.end()
    (run,) = Run.objects.all()
    assert (run.state, run.reason) == ("finished", "account_deleted")


def test_a_campaign_that_starts_while_it_is_being_deleted_stays_as_it_is(redis_client) -> None:
    device = make_device(host=host_with_key())
    make_account(device=device)
    campaign = Campaign.objects.create(name="nightly", script="login")
    with transaction.atomic():
        campaigns.start(campaign, "ann")
        other = Beside(Campaign.objects.get(pk=campaign.pk).delete)
    with pytest.raises(IntegrityError):
        other.end()
    (run,) = Run.objects.all()
    assert (run.campaign, run.state) == (campaign, "pending")
