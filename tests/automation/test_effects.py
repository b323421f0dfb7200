"""What the end of a run means for its phone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from automation import effects, services
from automation.choices import Outcome
from automation.models import Run
from devices import services as devices
from devices.choices import Health, Hold
from devices.models import Device
from tests.automation.rows import host_with_key, running_run
from tests.factories import make_account, make_device

pytestmark = pytest.mark.django_db


@pytest.fixture
def phone(settings) -> Device:
    settings.PHONERACK_QUARANTINE_AFTER = 3
    return make_device(host=host_with_key())


def end(phone: Device, *outcomes: str, account=None) -> None:
    for outcome in outcomes:
        run = running_run(phone, account=account or make_account(device=phone))
        services.finish_run(run, outcome, reason="captcha")
    phone.refresh_from_db()


def test_a_phone_on_which_account_after_account_fails_is_quarantined_and_says_why(phone: Device) -> None:
    end(phone, Outcome.FAILED, Outcome.NEEDS_PERSON)
    assert phone.health == Health.GOOD
    end(phone, Outcome.FAILED)
    assert (phone.health, phone.health_why) == (Health.QUARANTINED, "3 accounts in a row failed: captcha")


def test_a_sync_that_finds_nobody_signed_in_says_so_in_the_list(phone: Device) -> None:
    account = make_account(device=phone, is_logged_in=True)
    found = {"logined": False}
    effects.apply(
        Run(script="sync", account=account, outcome=Outcome.FAILED, reason="not_signed_in", result=found)
    )
    account.refresh_from_db()
    assert not account.is_logged_in


def test_one_account_that_fails_again_and_again_says_nothing_about_the_phone(phone: Device) -> None:
    end(phone, *[Outcome.FAILED] * 5, account=make_account(device=phone))
    assert phone.health == Health.GOOD


def test_a_success_between_the_failures_begins_the_count_anew(phone: Device) -> None:
    end(phone, Outcome.FAILED, Outcome.FAILED, Outcome.SUCCEEDED, Outcome.FAILED, Outcome.FAILED)
    assert phone.health == Health.GOOD


def test_what_the_host_or_a_person_ended_is_not_counted(phone: Device) -> None:
    end(phone, Outcome.FAILED, Outcome.LOST, Outcome.CANCELED, Outcome.FAILED)
    assert phone.health == Health.GOOD
    end(phone, Outcome.FAILED)
    assert phone.health == Health.QUARANTINED


def test_after_a_person_said_that_the_phone_is_good_it_takes_as_many_failures_again(phone: Device) -> None:
    end(phone, *[Outcome.FAILED] * 3)
    devices.set_health([phone], Health.GOOD)
    end(phone, Outcome.FAILED)
    assert phone.health == Health.GOOD
    assert phone.health_since <= timezone.now()


def test_the_count_may_be_switched_off(phone: Device, settings) -> None:
    settings.PHONERACK_QUARANTINE_AFTER = 0
    end(phone, *[Outcome.FAILED] * 6)
    assert phone.health == Health.GOOD


def test_a_phone_that_needs_a_person_is_kept_for_as_long_as_the_settings_say(phone: Device, settings) -> None:
    settings.PHONERACK_HOLD_MINUTES = 30
    end(phone, Outcome.NEEDS_PERSON)
    assert phone.hold == Hold.PERSON
    assert timedelta(minutes=29) < phone.hold_until - timezone.now() <= timedelta(minutes=30)


def test_with_0_minutes_no_phone_is_kept(phone: Device, settings) -> None:
    settings.PHONERACK_HOLD_MINUTES = 0
    end(phone, Outcome.NEEDS_PERSON)
    assert phone.hold == Hold.NONE


def test_what_somebody_keeps_without_an_end_is_given_none(phone: Device) -> None:
    run = running_run(phone)
    devices.hold([phone])
    services.finish_run(run, Outcome.NEEDS_PERSON, reason="captcha")
    phone.refresh_from_db()
    assert (phone.hold, phone.hold_until) == (Hold.PERSON, None)
