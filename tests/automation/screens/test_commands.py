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


def test_recognise_says_what_matched_and_what_was_read(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(drawn("tiktok", "own_profile"), "utf-8")
    line = said("recognise", tmp_path / "a.xml")

    assert "tt.own_profile session_on en any." in line
    assert "[regex: @[\\w.]{2,24}, class: Button + text: tab_profile, selected: true" in line
    assert "handle=alice" in line


def test_recognise_names_the_screens_that_come_near_and_what_they_lack(tmp_path: Path) -> None:
    near = dump(node("EditText", text="Username, email or mobile number"), node("Button", text="Log in"))
    (tmp_path / "a.xml").write_text(near, "utf-8")
    out = io.StringIO()

    with pytest.raises(CommandError):
        call_command("recognise", str(tmp_path / "a.xml"), stdout=out)
    assert "near ig.login_form: holds text: user_field; text: log_in; not there: text: " in out.getvalue()


def test_recognise_names_what_is_there_though_it_must_not_be(tmp_path: Path) -> None:
    odd = dump(node(text="We suspended your account"), node("LinearLayout", id="tab_bar"))
    (tmp_path / "a.xml").write_text(odd, "utf-8")
    out = io.StringIO()

    with pytest.raises(CommandError):
        call_command("recognise", str(tmp_path / "a.xml"), "--json", stdout=out)
    near = {one["screen"]: one["failed"] for one in json.loads(out.getvalue())["nearest"]}
    assert near["ig.suspended"] == ["must not be there: id: tab_bar"]


def test_recognise_tells_where_it_would_tap_and_by_what_word(tmp_path: Path) -> None:
    dutch = dump(node("Button", text="Ik heb al een account", bounds="[0,0][20,20]", clickable=True))
    (tmp_path / "a.xml").write_text(dutch, "utf-8")
    found = json.loads(said("recognise", tmp_path / "a.xml", "--json"))

    assert found["actions"]["log_in"] == [10, 10]
    assert found["unconfirmed"] == ["nl have_account: ik heb al een account"]


def test_check_screens_names_each_fault_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "schema: 1\napp: instagram\nscreens:\n  - {id: x, kind: window}\n", "utf-8"
    )

    with pytest.raises(CommandError, match=r"mine\.yaml:4: a screen needs an id and a kind"):
        said("check_screens", "--folder", tmp_path)


def test_check_screens_refuses_a_reason_that_no_script_knows(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "schema: 1\napp: instagram\nscreens:\n"
        "  - {id: x, kind: error, all: [{text: log_in}], outcome: {reason: bad_mood, result: failed}}\n", "utf-8"
    )  # fmt: skip

    with pytest.raises(CommandError, match="no script knows the reason 'bad_mood'"):
        said("check_screens", "--folder", tmp_path)


def test_recognise_says_which_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"gone\.xml"):
        said("recognise", tmp_path / "gone.xml")
