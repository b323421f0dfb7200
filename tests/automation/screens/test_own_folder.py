"""Screens of the operator's own: PHONERACK_SCREENS names their folder, and nothing in it can stop an agent."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from automation.screens import schema
from automation.screens.recognise import UNKNOWN, recognise
from automation.screens.schema import library, load, screens_hash
from tests.automation.dumps import dump, node

EIGHT_OF_TEN = (node(text="Join the club"), node("Button", text="I was here before", bounds="[0,0][10,10]"))
LANDING = """\
schema: 1
app: instagram
languages:
  en: {club: ["Join the club"], been_here: ["I was here before"]}
screens:
  - extends: ig.landing
    all: [{text: club}, {text: been_here}]
    actions: {log_in: [{text: been_here}]}
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of the operator's, every change of which is seen at once."""
    monkeypatch.setattr(schema, "LOOK_SECONDS", 0)
    monkeypatch.setenv("PHONERACK_SCREENS", str(tmp_path))
    return tmp_path


def test_without_a_folder_the_shipped_screens_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PHONERACK_SCREENS", raising=False)

    assert library().apps == load()


def test_a_new_way_to_know_a_screen_counts_at_once_and_taps_its_own_button(own: Path) -> None:
    assert recognise(dump(*EIGHT_OF_TEN)).status == UNKNOWN
    (own / "labels.yaml").write_text(LANDING)
    verdict = recognise(dump(*EIGHT_OF_TEN))

    assert (verdict.screen, verdict.kind, verdict.matched) == ("ig.landing", "form", ("labels.1:all",))
    spot = verdict.find("log_in")
    assert spot is not None
    assert (spot.x, spot.y) == (5, 5)


def test_the_ways_that_the_screen_had_go_on_to_work(own: Path) -> None:
    (own / "labels.yaml").write_text(LANDING)
    verdict = recognise(dump(node("Button", text="I already have an account"), node(text="Get started")))

    assert verdict.screen == "ig.landing"
    assert verdict.find("log_in")


def test_a_screen_of_the_same_id_takes_the_place_of_the_shipped_one(own: Path) -> None:
    (own / "a.yaml").write_text(LANDING.replace("extends: ig.landing", "id: ig.landing\n    kind: popup"))

    assert recognise(dump(node("Button", text="I already have an account"))).status == UNKNOWN
    assert recognise(dump(*EIGHT_OF_TEN)).kind == "popup"


def test_a_language_and_a_clone_are_added_by_a_few_lines(own: Path) -> None:
    words = {"have_account": "Minulla on jo tili", "create_account": "Luo uusi tili"}
    table = ", ".join(f'{key}: ["{phrase}"]' for key, phrase in words.items())
    (own / "fi.yaml").write_text(
        f"schema: 1\napp: instagram\npackages: [com.instagram.clone]\nlanguages:\n  fi: {{{table}}}\n"
    )
    shown = [node("Button", package="com.instagram.clone", text=text) for text in words.values()]

    assert recognise(dump(*shown)).screen == "ig.landing"


def test_an_app_of_the_operators_own_is_one_more_file(own: Path) -> None:
    (own / "bank.yaml").write_text(
        "schema: 1\napp: bank\npackages: [org.bank]\nlanguages: {en: {hello: [Hello]}}\n"
        "screens: [{id: bank.hello, kind: form, all: [{text: hello}]}]\n"
    )

    assert recognise(dump(node(package="org.bank", text="Hello"))).screen == "bank.hello"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("schema: 1\napp: instagram\nscreens: [{extends: ig.lending, all: []}]\n", "bad.yaml:3: there is no screen"),
        ("schema: 1\n  app: [", "bad.yaml:2: this is no YAML"),
        ("", "bad.yaml:1: a mapping was expected"),
        ("schema: 1\napp: instagram\nschema2: 1\n", "bad.yaml:3: unknown key 'schema2'"),
        ("a: &a [*a]\n", "bad.yaml"),
    ],
)  # fmt: skip
def test_a_bad_file_is_named_with_its_line_and_the_others_are_used(own: Path, text: str, fault: str) -> None:
    (own / "bad.yaml").write_text(text)
    (own / "good.yaml").write_text(LANDING)

    assert library().faults[0].startswith(fault)
    assert recognise(dump(*EIGHT_OF_TEN)).screen == "ig.landing"


def test_a_file_that_is_no_text_or_a_folder_that_is_not_there_stops_nobody(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own / "bad.yaml").write_bytes(b"\xff\xfe\x00")
    assert library().faults[0].startswith("bad.yaml:1: it cannot be read")

    monkeypatch.setenv("PHONERACK_SCREENS", str(own / "gone"))
    assert "a folder that is not there" in library().faults[0]
    assert library().apps == load()


def test_the_files_in_the_documentation_are_right(own: Path) -> None:
    text = Path(__file__).parents[3].joinpath("docs/screens.md").read_text("utf-8")
    examples = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    for number, example in enumerate(examples):
        (own / f"{number}.yaml").write_text(example, "utf-8")

    assert len(examples) == 2
    assert library().faults == ()
    survey = dump(
        node(text="How do you feel about what you saw today?"), node("Button", text="Inte nu", clickable=True)
    )
    assert recognise(survey).screen == "ig.survey"


@pytest.mark.parametrize("kind", ["human", "error"])
def test_no_file_can_make_a_screen_for_a_person_tappable(own: Path, kind: str) -> None:
    screen = {"human": "ig.captcha", "error": "ig.wrong_password"}[kind]
    (own / "bad.yaml").write_text(
        f"schema: 1\napp: instagram\nscreens:\n  - extends: {screen}\n    all: [{{text: log_in}}]\n"
        "    actions:\n      dismiss: [{text: log_in}]\n"
    )

    assert f"bad.yaml:6: {screen}: a screen of kind {kind} carries no actions" in library().faults


def test_what_extends_a_screen_changes_neither_its_kind_nor_its_outcome(own: Path) -> None:
    (own / "bad.yaml").write_text(
        "schema: 1\napp: instagram\nscreens:\n  - extends: ig.captcha\n    kind: form\n    all: [{text: log_in}]\n"
    )

    assert library().faults == ("bad.yaml:5: ig.captcha: what extends a screen takes its kind from there",)


def test_the_hash_names_what_was_used(own: Path) -> None:
    shipped = screens_hash()
    (own / "labels.yaml").write_text(LANDING)
    with_labels = screens_hash()
    (own / "bad.yaml").write_text("nonsense")

    assert shipped != with_labels
    assert screens_hash() == with_labels
