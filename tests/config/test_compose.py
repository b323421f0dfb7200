"""docker-compose.yml hands on what the documents promise, with the defaults of the settings."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from automation.agent.__main__ import parser
from config.env import BASE

#: Not the operator's to set there: the image says where things are, and the grace period how long a stop may take.
FIXED = {"PHONERACK_STATE", "PHONERACK_BIND", "PHONERACK_SCREENS", "PHONERACK_DRAIN_SECONDS"}


def environment(service: str) -> dict[str, str]:
    read: dict[str, Any] = yaml.safe_load((BASE / "docker-compose.yml").read_text(encoding="utf-8"))
    return {str(name): str(value) for name, value in read["services"][service]["environment"].items()}


def defaults() -> dict[str, str]:
    """Numbers that config/settings.py reads -> what they are when nothing is set."""
    text = (BASE / "config" / "settings.py").read_text(encoding="utf-8")
    return dict(re.findall(r'env\.(?:int|float)\("(PHONERACK_\w+)", default=([\d.]+)\)', text))


def test_every_documented_setting_reaches_the_controllers_side() -> None:
    text = (BASE / "docs" / "operating.md").read_text(encoding="utf-8")
    rows = text.partition("| setting |")[2].splitlines()
    told = {name for row in rows for name in re.findall(r"`(PHONERACK_\w+)`", row.split(" | ")[0])}
    assert told - FIXED <= environment("controller").keys()


@pytest.mark.parametrize(("name", "value"), sorted(defaults().items()))
def test_what_is_not_set_there_is_as_without_it(name: str, value: str) -> None:
    stated = environment("web").get(name)
    assert stated is None or float(stated.removeprefix(f"${{{name}:-").removesuffix("}")) == float(value)


def test_the_agent_there_can_have_its_lanes_and_its_way_to_stop() -> None:
    ours = environment("agent")
    args = parser().parse_args([])
    assert ours["PHONERACK_LANES"] == f"${{PHONERACK_LANES:-{args.lanes}}}"
    assert ours["PHONERACK_ON_STOP"] == f"${{PHONERACK_ON_STOP:-{args.on_stop}}}"
