"""The measurement of recognition: that all three are asked the same, and that it tells what it measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from automation.screens.recognise import recognise
from automation.screens.schema import load
from bench import screens
from tests.automation.dumps import drawn


@pytest.mark.parametrize(("app", "screen"), [("instagram", "own_profile"), ("tiktok", "own_profile")])
def test_the_others_find_the_same_screen(app: str, screen: str) -> None:
    xml = drawn(app, screen)

    assert screens.by_walking(xml, load()[app]) == recognise(xml).screen
    assert screens.by_xpath(xml, load()[app]) == recognise(xml).screen


def test_it_prints_a_row_for_each_dump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    (tmp_path / "a.xml").write_text(drawn("instagram", "landing"), "utf-8")
    monkeypatch.setattr(screens, "ROUNDS", 2)
    monkeypatch.setattr("sys.argv", ["screens", str(tmp_path / "a.xml"), "--json"])
    screens.main()
    (row,) = json.loads(capsys.readouterr().out)

    assert (row["dump"], row["screen"]) == ("a.xml", "ig.landing")
    assert {"ours_ms", "elementtree_ms", "uiautomator2_ms", "ratio_elementtree"} <= row.keys()
