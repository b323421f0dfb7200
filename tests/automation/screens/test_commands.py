"""The commands that look at screens."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.automation.dumps import drawn, dump, node


def said(*words: object) -> str:
    out = io.StringIO()
    call_command(*map(str, words), stdout=out)
    return out.getvalue()


def test_check_screens_counts_the_screens_and_shows_the_hash() -> None:
    text = said("check_screens")

    assert "instagram:" in text
    assert "hash " in text


def test_recognise_names_the_screen_of_each_dump(tmp_path: Path) -> None:
    for screen in ("landing", "login_form"):
        (tmp_path / f"{screen}.xml").write_text(drawn("instagram", screen), "utf-8")
    text = said("recognise", *sorted(tmp_path.glob("*.xml")))

    assert [line.split()[1] for line in text.splitlines()] == ["ig.landing", "ig.login_form"]


def test_recognise_gives_json_for_programs(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(drawn("tiktok", "own_profile"), "utf-8")

    assert json.loads(said("recognise", tmp_path / "a.xml", "--json"))["values"]["handle"] == "alice"


def test_recognise_fails_on_a_screen_that_nobody_knows(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(dump(node(text="what is this")), "utf-8")

    with pytest.raises(CommandError, match="1 of 1 dumps"):
        said("recognise", tmp_path / "a.xml")


def test_recognise_says_which_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"gone\.xml"):
        said("recognise", tmp_path / "gone.xml")
