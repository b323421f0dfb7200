"""What a condition may say, each on a file of one screen; and how screens are weighed against one another."""

from __future__ import annotations

import pytest

from automation.screens.ranges import Range, numbers
from automation.screens.reader import read_app
from automation.screens.recognise import AMBIGUOUS, SCREEN, UNKNOWN, UNREADABLE, Verdict, recognise
from automation.screens.schema import Library
from tests.automation.dumps import dump, node

HEAD = """\
schema: 1
app: demo
packages: [com.demo]
languages:
  en: {hello: ["Hello", "Good day"], bye: ["Bye"], part: ["ell"]}
  nl: {bye: ["Dag"]}
unconfirmed:
  nl: {hello: ["Hallo"]}
screens:
"""


def tried(screens: str, xml: str, **known: str) -> Verdict:
    """What a library of these screens sees in the dump."""
    app = read_app(HEAD + screens, "demo.yaml")
    return recognise(xml, screens=Library({"demo": app}), **known)


def one(condition: str, **more: object) -> str:
    """A screen that asks for one condition."""
    return f"  - {{id: demo.one, kind: form, all: [{condition}]}}\n"


def shown(*nodes: str) -> str:
    return dump(*[text.replace("com.instagram.android", "com.demo") for text in nodes])


CHAT = node(package="org.chat", text="a")
BOX = node(
    "FrameLayout", node(text="Hello"), node("Button", desc="Bye", selected=True), id="box", clickable=True
)


@pytest.mark.parametrize(
    "condition",
    [
        "{id: box}", "{id: bo*}", "{text: hello}", "{contains: part}", "{regex: 'h.l+o'}", "{regex: 'HELLO'}",
        "{class: Button}", "{package: com.dem*}", "{selected: true}", "{clickable: true}", "{enabled: true}",
        "{password: false}", "{text: hello, within: {id: box}}", "{id: box, has: {text: hello}}",
        "{text: hello, beside: {text: bye}}", "{class: TextView, before: {text: bye}}", "{class: Button, nth: 0}",
        "{enabled: true, count: 3}", "{enabled: true, count: '>=2'}", "{enabled: true, count: '2..3'}",
    ],
)  # fmt: skip
def test_a_condition_that_holds(condition: str) -> None:
    assert tried(one(condition), shown(BOX)).screen == "demo.one"


@pytest.mark.parametrize(
    "condition",
    [
        "{id: ox}", "{id: x*}", "{text: part}", "{contains: bye, class: TextView}", "{regex: 'h'}", "{class: EditText}",
        "{package: com.other}", "{selected: true, text: hello}", "{password: true}", "{enabled: false}",
        "{text: hello, within: {class: Button}}",
        "{id: box, has: {class: EditText}}", "{text: hello, beside: {id: box}}",
        "{class: Button, nth: 1}", "{enabled: true, count: 2}", "{enabled: true, count: '>3'}",
    ],
)  # fmt: skip
def test_a_condition_that_does_not_hold(condition: str) -> None:
    assert tried(one(condition), shown(BOX)).status == UNKNOWN


def test_a_condition_on_the_activity_needs_one_that_is_known() -> None:
    screen = one("{activity: '*.Login*'}")

    assert tried(screen, shown(BOX)).status == UNKNOWN
    assert tried(screen, shown(BOX), front="com.demo/com.demo.LoginActivity").screen == "demo.one"
    assert tried(screen, shown(BOX), front="com.demo/com.demo.Main").status == UNKNOWN


@pytest.mark.parametrize("field", ["text", "desc", "hint"])
def test_a_text_key_is_looked_for_in_text_description_and_hint(field: str) -> None:
    assert tried(one("{text: hello}"), shown(node(**{field: "Good day"}))).screen == "demo.one"


@pytest.mark.parametrize(
    ("versions", "version", "fits"),
    [
        (">=300", "410.0.0.29.110", True), (">=300", "99.9", False), ("<300", "99.9", True), ("<=300", "300.7", True),
        (">300", "300.7", False), ("300..412", "412.0.1", True), ("300..412", "413.0", False), ("43.1", "43.1.4", True),
        (">=43.1.4 <47", "43.1.10", True), (">=43.1.4,<47", "43.1.3", False), (">= 300", "", True), (">=9", "10", True),
    ],
)  # fmt: skip
def test_versions_are_compared_as_numbers(versions: str, version: str, fits: bool) -> None:
    screen = one("{text: hello}").replace("kind:", f"versions: '{versions}', kind:")

    assert (tried(screen, shown(BOX), version=version).status == SCREEN) is fits


def test_a_range_that_is_none_is_refused() -> None:
    for text in ("", "new", "=>3", "3.x", ">=", "1..", "v3"):
        with pytest.raises(ValueError, match="is no range"):
            Range.parse(text)
    assert numbers("410.0.0-beta2") == (410, 0, 0, 2)


