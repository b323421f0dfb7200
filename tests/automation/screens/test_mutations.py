"""A screen stays the same screen when what does not matter about it changes, and never becomes another one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from automation.screens import pattern
from automation.screens.dump import normalise, parse
from automation.screens.recognise import UNREADABLE, recognise
from automation.screens.schema import load
from automation.screens.written import FIXTURES
from tests.automation.dumps import IG, TT, drawn, dump, node
from tests.automation.screens import mutations

Change = Callable[[str], str]

OF_TEXT = [
    mutations.with_curly_quotes, mutations.right_to_left, mutations.with_odd_spaces,
    mutations.decomposed_capitals, mutations.with_foreign_windows,
]  # fmt: skip
SIGNED_IN = [("instagram", one) for one in ("home", "own_profile", "account_switcher")]
BY_ID = "tt.captcha 2"  #: a fixture that has nothing but an id
#: Where no word of a language tells by what way a code was sent, it is a code all the same.
LESS_SAID = (("tt.verify_sms", "tt.verify_code"),)


@pytest.mark.parametrize("change", OF_TEXT)
@pytest.mark.parametrize(("name", "screen", "xml"), FIXTURES, ids=[name for name, _, _ in FIXTURES])
def test_how_a_text_is_written_does_not_matter(name: str, screen: str, xml: str, change: Change) -> None:
    assert recognise(change(xml)).screen == screen


@pytest.mark.parametrize(
    ("name", "screen", "xml"), [one for one in FIXTURES if one[1].startswith("tt.") and one[0] != BY_ID]
)
def test_tiktok_is_recognised_whatever_its_ids_are(name: str, screen: str, xml: str) -> None:
    renamed = mutations.with_other_ids(xml)

    assert recognise(renamed).screen == screen


@pytest.mark.parametrize("version", ["22.5.3", "43.1.4", "47.0.3"])
def test_a_whole_tiktok_profile_gives_the_same_values_with_other_ids(version: str) -> None:
    xml = drawn("tiktok", "own_profile", version=version)

    assert recognise(mutations.with_other_ids(xml)).values == recognise(xml).values


@pytest.mark.parametrize(("app", "screen"), SIGNED_IN)
def test_signed_in_instagram_is_recognised_without_a_single_text(app: str, screen: str) -> None:
    xml = mutations.without_texts(drawn(app, screen))

    assert recognise(xml, IG).screen == f"ig.{screen}"


@pytest.mark.parametrize("language", ["fr", "nl", "de", "es", "pt", "zh", "pl"])
def test_in_another_language_a_screen_is_itself_or_unknown_and_never_another(language: str) -> None:
    apps = {"ig.": load()["instagram"], "tt.": load()["tiktok"]}
    found = []
    for name, screen, xml in FIXTURES:
        app = apps.get(screen[:3])
        if app is not None and language in app.words:
            found.append((name, screen, recognise(mutations.in_language(xml, app, language)).screen))

    wrong = [one for one in found if one[2] not in (one[1], "") and one[1:] not in LESS_SAID]
    assert wrong == []


@pytest.mark.parametrize("language", ["fr", "nl", "de", "es", "pt"])
@pytest.mark.parametrize(
    "screen", ["ig.landing 1", "ig.login_form 0", "ig.login_password_only 0", "ig.own_profile 0"]
)
def test_the_way_in_is_known_in_every_language_of_the_catalogue(screen: str, language: str) -> None:
    xml = next(xml for name, _, xml in FIXTURES if name == screen)
    verdict = recognise(mutations.in_language(xml, load()["instagram"], language))

    assert verdict.screen == screen.split()[0]


@pytest.mark.parametrize(("name", "screen", "xml"), FIXTURES[::4], ids=[name for name, _, _ in FIXTURES[::4]])
def test_a_dump_that_was_cut_off_is_unreadable_wherever_the_cut_is(name: str, screen: str, xml: str) -> None:
    for end in range(0, len(xml) - 1, max(1, len(xml) // 40)):
        verdict = recognise(xml[:end])
        assert (verdict.status, verdict.screen) == (UNREADABLE, "")
        assert verdict.why in ("cut_off", "empty")


def test_two_thousand_nodes_around_it_do_not_hide_a_profile() -> None:
    for app, package in (("instagram", IG), ("tiktok", TT)):
        xml = drawn(app, "own_profile")
        long = mutations.with_many_nodes(xml, package)

        assert len(parse(long).nodes) > 2000
        assert recognise(long).screen == recognise(xml).screen
        assert recognise(long).values == recognise(xml).values


def test_two_thousand_nodes_in_one_another_are_read() -> None:
    xml = "".join(node().removesuffix("</node>") for _ in range(2000)) + "</node>" * 2000

    assert recognise(dump(xml, node("Button", text="I already have an account"))).screen == "ig.landing"


def test_each_node_is_looked_at_a_few_times_only_however_many_screens_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What makes it fast is counted, not timed: texts are put in their plain form once, conditions ask an index."""
    looks = 0
    holds = pattern.Pattern.holds

    def counted(*arguments: object) -> bool:
        nonlocal looks
        looks += 1
        return holds(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(pattern.Pattern, "holds", counted)
    xml = mutations.with_many_nodes(drawn("instagram", "own_profile"), IG)
    normalise.cache_clear()
    recognise(xml)
    nodes = parse(xml).nodes

    assert looks < 2 * len(nodes)
    assert normalise.cache_info().misses <= len(nodes)
