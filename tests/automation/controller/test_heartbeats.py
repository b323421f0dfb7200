"""Heartbeats make hosts and devices known; silence ends runs as lost."""

from __future__ import annotations

import time

import pytest
import redis
from django.urls import reverse

from automation.choices import Outcome, RunState
from automation.controller import heartbeats, sweep, tickets
from automation.controller.heartbeats import Hearing
from automation.protocol import Heartbeat, PhoneState, key
from devices import services as devices
from devices.models import Device, Host
from tests.automation.rows import host_with_key, offered_run, running_run
from tests.factories import make_device

pytestmark = pytest.mark.django_db(transaction=True)

PHONE = PhoneState(
    serial="SIM1", address="127.0.0.1:5", connection="online", model="Pixel", usb_path="1-4.3", battery=80
)


def beat(client, host: str = "pc1", number: int = 1, **over) -> Heartbeat:
    values = {
        "epoch": "e1",
        "last_seq": 0,
        "public_key": "aa" * 32,
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
    beat(redis_client, number=2, public_key="bb" * 32, phones=[])
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
    beat(redis_client, host="pc2", public_key="cc" * 32)
    hearing.listen()
    owner = Device.objects.get(serial="SIM1").host.name
    for number in (2, 3):
        beat(redis_client, number=number)
        beat(redis_client, host="pc2", number=number, public_key="cc" * 32)
        hearing.listen()
    assert Device.objects.get(serial="SIM1").host.name == owner


def test_a_host_silent_for_its_term_loses_its_runs(redis_client, monkeypatch) -> None:
    running = running_run()
    hearing = Hearing()
    assert hearing.silent(Host.objects.alive()) == []
    monkeypatch.setattr(heartbeats, "HOST_SILENT_SECONDS", -1)
    (host,) = hearing.silent(Host.objects.alive())
    sweep.lose_host(host)
    running.refresh_from_db()
    assert (running.outcome, running.reason) == (Outcome.LOST, "host_silent")
    assert Host.objects.get(pk=host.pk).is_silent


def test_a_controller_that_did_not_listen_for_long_calls_nobody_silent(redis_client, monkeypatch) -> None:
    hearing = Hearing()
    beat(redis_client)
    hearing.listen()
    paused_until = time.monotonic() + heartbeats.HOST_SILENT_SECONDS + 1
    monkeypatch.setattr(heartbeats.time, "monotonic", lambda: paused_until)
    assert hearing.silent(Host.objects.alive()) == []
    hearing.listen()  # and there is no new heartbeat
    assert [host.name for host in hearing.silent(Host.objects.alive())] == ["pc1"]


def test_what_a_short_look_leaves_is_heard_next_and_is_not_silent(redis_client) -> None:
    hearing = Hearing()
    for host in ("pc1", "pc2"):
        beat(redis_client, host, phones=[])
    assert len(hearing.listen()) == 2
    hearing.heard_at = {"pc1": time.monotonic(), "pc2": time.monotonic() - 1000}
    for host in ("pc1", "pc2"):
        beat(redis_client, host, number=2, phones=[])
    assert [heard.host for heard in hearing.listen(seconds=0)] == ["pc2"]  # the longest unheard
    hearing.heard_at["pc1"] -= 1000
    assert hearing.left == {"pc1"}
    assert hearing.silent(Host.objects.alive()) == []
    assert [heard.host for heard in hearing.listen(seconds=0)] == ["pc1"]
    assert hearing.left == set()


def test_after_an_outage_every_host_has_one_more_term(redis_client, monkeypatch) -> None:
    running_run()
    hearing = Hearing()
    hearing.silent(Host.objects.alive())
    hearing.heard_at = {name: at - 1000 for name, at in hearing.heard_at.items()}
    hearing.one_more_term()
    assert hearing.silent(Host.objects.alive()) == []


def settle(run, client, **over) -> None:
    questions = sweep.Questions()
    questions.ask(run)
    nonce = client.hget(key(run.host.name, "control"), "nonce").decode()
    made = beat(client, host=run.host.name, **{"nonce": nonce, **over})
    sweep.hold_against(run.host, made, questions)
    run.refresh_from_db()


def test_an_answer_that_does_not_name_the_run_gives_it_back(redis_client) -> None:
    run = offered_run()
    settle(run, redis_client)
    assert run.state == RunState.PENDING


def test_an_answer_that_names_the_run_means_wait(redis_client) -> None:
    run = offered_run()
    settle(run, redis_client, in_hand=[[run.pk, run.fence]])
    assert run.state == RunState.OFFERED


def test_the_questions_of_two_controllers_are_answered_by_one_heartbeat(redis_client) -> None:
    run, one, two = offered_run(), sweep.Questions(), sweep.Questions()
    for _again in range(2):
        one.ask(run)
        two.ask(run)
    nonce = redis_client.hget(key(run.host.name, "control"), "nonce").decode()
    made = beat(redis_client, host=run.host.name, nonce=nonce)
    assert (one.answered(run, made), two.answered(run, made)) == (True, True)


def test_controllers_that_are_gone_leave_no_heap_of_questions(redis_client) -> None:
    run = offered_run()
    for _restart in range(10):
        questions = sweep.Questions()
        questions.ask(run)
    nonce = redis_client.hget(key(run.host.name, "control"), "nonce").decode()
    assert len(nonce.split()) == sweep.ASKING
    assert questions.answered(run, beat(redis_client, host=run.host.name, nonce=nonce))


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
    beat(redis_client, host=run.host.name, public_key=run.host.public_key, epoch="new", phones=[])
    Hearing().listen()
    run.refresh_from_db()
    assert (run.outcome, run.reason) == (Outcome.LOST, "not_in_hand")


def test_reports_go_on_where_the_agent_still_has_them_after_the_row_of_the_host_was_lost(
    redis_client,
) -> None:
    beat(redis_client, last_seq=9, first_seq=5)
    Hearing().listen()
    host = Host.objects.get(name="pc1")
    assert (host.outbox_epoch, host.applied_seq) == ("e1", 4)


def test_a_list_from_before_the_start_of_a_run_proves_nothing(redis_client) -> None:
    run = running_run()
    run.started_seq = 3
    run.save()
    Host.objects.filter(pk=run.host_id).update(applied_seq=3)
    settle(run, redis_client, last_seq=2)
    assert run.state == RunState.RUNNING


def test_a_busy_host_settles_an_offer_though_more_reports_came_meanwhile(redis_client) -> None:
    run = offered_run()
    Host.objects.filter(pk=run.host_id).update(applied_seq=6)
    settle(run, redis_client, last_seq=5)
    assert run.state == RunState.PENDING


@pytest.mark.parametrize(
    "over",
    [{"lanes": -1}, {"phones": [{}]}, {"phones": [{**PHONE.__dict__, "battery": -1}]},
     {"in_hand": [1]}, {"public_key": "zz" * 32}, {"epoch": 5}, {"number": 10**30}],
)  # fmt: skip
def test_a_heartbeat_that_makes_no_sense_silences_nobody(redis_client, over) -> None:
    beat(redis_client, host="bad", **over)
    beat(redis_client, host="good")
    hearing = Hearing()
    hearing.listen()
    assert "good" in hearing.beats


def test_what_a_phone_says_of_itself_is_cut_to_its_column(redis_client) -> None:
    beat(
        redis_client,
        phones=[{**PHONE.__dict__, "android": "UpsideDownCakePrivacySandbox", "model": "a\0" * 99}],
    )
    Hearing().listen()
    assert Device.objects.get(serial="SIM1").android == "UpsideDownCakePr"


def test_a_phone_keeps_what_a_person_set_while_it_was_written_down(redis_client, monkeypatch) -> None:
    beat(redis_client)
    Hearing().listen()
    write = devices._bring_in_step

    def somebody_was_quicker(device, host, wanted) -> None:
        Device.objects.update(health="maintenance", hold="person")
        write(device, host, wanted)

    monkeypatch.setattr(devices, "_bring_in_step", somebody_was_quicker)
    beat(redis_client, number=2, phones=[{**PHONE.__dict__, "battery": 50}])
    Hearing().listen()
    device = Device.objects.get(serial="SIM1")
    assert (device.battery, device.health, device.hold) == (50, "maintenance", "person")


def test_giving_a_host_up_goes_on_where_it_was_cut_short(redis_client, monkeypatch) -> None:
    host = host_with_key()
    offered, running = offered_run(make_device(host=host)), running_run(make_device(host=host))

    def away(_run) -> bool:
        raise redis.ConnectionError

    with monkeypatch.context() as cut:
        cut.setattr(tickets, "withdraw", away)
        with pytest.raises(redis.ConnectionError):
            sweep.lose_host(host)
    for left in sweep.with_runs(list(Host.objects.all())):
        sweep.lose_host(left)
    for run in (offered, running):
        run.refresh_from_db()
    assert (running.outcome, offered.outcome) == (Outcome.LOST, Outcome.LOST)


def test_a_running_run_that_the_agent_does_not_know_is_lost(redis_client) -> None:
    run = running_run()
    settle(run, redis_client)
    assert (run.outcome, run.reason) == (Outcome.LOST, "not_in_hand")


def test_what_is_wrong_with_a_hosts_screen_files_stands_on_its_page(redis_client, admin_client) -> None:
    beat(redis_client, screens="abc123", screen_faults="bad.yaml:3: unknown key 'x'" + "!" * 5000)
    Hearing().listen()
    host = Host.objects.get(name="pc1")
    page = admin_client.get(reverse("admin:devices_host_change", args=[host.pk])).content.decode()

    assert host.screens_hash == "abc123"
    assert len(host.screen_faults) == 1000
    assert "bad.yaml:3: unknown key" in page
