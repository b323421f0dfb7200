"""Heartbeats make hosts and devices known; silence ends runs as lost."""

from __future__ import annotations

import pytest

from automation.choices import Outcome, RunState
from automation.controller import heartbeats, sweep
from automation.controller.heartbeats import Hearing
from automation.protocol import Heartbeat, PhoneState, key
from devices.models import Device, Host
from tests.automation.rows import offered_run, running_run

pytestmark = pytest.mark.django_db(transaction=True)

PHONE = PhoneState(
    serial="SIM1", address="127.0.0.1:5", connection="online", model="Pixel", usb_path="1-4.3", battery=80
)


def beat(client, host: str = "pc1", number: int = 1, **over) -> Heartbeat:
    values = {
        "epoch": "e1",
        "last_seq": 0,
        "public_key": "aa",
        "phones": [PHONE.__dict__],
        "lanes": 5,
        **over,
    }
    made = Heartbeat(host=host, number=number, **values)
    client.set(key(host, "beat"), made.to_json())
    return made


def test_the_first_heartbeat_makes_host_and_devices_known(redis_client) -> None:
    beat(redis_client)
    Hearing().listen()
    device = Device.objects.get(serial="SIM1")
    assert (device.host.name, device.hub, device.port, device.label) == ("pc1", "1-4", "3", "1")


@pytest.mark.parametrize("trust", [True, False])
def test_a_new_host_is_trusted_only_where_the_settings_say_so(redis_client, settings, trust: bool) -> None:
    settings.PHONERACK_TRUST_NEW_HOSTS = trust
    beat(redis_client)
    Hearing().listen()
    assert Host.objects.get(name="pc1").is_trusted is trust


def test_the_same_heartbeat_is_heard_once(redis_client) -> None:
    hearing = Hearing()
    beat(redis_client)
    assert [len(hearing.listen()), len(hearing.listen())] == [1, 0]
    beat(redis_client, number=2)
    assert len(hearing.listen()) == 1


def test_a_host_that_speaks_with_another_key_is_refused(redis_client) -> None:
    hearing = Hearing()
    beat(redis_client)
    hearing.listen()
    beat(redis_client, number=2, public_key="bb", phones=[])
    assert hearing.listen() == []
    assert "new key" in hearing.refused["pc1"]
    assert Device.objects.get(serial="SIM1").connection == "online"


def test_a_heartbeat_speaks_only_for_the_host_of_its_key(redis_client) -> None:
    forged = Heartbeat(host="pc2", epoch="e", number=1, last_seq=0)
    redis_client.set(key("pc1", "beat"), forged.to_json())
    assert Hearing().listen() == []


def test_a_phone_that_is_gone_goes_offline(redis_client) -> None:
    hearing = Hearing()
    beat(redis_client)
    hearing.listen()
    beat(redis_client, number=2, phones=[])
    hearing.listen()
    assert Device.objects.get(serial="SIM1").connection == "offline"


def test_a_device_expected_by_its_cloud_identifier_becomes_the_phone_found_there(redis_client) -> None:
    Device.objects.create(serial="127.0.0.1:5", label="7")
    beat(redis_client)
    Hearing().listen()
    device = Device.objects.get()
    assert (device.serial, device.address, device.label) == ("SIM1", "127.0.0.1:5", "7")


def test_a_phone_at_work_on_one_host_is_not_taken_by_its_twin_on_another(redis_client) -> None:
    hearing = Hearing()
    beat(redis_client)
    beat(redis_client, host="pc2", public_key="cc")
    hearing.listen()
    owner = Device.objects.get(serial="SIM1").host.name
    for number in (2, 3):
        beat(redis_client, number=number)
        beat(redis_client, host="pc2", number=number, public_key="cc")
        hearing.listen()
    assert Device.objects.get(serial="SIM1").host.name == owner


def test_a_host_silent_for_its_term_loses_its_runs(redis_client, monkeypatch) -> None:
    running = running_run()
    hearing = Hearing()
    assert hearing.silent() == []
    monkeypatch.setattr(heartbeats, "HOST_SILENT_SECONDS", -1)
    (host,) = hearing.silent()
    sweep.lose_host(host)
    running.refresh_from_db()
    assert (running.outcome, running.reason) == (Outcome.LOST, "host_silent")
    assert Host.objects.get(pk=host.pk).is_silent


def test_after_an_outage_every_host_has_one_more_term(redis_client, monkeypatch) -> None:
    running_run()
    hearing = Hearing()
    hearing.silent()
    hearing.heard_at = {name: at - 1000 for name, at in hearing.heard_at.items()}
    hearing.one_more_term()
    assert hearing.silent() == []


def settle(run, client, **over) -> None:
    questions = sweep.Questions()
    questions.ask(run)
    nonce = client.hget(key(run.host.name, "control"), "nonce").decode()
    made = beat(client, host=run.host.name, **{"epoch": "", "nonce": nonce, **over})
    sweep.hold_against(made, questions)
    run.refresh_from_db()


def test_an_answer_that_does_not_name_the_run_gives_it_back(redis_client) -> None:
    run = offered_run()
    settle(run, redis_client)
    assert run.state == RunState.PENDING


def test_an_answer_that_names_the_run_means_wait(redis_client) -> None:
    run = offered_run()
    settle(run, redis_client, in_hand=[[run.pk, run.fence]])
    assert run.state == RunState.OFFERED


def test_a_heartbeat_from_before_the_question_proves_nothing(redis_client) -> None:
    run = offered_run()
    settle(run, redis_client, nonce="")
    assert run.state == RunState.OFFERED


def test_a_heartbeat_with_reports_still_under_way_proves_nothing(redis_client) -> None:
    run = offered_run()
    settle(run, redis_client, last_seq=9)
    assert run.state == RunState.OFFERED


def test_an_agent_set_up_anew_has_nothing_of_the_old_one_in_hand(redis_client) -> None:
    run = running_run()
    Host.objects.filter(pk=run.host_id).update(outbox_epoch="old", applied_seq=40)
    settle(run, redis_client, epoch="new")
    assert (run.outcome, run.reason) == (Outcome.LOST, "not_in_hand")


def test_a_running_run_that_the_agent_does_not_know_is_lost(redis_client) -> None:
    run = running_run()
    settle(run, redis_client)
    assert (run.outcome, run.reason) == (Outcome.LOST, "not_in_hand")
