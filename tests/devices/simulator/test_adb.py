"""The phone as the real adb server and adbutils see it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import adbutils
import pytest

from tests.devices.simulator.conftest import INSTAGRAM, Driver, app
from tests.phones import RunningAdb

Drive = Callable[..., Driver]


def adb(server: RunningAdb, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """One call of the adb command itself."""
    command = [adbutils.adb_path(), "-P", str(server.port), *arguments]
    return subprocess.run(command, capture_output=True, timeout=20, check=False)


def test_adb_lists_the_phone_with_its_model(drive: Drive, adb_server: RunningAdb) -> None:
    phone = drive(model="Pixel 6")
    listed = adb(adb_server, "devices", "-l").stdout.decode()
    line = next(line for line in listed.splitlines() if line.startswith(phone.address))
    assert " device " in line
    assert "model:Pixel_6" in line


def test_a_shell_tells_output_and_exit_code(drive: Drive, adb_server: RunningAdb) -> None:
    phone = drive()
    ended = adb(adb_server, "-s", phone.address, "shell", "echo 'a  b' && false; echo $?; sh-less")
    assert ended.stdout.decode().splitlines()[:2] == ["a  b", "1"]
    assert ended.returncode == 127


def test_the_older_shell_works_too(drive: Drive) -> None:
    assert drive(android="13").adb.shell("getprop ro.build.version.release") == "13"


def test_properties_name_the_phone_and_its_place_on_usb(drive: Drive) -> None:
    phone = drive(usb="1-4.3")
    assert phone.adb.getprop("ro.serialno") == "SIM1"
    assert phone.adb.getprop("debug.phonerack.usb") == "1-4.3"


@pytest.mark.parametrize("size", [0, 1, 65536, 3_000_000])
def test_a_pushed_file_comes_back_as_it_was(drive: Drive, tmp_path: Path, size: int) -> None:
    phone = drive()
    sent, back = tmp_path / "sent", tmp_path / "back"
    sent.write_bytes(os.urandom(size))
    phone.adb.sync.push(sent, "/data/local/tmp/file", check=True)
    phone.adb.sync.pull("/data/local/tmp/file", back)
    assert back.read_bytes() == sent.read_bytes()
    assert [one.path for one in phone.adb.sync.list("/data/local/tmp")] == ["file"]


def test_the_adb_command_pushes_lists_and_pulls(drive: Drive, adb_server: RunningAdb, tmp_path: Path) -> None:
    phone, file = drive(), tmp_path / "file"
    file.write_bytes(b"x" * 200_000)
    assert adb(adb_server, "-s", phone.address, "push", str(file), "/sdcard/file").returncode == 0
    assert b"file" in adb(adb_server, "-s", phone.address, "ls", "/sdcard").stdout
    assert adb(adb_server, "-s", phone.address, "pull", "/sdcard/file", str(tmp_path / "b")).returncode == 0
    assert (tmp_path / "b").read_bytes() == file.read_bytes()


def test_exec_out_gives_a_picture(drive: Drive, adb_server: RunningAdb) -> None:
    picture = adb(adb_server, "-s", drive().address, "exec-out", "screencap", "-p").stdout
    assert picture.startswith(b"\x89PNG\r\n")
    assert picture.endswith(b"IEND\xaeB`\x82")


def test_a_forward_reaches_the_uiautomator_server(drive: Drive) -> None:
    import urllib.request

    phone = drive()
    assert phone.u2.info["screenOn"]
    port = phone.adb.forward_port(9008)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=5) as answer:
        assert answer.read() == b"pong"


def test_a_port_that_nobody_serves_is_refused(drive: Drive) -> None:
    with pytest.raises(adbutils.AdbError):
        drive().adb.create_connection(adbutils.Network.TCP, 9999)


def test_battery_and_temperature_follow_what_is_set(drive: Drive) -> None:
    phone = drive(battery=83, temperature=29.5)
    assert (phone.adb.battery().level, phone.adb.battery().temperature) == (83, 29.5)
    phone.farm.set("SIM1", battery=12, temperature=41.2)
    assert (phone.adb.battery().level, phone.adb.battery().temperature) == (12, 41.2)


def test_an_app_has_a_version_and_a_missing_one_none(drive: Drive) -> None:
    phone = drive(app("instagram", version="417.1.0.2"))
    assert phone.adb.app_info(INSTAGRAM).version_name == "417.1.0.2"
    assert phone.adb.app_info("com.none") is None
    assert phone.adb.list_packages(["-3"]) == [INSTAGRAM]


def test_the_app_in_front_is_told(drive: Drive) -> None:
    phone = drive(app("instagram", signed_in=["anna.demo"]))
    assert "launcher" in phone.adb.app_current().package
    phone.adb.app_start(INSTAGRAM)
    assert phone.adb.app_current().package == INSTAGRAM
    assert phone.adb.app_current().activity.startswith("com.instagram.mainactivity")
    phone.adb.app_stop(INSTAGRAM)
    assert "launcher" in phone.adb.app_current().package


def test_a_dump_by_shell_can_be_pulled(drive: Drive) -> None:
    assert "com.android.systemui" in drive().adb.dump_hierarchy()


def test_pipes_and_redirections_work(drive: Drive) -> None:
    phone = drive()
    assert phone.adb.shell("getprop | grep ro.product.model") == "[ro.product.model]: [Pixel 6]"
    assert phone.adb.shell("echo hello > /sdcard/note; cat /sdcard/note 2>/dev/null") == "hello"
    assert phone.adb.shell("echo 'a$HOME' \"b\\$\" c\\ d") == "a$HOME b$ c d"
