"""A simulated phone with both apps, opened through the real adb server and uiautomator2."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from devices.phones import u2_phone
from devices.phones.deadline import Deadline
from devices.phones.u2_phone import U2Phone, open_phone
from devices.simulator.farm import Farm
from tests.phones import MakeFarm, RunningAdb

IG, TT = "com.instagram.android", "com.zhiliaoapp.musically"


@dataclass
class Rig:
    """An open phone, and the farm behind it."""

    farm: Farm
    adb: RunningAdb
    phone: U2Phone
    deadline: Deadline

    @property
    def address(self) -> str:
        return self.farm.phone("P1").address

    def touches(self, kind: str) -> list[dict[str, Any]]:
        """What was done to the phone, of one kind."""
        return [touch for touch in self.farm.journal("P1") if touch["kind"] == kind]


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(u2_phone, "FOCUS_SECONDS", 0.3)


@pytest.fixture
def farm(make_farm: MakeFarm) -> Farm:
    apps = [{"app": "instagram"}, {"app": "tiktok", "signed_in": ["alice"]}]
    return make_farm({"phones": [{"serial": "P1", "apps": apps}]})


@pytest.fixture
def rig(farm: Farm, adb_server: RunningAdb) -> Iterator[Rig]:
    deadline = Deadline(60)
    with open_phone(adb_server.server, farm.phone("P1").address, deadline) as phone:
        yield Rig(farm, adb_server, phone, deadline)
