"""Which phones hang on a host: known as soon as the adb server knows it."""

from __future__ import annotations

import threading
import time

from automation.agent.inventory import Inventory
from devices.phones.adb import AdbServer
from tests.phones import wait_for

TWO = {"phones": [{"serial": "SIMINV1"}, {"serial": "SIMINV2"}]}


def test_a_phone_that_goes_is_known_without_waiting_for_the_next_look(make_farm, adb_server) -> None:
    farm = make_farm(TWO)
    server, stop = AdbServer(port=adb_server.port), threading.Event()
    inventory, changes = Inventory([server]), list[float]()
    wait_for(lambda: inventory.look() or inventory.find("SIMINV1"), what="the phone")
    inventory.on_change = lambda: changes.append(time.monotonic())
    threading.Thread(target=inventory.watch, args=(server, stop), daemon=True).start()
    wait_for(inventory.look_now.is_set, what="the first word of the adb server")
    inventory.look()
    changes.clear()
    inventory.look_now.clear()
    gone_at = time.monotonic()
    farm.set("SIMINV1", fault="offline")
    assert inventory.look_now.wait(2)
    wait_for(lambda: inventory.look() or changes, 2, "the change")
    stop.set()
    assert changes[0] - gone_at < 2
    assert inventory.find("SIMINV1") is None


def test_a_look_that_finds_everything_as_it_was_is_no_change(make_farm, adb_server) -> None:
    make_farm(TWO)
    inventory, changes = Inventory([AdbServer(port=adb_server.port)]), list[int]()
    wait_for(lambda: inventory.look() or len(inventory.phones()) == 2, what="the phones")
    inventory.on_change = lambda: changes.append(1)
    inventory.look()
    assert changes == []
