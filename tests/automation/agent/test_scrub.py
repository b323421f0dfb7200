"""Evidence shows which screen it is, and nothing of whose it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.agent.scrub import scrub
from automation.screens.dump import parse
from automation.screens.recognise import recognise
from automation.screens.structure import structure
from devices.simulator.gallery import gallery
from tests.automation.dumps import dump, node

SIBLING = Path(__file__).resolve().parents[4] / "shared/reference/dumps"
REAL = sorted(Path(os.environ.get("PHONERACK_DUMPS", SIBLING)).glob("*/*.xml"))
GALLERY = dict(gallery())
PEOPLE = ["alice", "Alice A", "bob"]


def texts(*nodes: str, secrets=(), personal=()) -> list[str]:
    """All that the nodes say after scrubbing."""
    clean, _patches = scrub(dump(*nodes), secrets, personal)
    return [said for one in parse(clean).nodes for said in (one.text, one.desc, one.hint) if said]


def text(said: str, **over) -> str:
    return node("TextView", text=said, **over)


# What stays


@pytest.mark.parametrize("name", GALLERY)
def test_every_screen_is_recognised_after_scrubbing_as_before_and_names_nobody(name: str) -> None:
    clean, _patches = scrub(GALLERY[name], [], PEOPLE)
    before, after = recognise(GALLERY[name]), recognise(clean)
    assert (after.status, after.screen) == (before.status, before.screen)
    assert structure(clean) == structure(GALLERY[name])
    assert not any(person in clean for person in PEOPLE)


@pytest.mark.skipif(not REAL, reason="no real dumps here; set PHONERACK_DUMPS")
def test_real_screens_are_recognised_after_scrubbing_as_before() -> None:
    for path in REAL:
        xml = path.read_text("utf-8")
        before, after = recognise(xml), recognise(scrub(xml)[0])
        assert (after.status, after.screen) == (before.status, before.screen), path.name


@pytest.mark.parametrize(
    "said",
    [
        "Something new: stories last longer",
        "Enter the 6-digit code",
        "Follow",
        "followers",
        "Maybe later",
        "以后再说",
    ],
)
def test_the_words_of_the_app_stay(said: str) -> None:
    assert texts(text(said)) == [said]


# What goes


@pytest.mark.parametrize(
    ("said", "becomes"),
    [
        ("@mila.travels", "@user_1"),
        ("mila.travels", "user_1"),
        ("mila_99, 3 new messages", "user_1, 3 new messages"),
        ("mila", "user_1"),
        ("Continue as Mila de Vries", "Continue as name_1"),
        ("Doorgaan als Mila", "Doorgaan als name_1"),
        ("Profile picture of Mila", "Profile picture of name_1"),
        ("We sent a code to m***a@example.org.", "We sent a code to mail_1."),
        ("Sent to mila@example.org", "Sent to mail_1"),
        ("Code sent to +31 6 1234 5678", "Code sent to +00 0 0000 0000"),
        ("1,234", "0,000"),
        ("12.3K", "00.0K"),
        ("7", "0"),
        ("1.2 万", "0.0 万"),
        ("123456", "000000"),
    ],
)
def test_handles_names_addresses_and_numbers_go(said: str, becomes: str) -> None:
    assert texts(text(said)) == [becomes]


def test_the_same_handle_is_the_same_everywhere_and_another_another() -> None:
    found = texts(text("@mila.x"), text("mila.x"), text("Log out mila.x?"), text("@bob_2"))
    assert found == ["@user_1", "user_1", "Log out user_1?", "@user_2"]


def test_the_name_over_a_handle_and_beside_it_goes_with_it() -> None:
    assert texts(text("Mila de Vries"), text("@mila.x")) == ["name_1", "@user_1"]
    assert texts(text("Choose an account"), text("@mila.x")) == ["Choose an account", "@user_1"]
    row = node("ViewGroup", text("Mila de Vries"), text("mila.x"))
    assert sorted(texts(row)) == ["name_1", "user_1"]


def test_a_dialog_that_names_somebody_keeps_its_own_words() -> None:
    said = [
        text("Is this your account?"),
        text("@mila.x"),
        node("Button", text="Not Me"),
        text("Use another one"),
    ]
    assert texts(node("FrameLayout", *said)) == [
        "Is this your account?",
        "@user_1",
        "Not Me",
        "Use another one",
    ]


def test_a_list_of_people_is_emptied_and_a_list_of_choices_is_not() -> None:
    def rows(*names: str) -> list[str]:
        return [node("ViewGroup", node("ImageView"), text(name)) for name in names]

    people = ["Ann Smith", "Bo", "Cy", "Di", "Ed"]
    assert not set(people) & set(texts(node("RecyclerView", *rows(*people))))
    assert texts(node("RecyclerView", *rows("SMS", "WhatsApp"))) == ["SMS", "WhatsApp"]


def test_known_names_go_wherever_they_stand() -> None:
    found = texts(
        text("We'll save the login info for alice, Alice A"), personal=["alice", "Alice A", "a@b.nl"]
    )
    assert not any(person in said for said in found for person in ("alice", "Alice A"))


def test_what_was_typed_goes_and_what_a_field_asks_for_stays() -> None:
    typed = node("EditText", text="sun flower 9", hint="Password", password="true")
    empty = node("EditText", text="Your town", hint="Your town")
    assert texts(typed, empty) == ["•••", "Password", "Your town", "Your town"]


def test_a_secret_goes_wherever_it_stands_also_inside_other_words() -> None:
    assert texts(text("xhunter2y"), secrets=["hunter2"]) == ["x•••y"]


def test_keyboard_and_notifications_go_with_their_windows() -> None:
    seen = dump(
        text("Hello there"),
        text("hunter", package="com.google.android.inputmethod.latin"),
        text("WhatsApp: Mum", package="com.android.systemui"),
    )
    clean, patches = scrub(seen)
    assert [one.text for one in parse(clean).nodes] == ["Hello there"]
    assert len(patches) == 2


def test_of_an_app_that_is_none_of_ours_no_word_stays() -> None:
    found = texts(text("Dear diary, today I", package="org.notes"), text("OK", package="org.notes"))
    assert not any("diary" in said for said in found)


def test_other_attributes_that_say_something_are_scrubbed_too() -> None:
    clean, _patches = scrub(dump(node("View", **{"pane-title": "@mila.x", "tooltip": "mila@example.org"})))
    assert "mila" not in clean


def test_each_place_that_changed_is_painted_over() -> None:
    _clean, patches = scrub(dump(text("@mila.x", bounds="[10,20][110,60]"), text("Maybe later")))
    assert [(patch.box, patch.text) for patch in patches] == [((10, 20, 110, 60), "@user_1")]


def test_the_picture_of_a_puzzle_stays_to_be_seen_and_a_name_as_large_does_not() -> None:
    _clean, patches = scrub(dump(node("ImageView", desc="whirl", bounds="[0,0][800,600]")))
    assert patches == []
    _clean, patches = scrub(dump(node("ImageView", desc="@mila.x", bounds="[0,0][800,600]")))
    assert len(patches) == 1


@pytest.mark.parametrize("xml", ["", "no xml", "<hierarchy>"])
def test_an_unreadable_dump_leaves_nothing(xml: str) -> None:
    assert scrub(xml, ["secret"]) == ("", [])


@given(
    st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)
)
def test_whatever_stands_on_a_screen_a_handle_and_a_secret_never_stay(said: str) -> None:
    found = "".join(texts(text(f"{said} @mila.x {said}"), text(f"{said}Canary-9"), secrets=["Canary-9"]))
    assert "mila.x" not in found
    assert "Canary-9" not in found
