"""The stage for scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from devices.phones import u2_phone
from tests.automation.scripts.rigs import Stage, described
from tests.phones import MakeFarm, RunningAdb

MakeStage = Callable[..., Stage]


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(u2_phone, "FOCUS_SECONDS", 0.5)


@pytest.fixture
def stage(make_farm: MakeFarm, adb_server: RunningAdb) -> MakeStage:
    """A function that makes a stage out of the apps of one phone."""

    def make(*apps: dict[str, Any], has_server: bool = True, **more: Any) -> Stage:
        return Stage(make_farm(described(*apps, **more), has_server=has_server), adb_server)

    return make
