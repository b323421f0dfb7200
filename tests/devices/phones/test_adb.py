"""A real adb server with simulated phones on it."""

from __future__ import annotations

import logging
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from config.processes import free_port
from devices.phones.adb import AdbServer, read_facts
from devices.phones.errors import AdbServerDown, PhoneError, PhoneOffline, PhoneUnauthorized
from tests.phones import MakeFarm, RunningAdb, wait_for

ONE = {"phones": [{"serial": "P1", "model": "Pixel 6", "usb": "1-4.3", "battery": 77, "temperature": 31.5}]}


def test_a_phone_tells_its_facts_in_one_call(make_farm: MakeFarm, adb_server: RunningAdb) -> None:
    farm = make_farm(ONE)

    facts = adb_server.server.facts(farm.phone("P1").address)

    assert (facts.serial, facts.model, facts.android) == ("P1", "Pixel 6", "13")
    assert (facts.battery, facts.temperature) == (77, 31.5)
    assert facts.usb_path == "1-4.3"


def test_the_path_that_adb_gives_comes_before_the_property() -> None:
    assert read_facts("@serial\nS1\n@usb\n9-9\n", "1-2").usb_path == "1-2"


def test_a_phone_without_a_battery_has_none() -> None:
    facts = read_facts("@serial\nS1\n@model\n\n@android\n\n@usb\n\n@battery\n", "")

    assert (facts.serial, facts.battery, facts.temperature) == ("S1", None, None)


LINKER = "WARNING: linker: /vendor/lib/libqti.so has text relocations\n"


@pytest.mark.parametrize("said", ["", "@serial\n\n@model\nM\n", f"@serial\n{LINKER}\n@model\nM\n"])
def test_a_phone_without_a_serial_is_refused(said: str) -> None:
    with pytest.raises(PhoneError, match="serial"):
        read_facts(said, "")


def test_a_warning_of_the_phones_shell_is_not_taken_for_its_serial_or_its_model() -> None:
    parts = {"serial": "S1", "model": "Pixel 6", "android": "13", "usb": "1-4.3", "battery": "  level: 77"}
    said = "".join(f"@{name}\r\n{LINKER}{text}\r\n" for name, text in parts.items())

    facts = read_facts(LINKER + said, "")

    assert (facts.serial, facts.model, facts.android, facts.usb_path) == ("S1", "Pixel 6", "13", "1-4.3")
    assert facts.battery == 77


def test_a_phone_that_adb_does_not_know_is_offline(adb_server: RunningAdb) -> None:
    with pytest.raises(PhoneOffline):
        adb_server.server.facts("nowhere")


def test_a_phone_that_nobody_answers_for_cannot_be_connected(adb_server: RunningAdb) -> None:
    with pytest.raises(PhoneOffline):
        adb_server.server.connect(f"127.0.0.1:{free_port()}")


def test_an_unauthorized_phone_says_so(make_farm: MakeFarm, adb_server: RunningAdb) -> None:
    farm = make_farm(ONE)
    address = farm.phone("P1").address
    farm.set("P1", fault="unauthorized")
    wait_for(
        lambda: {one.address: one.state for one in adb_server.server.phones()}.get(address) == "unauthorized"
    )

    with pytest.raises(PhoneUnauthorized):
        adb_server.server.facts(address)


def test_an_offline_phone_comes_back_by_a_reconnect(make_farm: MakeFarm, adb_server: RunningAdb) -> None:
    farm = make_farm(ONE)
    address = farm.phone("P1").address
    farm.set("P1", fault="offline")
    wait_for(lambda: {one.address: one.state for one in adb_server.server.phones()}.get(address) != "device")
    with pytest.raises(PhoneOffline):
        adb_server.server.facts(address)
    farm.set("P1", fault=None)
    adb_server.server.reconnect(address)
    wait_for(lambda: {one.address: one.state for one in adb_server.server.phones()}.get(address) == "device")

    assert adb_server.server.facts(address).serial == "P1"


def test_a_server_is_started_where_none_answers(tmp_path: Path) -> None:
    server = AdbServer(port=free_port())
    with pytest.raises(AdbServerDown):
        server.phones()
    server.ensure_started(home=tmp_path, usb=False)
    try:
        server.ensure_started(home=tmp_path, usb=False)
        assert server.phones() == []
    finally:
        server.client.server_kill()


def test_no_server_is_started_behind_ones_back(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setattr(subprocess, "run", lambda *command, **_: started.append(command))
    with pytest.raises(AdbServerDown):
        AdbServer(port=free_port()).phones()

    assert not started


def test_a_port_that_something_else_holds_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def answer() -> None:
            client, _ = other.accept()
            client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            client.close()

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(AdbServerDown, match="held by something"):
            AdbServer(port=other.getsockname()[1]).ensure_started()


def test_the_commands_of_adbutils_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    assert not logging.getLogger("adbutils._device_base").isEnabledFor(logging.DEBUG)
