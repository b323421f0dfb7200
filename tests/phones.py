"""Shared fixtures: a real adb server, and farms of simulated phones that hang on it."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from config.processes import free_port
from devices.phones.adb import AdbServer, start_server
from devices.phones.errors import PhoneError
from devices.phones.u2_server import server_jar
from devices.simulator.farm import Farm

READY_SECONDS = 15.0
MakeFarm = Callable[..., Farm]


@dataclass
class RunningAdb:
    """A real adb server that runs for the tests."""

    port: int
    process: subprocess.Popen[bytes]
    server: AdbServer


def wait_for(
    condition: Callable[[], object], seconds: float = READY_SECONDS, what: str = "the condition"
) -> Any:
    """The first true answer of `condition`; an AssertionError when there is none in time."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"{what} did not come in {seconds} s"
        time.sleep(0.05)
    return found


def states(server: AdbServer) -> dict[str, str]:
    """The state of every phone of an adb server by address; empty while it does not answer."""
    try:
        return {seen.address: seen.state for seen in server.phones()}
    except PhoneError:
        return {}


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@pytest.fixture(scope="session")
def adb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAdb]:
    """A real adb server on a free loopback port, ended with the session."""
    port = free_port()
    home: Path = tmp_path_factory.mktemp("adb-home")
    process = start_server(port, home)
    try:
        wait_for(lambda: listens(port), what="the adb server")
        yield RunningAdb(port, process, AdbServer(port=port))
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def make_farm(adb_server: RunningAdb) -> Iterator[MakeFarm]:
    """A function that starts a farm and waits until adb sees all its phones; all end with the test.

    With `has_server` the uiautomator server lies on the phones already, which saves a push of 3.7 MB.
    """
    with contextlib.ExitStack() as stack:

        def make(description: dict[str, Any], has_server: bool = False) -> Farm:
            farm = Farm.from_dict(description)
            if has_server:
                farm.put_file(*server_jar())
            stack.enter_context(farm.running())
            for phone in farm.phones.values():
                adb_server.server.connect(phone.address)
                stack.callback(forget, adb_server, phone.address)
            wanted = {phone.address for phone in farm.phones.values()}
            wait_for(lambda: wanted <= ready(adb_server.server), what="the phones")
            return farm

        yield make


def ready(server: AdbServer) -> set[str]:
    """The addresses of the phones that can be used."""
    return {address for address, state in states(server).items() if state == "device"}


def forget(adb: RunningAdb, address: str) -> None:
    """Have the adb server drop a phone, so that it does not go on looking for it."""
    with contextlib.suppress(Exception):
        adb.server.client.disconnect(address)