def both(first: str, second: str) -> str:
    return f"  - {{id: demo.a, kind: form, {first}}}\n  - {{id: demo.b, kind: form, {second}}}\n"


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        ("all: [{text: hello}]", "all: [{text: hello}, {text: bye}]", "demo.b"),
        ("all: [{text: hello, weight: 2.5}]", "all: [{text: hello}]", "demo.a"),
        ("all: [{text: hello, weight: 1.9}]", "all: [{text: hello}]", ""),
        ("all: [{text: hello}]", "all: [{text: bye}]", ""),
        ("all: [{text: hello}], priority: 400", "all: [{text: hello}, {text: bye}]", "demo.a"),
        (
            "all: [{text: hello}], likely: [{id: box}]",
            "all: [{text: hello}], likely: [{id: other}]",
            "demo.a",
        ),
        ("all: [{text: hello}], activity: ['*.Main']", "all: [{text: hello}]", "demo.a"),
        ("all: [{text: hello}], threshold: 2", "all: [{text: hello}]", "demo.b"),
        ("all: [{text: hello}], threshold: 2, likely: [{id: box}]", "all: [{text: hello}]", "demo.a"),
    ],
)
def test_of_two_screens_that_fit_the_heavier_one_is_meant_and_near_ones_are_ambiguous(
    first: str, second: str, found: str
) -> None:
    verdict = tried(both(first, second), shown(BOX), front="com.demo/com.demo.Main")

    assert (verdict.status, verdict.screen) == (SCREEN if found else AMBIGUOUS, found)


def test_every_alternative_that_fits_is_told_the_best_first() -> None:
    ways = "[{text: hello}], [{text: hello}, {text: bye}], [{class: Nothing}]"
    screen = f"  - {{id: demo.one, kind: form, any: [{ways}]}}\n"

    assert tried(screen, shown(BOX)).matched == ("any.1", "any.0")


def test_none_of_the_conditions_of_none_may_hold() -> None:
    screen = "  - {id: demo.one, kind: form, all: [{text: hello}], none: [{class: EditText}, {text: bye}]}\n"

    assert tried(screen, shown(BOX)).status == UNKNOWN
    assert tried(screen, shown(node(text="Hello"))).screen == "demo.one"


def test_what_must_not_be_there_must_not_be_there_in_any_language() -> None:
    screen = "  - {id: demo.one, kind: form, all: [{text: hello}], none: [{text: bye}]}\n"

    assert tried(screen, shown(node(text="Hello"), node(text="Good day"), node(text="Dag"))).status == UNKNOWN


@pytest.mark.parametrize(
    ("xml", "front", "why"),
    [
        ("", "", "empty"),
        (dump(), "", "empty"),
        (dump(node(package="com.android.systemui", text="12:00")), "", "empty"),
        ("<hierarchy><node", "", "cut_off"),
        (shown(node("FrameLayout", node("View"))), "", "opaque"),
        (dump(node("FrameLayout", package="android")), "", "stuck"),
        (dump(*[node(package="org.chat", text=text) for text in ("a", "b", "c")]), "", "foreign"),
        (shown(BOX) , "com.miui.home/.Launcher", "stale"),
        (shown(BOX, CHAT), "org.chat/.Chat", "foreign"),
    ],
)  # fmt: skip
def test_a_dump_that_proves_nothing_is_unreadable_and_says_why(xml: str, front: str, why: str) -> None:
    verdict = tried(one("{text: hello}"), xml, front=front, package="com.demo")

    assert (verdict.status, verdict.why) == (UNREADABLE, why)
    assert verdict.detail


def test_a_word_that_nobody_has_seen_in_the_app_is_told_and_others_are_not() -> None:
    assert tried(one("{text: hello}"), shown(node(text="Hallo"))).unconfirmed == ["nl hello: hallo"]
    assert tried(one("{text: hello}"), shown(node(text="Hello"))).unconfirmed == []
    assert tried(one("{text: hello}"), shown(node(text="Hallo"), node(text="Hello"))).unconfirmed == []
    hallo = node("FrameLayout", node(text="Hallo"), node("Button"))
    nested = one("{class: Button, within: {has: {text: hello}}}")
    assert tried(nested, shown(hallo)).unconfirmed == ["nl hello: hallo"]


def test_a_tap_by_a_word_of_another_language_than_the_screens_is_told_too() -> None:
    screen = "  - {id: demo.one, kind: form, all: [{text: bye}], actions: {next: [{text: hello}]}}\n"
    verdict = tried(screen, shown(node(text="Bye"), node(text="ell"), node("Button", text="Hallo")))

    assert verdict.language == "en"
    assert verdict.find("next")
    assert verdict.unconfirmed == ["nl hello: hallo"]


def test_a_tap_by_an_unconfirmed_word_is_told_too() -> None:
    screen = "  - {id: demo.one, kind: form, all: [{class: Button}], actions: {next: [{text: hello}]}}\n"
    verdict = tried(screen, shown(node("Button", text="Hallo")))

    assert verdict.unconfirmed == []
    assert verdict.find("next")
    assert verdict.unconfirmed == ["nl hello: hallo"]
