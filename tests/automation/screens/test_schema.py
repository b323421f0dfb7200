"""A wrong screen file is refused, with the line of each fault."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from automation.screens.reader import Reader
from automation.screens.schema import SchemaError, load, load_app

HEAD = """\
schema: 1
app: demo
packages: [com.demo]
languages:
  en:
    hello: ["Hello"]
screens:
"""


def faults(screens: str, head: str = HEAD) -> str:
    with pytest.raises(SchemaError) as caught:
        load_app(head + screens, "demo.yaml")
    return str(caught.value)


@pytest.mark.parametrize("kind", ["human", "error"])
def test_a_screen_for_a_person_cannot_carry_an_action(kind: str) -> None:
    text = faults(f"""\
  - id: demo.captcha
    kind: {kind}
    all: [{{text: hello}}]
    outcome: {{reason: captcha, result: needs_person}}
    actions:
      dismiss: [{{text: hello}}]
""")

    assert "demo.yaml:12: demo.captcha: a screen of kind" in text


def test_a_screen_for_a_person_must_say_its_reason() -> None:
    assert "an outcome needs a reason" in faults("  - {id: a, kind: human, all: [{text: hello}]}\n")


def test_only_screens_for_a_person_have_an_outcome() -> None:
    text = "  - {id: a, kind: form, all: [{text: hello}], outcome: {reason: x, result: failed}}\n"

    assert "only kinds human and error have an outcome" in faults(text)


def test_a_session_needs_more_proof_than_words() -> None:
    assert "session_on needs an id" in faults("  - {id: a, kind: session_on, all: [{text: hello}]}\n")
    assert "session_on needs an id" in faults(
        "  - {id: a, kind: session_on, any: [[{id: tab}], [{text: hello}]]}\n"
    )


@pytest.mark.parametrize(
    ("screen", "fault"),
    [
        ("{id: a, kind: form, all: [{text: nobody}]}", "text key 'nobody' is in no language"),
        ("{id: a, kind: form}", "it would match every screen"),
        ("{id: a, kind: form, all: [{}]}", "an empty condition would match every node"),
        ("{id: a, kind: window, all: [{text: hello}]}", "a kind of human"),
        ("{id: a, kind: form, al: [{text: hello}]}", "unknown key 'al'"),
        ("{id: a, kind: form, all: [{txt: hello}]}", "unknown key 'txt'"),
        ("{id: a, kind: form, all: {text: hello}}", "a list was expected"),
        ("{id: a, kind: form, all: [{regex: '('}]}", "no regular expression"),
        ("{id: a, kind: form, all: [{text: hello, nth: first}]}", "a whole number was expected"),
        ("{id: a, kind: form, all: [{text: hello}], actions: {like: [{text: hello}]}}", "no script asks for"),
        (
            "{id: a, kind: form, all: [{text: hello}], extract: {x: [{text: hello, from: far}]}}",
            "an extract reads",
        ),
    ],
)
def test_a_fault_is_named_with_its_line(screen: str, fault: str) -> None:
    text = faults(f"  - {screen}\n")

    assert fault in text
    assert text.startswith("demo.yaml:8: ")


def test_every_fault_is_told_at_once() -> None:
    text = faults("  - {id: a, kind: form}\n  - {id: a, kind: form}\n")

    assert len(text.splitlines()) == 3  # two that match everything, and one id twice


def test_broken_yaml_is_told_with_its_line() -> None:
    assert faults("  - [\n").startswith("demo.yaml:")


def test_a_word_that_english_lacks_is_refused() -> None:
    head = HEAD.replace("screens:", '  nl:\n    dag: ["Dag"]\nscreens:')

    assert "text key 'dag' is missing in en" in faults(
        "  - {id: a, kind: form, all: [{text: hello}]}\n", head
    )


def test_the_files_of_the_project_are_right() -> None:
    assert set(load()) == {"android", "instagram", "tiktok"}


def test_tiktok_is_recognised_without_its_shuffled_ids() -> None:
    from automation.screens.recognise import patterns_of

    allowed = {"secsdk-captcha-drag-wrapper", None}
    assert {pattern.id for screen in load()["tiktok"].screens for pattern in patterns_of(screen)} <= allowed


ODD: list[object] = [
    None,
    True,
    0,
    -1,
    3.5,
    "",
    "x",
    "*",
    [],
    [1],
    [[]],
    {},
    {"a": 1},
    [{}],
    [[{}]],
    {"text": []},
]


def told_of(data: object) -> list[str]:
    """The faults of what is in a file; none when it can be used."""
    reader = Reader("demo.yaml", {}, {})
    reader.app(data)
    return reader.faults


def places(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """Every place in a file."""
    found = [path] if path else []
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return found + [place for key, held in inside for place in places(held, (*path, key))]


def test_whatever_stands_anywhere_in_a_file_is_read_or_refused_with_lines_and_never_more() -> None:
    """Each value of a file that uses every key replaced by each kind of other value."""
    whole = yaml.safe_load(EVERY_KEY)
    assert load_app(EVERY_KEY, "demo.yaml").screens
    tried = refused = 0
    for place in places(whole):
        for odd in ODD:
            copy = json.loads(json.dumps(whole))
            *way, last = place
            inside = copy
            for key in way:
                inside = inside[key]
            inside[last] = odd
            tried += 1
            told = told_of(copy)
            refused += bool(told)
            assert all(re.match(r"demo\.yaml:\d+: .+", one) for one in told)

    assert tried > 1000
    assert refused > tried / 2


EVERY_KEY = """\
schema: 1
app: demo
packages: [com.demo]
handle: '[a-z]+'
languages: {en: {hello: [Hello]}}
unconfirmed: {nl: {hello: [Hallo]}}
screens:
  - id: demo.one
    kind: form
    priority: 510
    packages: [com.demo]
    alone: false
    evidence: H
    versions: '>=3 <5'
    activity: ['*.Main']
    threshold: 1
    all: [{text: hello, class: Button, clickable: true, weight: 2, count: '>=1', nth: 0}]
    any: [[{contains: hello}], [{regex: 'h.*', within: {id: box}, has: {package: com.demo}}]]
    none: [{handle: any, beside: {password: true}, before: {activity: '*.Other'}}]
    likely: [{id: box*}]
    extract: {name: [{id: name, from: desc, normalise: handle, many: true}]}
    actions: {next: [{text: hello}]}
  - id: demo.two
    kind: error
    all: [{text: hello}]
    outcome: {reason: captcha, result: failed}
"""


def test_a_key_that_stands_twice_is_refused() -> None:
    text = "  - {id: a, kind: form, all: [{text: hello}], all: [{text: hello}]}\n"

    assert faults(text) == "demo.yaml:8: 'all' stands there twice"
    assert "'en' stands there twice" in faults("", HEAD.replace("screens:", "  en: {bye: [Bye]}\nscreens:"))
