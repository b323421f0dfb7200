"""Scripts of the user's own: they run like ours, and whatever is wrong with them is a sentence."""

from __future__ import annotations

import re
from typing import Any

import pytest

from automation.scripts.base import SCRIPTS, Result, run_script
from automation.scripts.options import WrongOption, read
from config.env import BASE
from tests.automation.scripts.conftest import MakeStage
from tests.automation.scripts.fake import FakePhone
from tests.automation.scripts.rigs import ticket
from tests.own_scripts import BATTERY, GREET, HEAD, Load


def run(name: str, app: str = "", **options: Any) -> Result:
    return run_script(name, FakePhone("<hierarchy/>"), ticket(name, app, options=options))


def test_the_example_in_the_docs_works_as_written(stage: MakeStage, load_own: Load) -> None:
    page = (BASE / "docs" / "writing-a-script.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    assert load_own(example) == []
    at = stage({"app": "tiktok", "version": "41.2.3"})

    any_version = at.run(ticket("app-version"))
    assert (any_version.outcome, any_version.data) == ("succeeded", {"version": "41.2.3"})
    assert [step[0] for step in at.steps] == ["ask the phone"]
    too_old = at.run(ticket("app-version", options={"at_least": "41.10"}))
    assert (too_old.outcome, too_old.reason) == ("failed", "update_required")
    assert at.run(ticket("app-version", options={"app": "instagram"})).reason == "app_missing"


def test_it_gets_its_options_or_their_defaults_and_the_username(load_own: Load) -> None:
    assert load_own(GREET) == []
    defaults = {"loud": False, "times": 2, "word": "hello", "tone": "kind"}
    result = run("greet", "instagram")
    assert (result.message, result.data) == ("alice", defaults)
    assert run("greet", "instagram", times=5, loud=True).data == {**defaults, "times": 5, "loud": True}


def test_it_never_sees_the_password_or_the_codes(load_own: Load) -> None:
    spies = HEAD + (
        '@script("spy", label="Spy")\n'
        'def spy(context):\n    return Result("succeeded", "seen", repr(context.ticket.account))\n'
    )
    assert load_own(spies) == []
    account = {"password": "canary", "codes": [[0, "123456"]], "email": "a@example.org"}
    message = run_script("spy", FakePhone(""), ticket("spy", "instagram", account=account)).message
    assert message == "{'username': 'alice', 'email': 'a@example.org'}"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"times": 6}, "It must be 1 to 5."),
        ({"times": "many"}, "It must be a whole number."),
        ({"times": True}, "It must be a whole number."),
        ({"times": 1.5}, "It must be a whole number."),
        ({"loud": "yes"}, "It must be yes or no."),
        ({"word": "x" * 11}, "It may have 10 characters at most."),
        ({"word": "two\nlines"}, "It must be one line of text."),
        ({"word": 3}, "It must be one line of text."),
        ({"tone": "sour"}, "It must be one of: kind, stern."),
    ],
)
def test_the_agent_judges_the_options_again(load_own: Load, given: dict[str, Any], sentence: str) -> None:
    load_own(GREET)
    result = run("greet", "instagram", **given)
    assert (result.outcome, result.reason) == ("failed", "wrong_option")
    assert f"({next(iter(given))}: {sentence})" in result.message
    with pytest.raises(WrongOption, match=re.escape(sentence)):
        read(SCRIPTS["greet"].options, given)


