"""Outside control, and the command that runs a farm as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from devices.simulator.farm import Farm
from tests.devices.simulator.conftest import INSTAGRAM, app, one_phone
from tests.phones import RunningAdb, ready, wait_for

MEMORY_LIMIT = 80_000  #: kB for a hundred phones
Call = Callable[..., tuple[int, Any]]


def request(address: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Status and data of one request."""
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(f"http://{address}{path}", data, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@pytest.fixture
def call() -> Iterator[Call]:
    """A function that asks the outside control of a farm with the phone SIM1."""
    farm = Farm.from_dict(one_phone(app("instagram", signed_in=["anna.demo"]), battery=50))
    with farm.running(control_port=0):
        assert farm.control is not None
        address = farm.control.address
        yield lambda method, path, body=None: request(address, method, path, body)


def test_the_phones_are_listed(call: Call) -> None:
    status, phones = call("GET", "/phones")
    assert status == 200
    assert phones[0]["serial"] == "SIM1"
    assert phones[0]["address"] == f"127.0.0.1:{phones[0]['port']}"
    assert (phones[0]["battery"], phones[0]["fault"], phones[0]["screen"]) == (50, None, "os.launcher")
    assert phones[0]["signed_in"] == {INSTAGRAM: ["anna.demo"]}


def test_a_phone_is_changed(call: Call) -> None:
    status, phone = call("PATCH", "/phones/SIM1", {"fault": "offline", "battery": 12})
    assert (status, phone["fault"], phone["battery"]) == (200, "offline", 12)
    assert call("PATCH", "/phones/SIM1", {"fault": None})[1]["fault"] is None
    assert call("GET", "/phones/SIM1/journal") == (200, [])


def test_a_login_is_added(call: Call) -> None:
    assert call("POST", "/logins", {"app": "instagram", "username": "new", "password": "pw"})[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/", None, 404),
        ("GET", "/phones/NONE", None, 404),
        ("DELETE", "/phones/SIM1", None, 404),
        ("PATCH", "/phones/SIM1", [], 400),
        ("PATCH", "/phones/SIM1", {"fault": "flood"}, 400),
        ("PATCH", "/phones/SIM1", {"battery": 200}, 400),
        ("PATCH", "/phones/SIM1", {"colour": "red"}, 400),
        ("PATCH", "/phones/SIM1", {"signed_in": {"com.none": []}}, 400),
        ("POST", "/logins", {"app": "chess", "username": "x"}, 400),
    ],
)
def test_a_wrong_request_is_refused_with_a_sentence(
    call: Call, method: str, path: str, body: Any, status: int
) -> None:
    code, answer = call(method, path, body)
    assert code == status
    assert answer["error"].endswith(".")
    assert call("GET", "/phones")[1][0]["battery"] == 50


class Process:
    """`python -m devices.simulator` as a child."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.ready = folder / "ready.json"
        command = [sys.executable, "-m", "devices.simulator", *arguments, "--ready", str(self.ready)]
        self.child = subprocess.Popen(command, stderr=subprocess.PIPE)

    def __enter__(self) -> dict[str, Any]:
        wait_for(lambda: self.ready.exists() or self.child.poll() is not None, what="the ready file")
        facts: dict[str, Any] = json.loads(self.ready.read_text())
        return facts

    def __exit__(self, *_: object) -> None:
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        self.errors = self.child.communicate(timeout=10)[1].decode()

    def memory(self) -> int:
        """Resident kB."""
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))

    def cpu(self) -> int:
        """Clock ticks used so far."""
        stat = Path(f"/proc/{self.child.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(stat[11]) + int(stat[12])


def test_the_command_tells_where_everything_listens_and_ends_cleanly(tmp_path: Path) -> None:
    process = Process(tmp_path, "--count", "2", "--control", "0")
    with process as facts:
        assert sorted(facts["phones"]) == ["SIMPHONE01", "SIMPHONE02"]
        assert len(request(facts["control"], "GET", "/phones")[1]) == 2
    assert (process.child.returncode, process.errors) == (0, "")


@pytest.mark.parametrize("command", [["-m", "devices.simulator"], ["manage.py", "simulate_phones"]])
def test_a_wrong_description_is_one_sentence_and_a_code(tmp_path: Path, command: list[str]) -> None:
    farm = tmp_path / "farm.yaml"
    farm.write_text("phones: []")
    ended = subprocess.run(
        [sys.executable, *command, str(farm)], capture_output=True, timeout=30, check=False
    )
    assert (ended.returncode, ended.stderr.decode()) == (1, "The farm has no phones.\n")


def test_the_simulator_needs_neither_django_nor_the_clients_nor_pillow_to_start() -> None:
    code = "import sys, devices.simulator.__main__; print({'django', 'PIL', 'adbutils', 'yaml'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"set()\n"


def test_a_port_that_is_taken_is_an_error_of_the_start() -> None:
    with Farm.from_dict(one_phone()).running() as first:
        port = int(first.phones["SIM1"].address.split(":")[1])
        with (
            pytest.raises(OSError, match="address already in use"),
            Farm.from_dict(one_phone(port=port)).running(),
        ):
            pass


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads /proc")  # noqa: PTH110
def test_a_hundred_phones_fit_into_80_mb_and_rest_quietly(tmp_path: Path, adb_server: RunningAdb) -> None:
    process = Process(tmp_path, "--count", "100")
    with process as facts:
        addresses = set(facts["phones"].values())
        for address in addresses:
            adb_server.server.connect(address)
        wait_for(lambda: addresses <= ready(adb_server.server), what="a hundred phones")
        jar = os.urandom(3_700_000)
        for address in sorted(addresses)[:20]:
            device = adb_server.server.client.device(address)
            device.sync.push(jar, "/data/local/tmp/u2.jar")
            assert device.shell("screencap -p", encoding=None).startswith(b"\x89PNG")
        assert process.memory() < MEMORY_LIMIT
        before, end = process.cpu(), time.monotonic() + 1
        wait_for(lambda: time.monotonic() > end)
        assert process.cpu() - before <= 3, "idle phones take next to no CPU"
    for address in addresses:
        adb_server.server.client.disconnect(address)
    assert (process.child.returncode, process.errors) == (0, "")
