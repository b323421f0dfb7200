"""The pages of hosts and devices, through the real admin."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from devices.choices import Hold
from devices.models import Device, Host
from tests.factories import make_device, make_host

pytestmark = pytest.mark.django_db

DEVICES = reverse("admin:devices_device_changelist")
HOSTS = reverse("admin:devices_host_changelist")


@pytest.fixture
def viewer(client):
    """A client of somebody who may look and not touch."""
    user = User.objects.create_user("vic", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_device", "view_host"]))
    client.force_login(user)
    return client


def act(client, url, action, *rows, **more):
    ticked = {"action": action, "_selected_action": [row.pk for row in rows], "index": 0}
    return client.post(url, {**ticked, **more}, follow=True)


def said(response):
    return [str(message) for message in response.context["messages"]]


def order_on(page, *texts):
    places = [page.index(text) for text in texts]
    return places == sorted(places)


def test_devices_stand_as_in_the_rack_and_port_2_goes_before_port_10(admin_client):
    host = make_host(name="rack")
    make_device(host=host, serial="TEN", hub="1-1", port="10")
    make_device(host=host, serial="TWO", hub="1-1", port="2")
    make_device(host=make_host(name="a-rack"), serial="OTHER", hub="9-9", port="1")
    page = admin_client.get(DEVICES).content.decode()
    assert order_on(page, "OTHER", "TWO", "TEN")


@pytest.mark.parametrize(
    "query", ["host__id__exact={host}", "hub=1-1", "connection__exact=online", "q=FINDME"]
)
def test_devices_are_found_by_host_hub_connection_and_search(admin_client, query):
    wanted = make_device(serial="FINDME", hub="1-1")
    make_device(serial="HIDDEN", hub="2-2", connection="offline")
    page = admin_client.get(f"{DEVICES}?{query.format(host=wanted.host_id)}").content.decode()
    assert "FINDME" in page
    assert "HIDDEN" not in page


@pytest.mark.parametrize(
    ("action", "health"),
    [("quarantine", "quarantined"), ("maintain", "maintenance"), ("retire", "retired"), ("set_good", "good")],
)
def test_a_person_says_how_fit_devices_are(admin_client, action, health):
    device = make_device(health="maintenance" if health == "good" else "good")
    device.health = "quarantined" if action == "maintain" else device.health
    device.save()
    response = act(admin_client, DEVICES, action, device)
    device.refresh_from_db()
    assert device.health == health
    assert said(response) == [f"1 device is {health} now."]


def test_devices_are_numbered_and_released(admin_client):
    host = make_host()
    first = make_device(host=host, hub="1-1", port="1", label=None)
    second = make_device(host=host, hub="1-1", port="2", label="1", hold=Hold.PERSON)
    act(admin_client, DEVICES, "number_by_position", first, second)
    assert list(Device.objects.order_by("port").values_list("label", flat=True)) == ["1", "2"]
    assert said(act(admin_client, DEVICES, "release", first, second)) == ["1 device given back to the runs."]


def test_the_page_of_a_device_has_buttons_that_come_back_to_it(admin_client):
    device = make_device()
    page = reverse("admin:devices_device_change", args=[device.pk])
    shown = admin_client.get(page).content.decode()
    assert 'value="quarantine"' in shown
    assert 'value="set_good"' not in shown
    assert 'value="release"' not in shown
    response = act(admin_client, DEVICES, "quarantine", device, from_page=device.pk)
    assert response.redirect_chain[-1][0] == page
    assert 'value="set_good"' in response.content.decode()


def test_only_label_and_note_of_a_device_can_be_written(admin_client):
    device = make_device(serial="OLD")
    page = reverse("admin:devices_device_change", args=[device.pk])
    admin_client.post(page, {"label": "7", "note": "cracked", "serial": "NEW", "health": "retired"})
    device.refresh_from_db()
    assert (device.label, device.note, device.serial, device.health) == ("7", "cracked", "OLD", "good")


def test_two_devices_cannot_have_one_label(admin_client):
    make_device(label="7")
    device = make_device(label="8")
    page = reverse("admin:devices_device_change", args=[device.pk])
    response = admin_client.post(page, {"label": "7", "note": ""})
    assert "already exists" in response.content.decode()


def test_hosts_show_their_trust_their_life_and_their_phones(admin_client):
    host = make_host(name="rack-a", is_trusted=False)
    make_device(host=host)
    make_device(host=host, connection="offline")
    page = admin_client.get(HOSTS).content.decode()
    assert "waits to be trusted" in page
    assert "1 / 2" in page


def test_hosts_are_trusted_distrusted_and_pinned_anew(admin_client):
    host = make_host(is_trusted=False, public_key="ab" * 32)
    assert said(act(admin_client, HOSTS, "trust_them", host)) == ["1 host is given runs now."]
    assert Host.objects.get().is_trusted
    assert said(act(admin_client, HOSTS, "distrust_them", host)) == ["1 host gets no more runs."]
    act(admin_client, HOSTS, "trust_them", host)
    act(admin_client, HOSTS, "forget_their_keys", host)
    fresh = Host.objects.get()
    assert (fresh.public_key, fresh.is_trusted) == ("", False)


def test_nobody_makes_hosts_or_devices_by_hand(admin_client):
    for model in ("host", "device"):
        assert admin_client.get(reverse(f"admin:devices_{model}_add")).status_code == 403


def test_a_viewer_may_look_and_not_touch(viewer):
    host = make_host(is_trusted=False)
    device = make_device(host=host)
    assert viewer.get(DEVICES).status_code == viewer.get(HOSTS).status_code == 200
    act(viewer, DEVICES, "quarantine", device)
    act(viewer, HOSTS, "trust_them", host)
    host.refresh_from_db()
    device.refresh_from_db()
    assert (device.health, host.is_trusted) == ("good", False)
    page = viewer.get(reverse("admin:devices_device_change", args=[device.pk])).content.decode()
    assert "pr-button" not in page


def test_no_action_is_done_by_following_a_link(admin_client):
    host = make_host(is_trusted=False)
    admin_client.get(HOSTS, {"action": "trust_them", "_selected_action": host.pk, "index": 0})
    host.refresh_from_db()
    assert not host.is_trusted


def test_a_device_is_kept_for_a_person(admin_client):
    device = make_device()
    assert said(act(admin_client, DEVICES, "keep", device)) == ["1 device is given no runs."]
    device.refresh_from_db()
    assert device.hold == Hold.PERSON


def test_a_quarantined_device_says_why(admin_client):
    make_device(health="quarantined", health_why="5 accounts in a row failed: captcha")
    assert "5 accounts in a row failed: captcha" in admin_client.get(DEVICES).content.decode()


def test_a_person_limits_what_a_host_works_on(admin_client):
    host = make_host()
    page = reverse("admin:devices_host_change", args=[host.pk])
    admin_client.post(page, {"max_runs": "7", "max_per_hub": ""})
    host.refresh_from_db()
    assert (host.max_runs, host.max_per_hub) == (7, None)