REGISTERS = HEAD + '@script("greet", label="Greet", options=[{}])\ndef greet(context): ...\n'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("import no_such_thing", "ModuleNotFoundError: No module named 'no_such_thing' (line 1)"),
        ("def broken(:", "line 1 is no Python"),
        ("import sys\nsys.exit(3)", "SystemExit: 3 (line 2)"),
        (HEAD + "x = 1 / 0", "ZeroDivisionError: division by zero (line 2)"),
        (HEAD + '@script("login", label="L")\ndef f(c): ...', "two scripts named 'login'"),
        (HEAD + '@script("Two words", label="L")\ndef f(c): ...', "script name 'Two words' is none"),
        (HEAD + '@script("greet", label="")\ndef f(c): ...', "needs a label"),
        (HEAD + '@script("greet", label="G")\ndef f(): ...', "must be a function of one argument"),
        (REGISTERS.format('Int("n", "N", default="three")'), "default 'three' is wrong"),
        (REGISTERS.format('Int("n", "N", default=9, most=5)'), "It must be 5 or less"),
        (REGISTERS.format('Int("n", "N", default="3")'), "default '3' is of the wrong type"),
        (REGISTERS.format('Int("n", "N", least="1")'), "its bound '1' is no whole number"),
        (REGISTERS.format('Bool("b", "B", default=1)'), "It must be yes or no"),
        (REGISTERS.format('Choice("c", "C", default="x", choices="xyz")'), "`choices` must be"),
        (REGISTERS.format('Choice("c", "C", default="z", choices=["x"])'), "It must be one of: x"),
        (REGISTERS.format('Text("t", "T", longest=0)'), "`longest` must be 1 to"),
        (REGISTERS.format('Text("Bad Name", "T")'), "option name 'Bad Name' is none"),
        (REGISTERS.format('Text("t", "T"), Text("t", "U")'), "two of its options have one name"),
        (REGISTERS.format('"t"'), "is no Bool, Int, Text or Choice"),
        ("x = 1", "holds no @script"),
    ],
)
def test_what_is_wrong_with_a_module_is_one_sentence_and_the_others_work(
    load_own: Load, text: str, sentence: str
) -> None:
    (problem,) = load_own(text, BATTERY)
    assert sentence in problem
    assert "PHONERACK_SCRIPTS" in problem
    assert "\n" not in problem
    assert {"login", "match", "sync", "battery"} == set(SCRIPTS)


def test_a_module_that_breaks_off_leaves_none_of_its_scripts_behind(load_own: Load) -> None:
    assert load_own(GREET + "raise RuntimeError('later')\n")
    assert "greet" not in SCRIPTS
    assert run("greet", "instagram").reason == "unknown_script"


def test_a_module_or_file_that_is_not_there_is_said(load_own: Load) -> None:
    first, second = load_own(names=("no_such_module.of_mine", "/nowhere/script.py"))
    assert "No module named 'no_such_module'" in first
    assert "there is no file /nowhere/script.py" in second


def test_a_module_may_be_named_by_an_entry_point(
    load_own: Load, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    (tmp_path / "packaged_scripts.py").write_text(BATTERY)
    meta = tmp_path / "packaged-1.dist-info"
    meta.mkdir()
    (meta / "METADATA").write_text("Metadata-Version: 2.1\nName: packaged\nVersion: 1\n")
    (meta / "entry_points.txt").write_text("[phonerack.scripts]\nmine = packaged_scripts\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert load_own() == []
    assert SCRIPTS["battery"].module == "packaged_scripts"


ENDS = HEAD + '@script("ends", label="Ends", needs_account=False)\ndef ends(context):\n    {}\n'


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("pass", "returned NoneType instead of a Result"),
        ('return Result("done", "x")', "the outcome 'done', which does not exist"),
        ('return Result("succeeded", "Not a word")', "small letters, digits and _"),
        ('return Result("succeeded", "x", "", {"at": object()})', "data that is no JSON"),
        ('return Result("succeeded", "x", "", {"n": float("nan")})', "data that is no JSON"),
        ('return Result("succeeded", "x", "", {"half": chr(0xD800)})', "data that is no JSON"),
        ('return Result("succeeded", "x", "", ["a"])', "data that is no dict"),
        ('return Result("succeeded", "x", "", {"much": "x" * 200_000})', "100000 at most"),
        ('raise NeedsPerson("captcha", data={"at": object()})', "data that is no JSON"),
    ],
)
def test_an_end_that_cannot_be_reported_is_told_instead(load_own: Load, body: str, sentence: str) -> None:
    load_own(ENDS.format(body))
    result = run("ends")
    assert (result.outcome, result.reason) == ("errored", "bad_result")
    assert sentence in result.message


def test_a_script_cannot_end_the_agent(load_own: Load) -> None:
    load_own(ENDS.format("raise SystemExit(1)"))
    with pytest.raises(RuntimeError, match="wanted to end the whole process"):
        run("ends")
