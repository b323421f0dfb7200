"""What goes wrong on demand, as the real clients feel it, and that it heals."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import adbutils
import pytest
import uiautomator2
from uiautomator2.exceptions import LaunchUiAutomationError

from devices.simulator.farm import DescriptionError
from tests.devices.simulator.conftest import INSTAGRAM, Driver, app
from tests.phones import states, wait_for

Drive = Callable[..., Driver]


def await_state(phone: Driver, *wanted: str) -> None:
    """Wait until adb says one of these of the phone; "absent" when it does not know it."""
    wait_for(
        lambda: states(phone.adb_server.server).get(phone.address, "absent") in wanted,
        10,
        f"{wanted} (it is {states(phone.adb_server.server)})",
    )


def test_a_phone_goes_offline_and_comes_back_by_itself(drive: Drive) -> None:
    phone = drive(app("instagram"))
    phone.u2.app_start(INSTAGRAM)
    phone.farm.set("SIM1", fault="offline")
    await_state(phone, "offline", "absent")
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(phone.address.split(":")[1])), 1)
    with pytest.raises(adbutils.AdbError):
        phone.adb.shell("true")
    phone.farm.set("SIM1", fault=None)
    await_state(phone, "device")
    assert phone.adb.shell("echo back") == "back"
    assert phone.u2(description="I already have an account").exists


def test_a_phone_that_trusts_nobody_is_unauthorized_until_it_does(drive: Drive) -> None:
    phone = drive()
    phone.farm.set("SIM1", fault="unauthorized")
    await_state(phone, "unauthorized")
    with pytest.raises(adbutils.AdbError, match="unauthorized"):
        phone.adb.shell("true")
    phone.farm.set("SIM1", fault=None)
    await_state(phone, "device")
    assert phone.adb.shell("echo trusted") == "trusted"


def test_a_dead_ui_service_refuses_to_start_until_it_heals(drive: Drive) -> None:
    phone = drive()
    assert phone.u2.info
    phone.farm.set("SIM1", fault="u2_dead")
    with pytest.raises(LaunchUiAutomationError):
        _ = phone.u2.info
    phone.farm.set("SIM1", fault=None)
    assert phone.u2.info["sdkInt"] == 33


def test_the_ui_service_dies_with_the_stream_that_started_it(drive: Drive) -> None:
    phone = drive()
    assert phone.u2.info
    phone.u2.stop_uiautomator()
    with pytest.raises(adbutils.AdbError):
        phone.adb.create_connection(adbutils.Network.TCP, 9008)
    assert phone.u2.info


def test_a_second_ui_service_is_already_registered(drive: Drive) -> None:
    phone = drive()
    assert phone.u2.info
    command = "CLASSPATH=/data/local/tmp/u2.jar app_process / com.wetest.uia2.Main -p 9008"
    assert "already registered" in phone.adb.shell(command)


def test_a_slow_phone_answers_later(drive: Drive) -> None:
    phone = drive()
    assert phone.u2.info
    phone.farm.set("SIM1", fault="slow", seconds=0.4)
    begun = time.monotonic()
    assert phone.u2.info
    assert 0.4 <= time.monotonic() - begun < 3


def asked(phone: Driver, body: bytes) -> socket.socket:
    """A connection to the phone's server on which it was sent this call."""
    connection: socket.socket = phone.adb.create_connection(adbutils.Network.TCP, 9008)
    connection.sendall(b"POST /jsonrpc/0 HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    return connection


def test_a_hung_phone_answers_nothing_until_it_thaws(drive: Drive) -> None:
    phone = drive()
    assert phone.u2.info
    phone.farm.set("SIM1", fault="hang")
    connection = asked(phone, b'{"jsonrpc":"2.0","id":1,"method":"deviceInfo","params":[]}')
    connection.settimeout(0.5)
    with pytest.raises(TimeoutError):
        connection.recv(1)
    assert states(phone.adb_server.server)[phone.address] == "device"
    phone.farm.set("SIM1", fault=None)
    connection.settimeout(5)
    assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    connection.close()


def test_a_call_that_hung_when_its_server_was_ended_is_never_done(drive: Drive) -> None:
    phone = drive()
    assert phone.u2.info
    phone.farm.set("SIM1", fault="hang")
    connection = asked(phone, b'{"jsonrpc":"2.0","id":"7:1","method":"pressKey","params":["home"]}')
    phone.u2.stop_uiautomator()
    wait_for(lambda: not phone.farm.phone("SIM1").u2_running, 5, "the end of the server")
    phone.farm.set("SIM1", fault=None)
    assert phone.u2.info  # by a new server
    assert not [touch for touch in phone.farm.journal("SIM1") if touch["run"] == "7:1"]
    connection.close()


def test_a_crash_shows_the_dialog_until_it_is_closed(drive: Drive) -> None:
    phone = drive(app("instagram", signed_in=["anna.demo"]))
    phone.u2.app_start(INSTAGRAM)
    phone.farm.set("SIM1", fault="app_crash")
    phone.await_screen("os.crash")
    assert phone.u2(resourceId="android:id/alertTitle").get_text() == "Instagram keeps stopping"
    assert phone.adb.app_current().package != INSTAGRAM
    phone.u2(resourceId="android:id/aerr_restart").click()
    phone.await_screen("os.crash")
    phone.farm.set("SIM1", fault=None)
    phone.u2(resourceId="android:id/aerr_close").click()
    phone.await_screen("os.launcher")
    phone.u2.app_start(INSTAGRAM)
    phone.await_screen("ig.home")


def test_a_missing_app_has_no_path_and_does_not_start(drive: Drive) -> None:
    phone = drive(app("instagram"))
    phone.farm.set("SIM1", fault="app_missing")
    assert phone.adb.app_info(INSTAGRAM) is None
    assert "No activities found" in phone.adb.shell(f"monkey -p {INSTAGRAM} -c x 1")
    assert "does not exist" in phone.adb.shell(f"am start -n {INSTAGRAM}/.Main")
    with pytest.raises(uiautomator2.exceptions.AppNotFoundError):
        phone.u2.app_info(INSTAGRAM)
    assert phone.screen == "os.launcher"


def test_an_unknown_fault_is_refused_in_one_sentence(drive: Drive) -> None:
    with pytest.raises(DescriptionError, match="fault must be one of offline"):
        drive().farm.set("SIM1", fault="flood")
