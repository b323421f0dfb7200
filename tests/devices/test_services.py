"""What an agent says of its phones goes into the rows of its host, whatever a phone calls itself."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from devices import services
from devices.models import Device, Host
from tests.factories import make_device, make_host

pytestmark = pytest.mark.django_db


def seen(host: Host, *serials: str, **over: Any) -> None:
    phones = [{"serial": one, "address": one, "connection": "online", **over} for one in serials]
    services.devices_seen(host, phones, timezone.now())


@pytest.mark.parametrize("serial", ["S" * 65, "", "S\x00 1", "S\ud800", "S\n1"])
def test_a_phone_whose_serial_is_none_costs_the_host_no_other_phone_and_is_told_once(
    serial: str, caplog: pytest.LogCaptureFixture
) -> None:
    host = make_host()
    for _beat in range(3):
        seen(host, "GOOD1", serial)
    assert list(Device.objects.values_list("serial", "host")) == [("GOOD1", host.pk)]
    (sentence,) = caplog.messages
    assert f"host {host}: a phone is left out" in sentence


def test_what_came_back_is_told_again(caplog: pytest.LogCaptureFixture) -> None:
    host = make_host()
    for serials in ([""], [], [""]):
        seen(host, *serials)
    assert len(caplog.messages) == 2


def test_the_longest_serial_of_a_column_is_one() -> None:
    seen(make_host(), "S" * 64)
    assert Device.objects.get().serial == "S" * 64


@pytest.mark.parametrize("model", ["Pixel\x00 6", "Pixel\ud800 6"])
def test_a_model_that_no_database_takes_is_written_without_what_cannot_be_printed(model: str) -> None:
    seen(make_host(), "GOOD1", model=model)
    assert Device.objects.get().model == "Pixel 6"


def test_a_phone_that_two_hosts_see_stays_where_it_is_online_and_is_told_once_with_what_to_do(
    caplog: pytest.LogCaptureFixture,
) -> None:
    first, second = make_host(), make_host()
    device = make_device(host=first)
    for _beat in range(3):
        seen(second, device.serial)
    device.refresh_from_db()
    assert device.host == first
    (sentence,) = caplog.messages
    assert f"is online on {first} and is also seen by {second}" in sentence
    assert "Unplug it from one of the two, or stop one of their agents." in sentence


def test_two_hosts_of_one_phone_are_told_again_only_after_one_had_lost_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    first, second = make_host(), make_host()
    device = make_device(host=first)
    for serials in ([device.serial], [], [device.serial]):
        seen(second, *serials)
    assert len(caplog.messages) == 2
