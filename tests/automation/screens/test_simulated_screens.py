"""Each simulated screen is recognised as itself and as no other, in each language."""

from __future__ import annotations

import re

import pytest

from automation.screens.recognise import UNKNOWN, recognise
from tests.automation.dumps import drawn, screens_of

#: Where the simulator's name of a screen is not ours.
NAMES = {
    "instagram": {
        "nux": "ig.nux_notifications",
        "challenge_identity": "ig.captcha",
        "survey": "",
        "challenge_confirm": "ig.challenge_identity",
    },
    "tiktok": {"popups": "tt.terms", "loading": "", "survey": ""},
}
PREFIX = {"instagram": "ig.", "tiktok": "tt."}
EVERY = [(app, screen) for app in NAMES for screen in screens_of(app)]


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(("app", "screen"), EVERY)
def test_every_simulated_screen_is_recognised_as_itself(app: str, screen: str, language: str) -> None:
    verdict = recognise(drawn(app, screen, language))

    assert verdict.screen == NAMES[app].get(screen, PREFIX[app] + screen), verdict.detail


@pytest.mark.parametrize("language", ["nl", "de", "es", "pt"])
@pytest.mark.parametrize(("app", "screen"), EVERY)
def test_a_screen_of_which_half_is_in_english_is_recognised_as_itself(
    app: str, screen: str, language: str
) -> None:
    verdict = recognise(drawn(app, screen, language))

    assert verdict.screen == NAMES[app].get(screen, PREFIX[app] + screen), verdict.detail


def test_a_dialog_over_the_login_form_is_not_taken_for_the_form_in_whatever_language() -> None:
    unknown = drawn("instagram", "rate_limited").replace("Try Again Later", "Spróbuj później")
    unknown = re.sub(r'text="(We limit|Please wait)[^"]*"', 'text="Za dużo"', unknown)

    assert "igds_alert_dialog_headline" in unknown
    assert recognise(unknown).status == UNKNOWN


@pytest.mark.parametrize("version", ["22.5.3", "43.1.4", "47.0.3"])
def test_tiktok_is_read_whatever_its_build_names_the_views(version: str) -> None:
    verdict = recognise(drawn("tiktok", "own_profile", version=version))

    assert verdict.values["handle"] == "alice"
    assert verdict.values["followers"] == "12.3K"


def test_the_landing_page_of_newer_builds_is_recognised() -> None:
    assert recognise(drawn("instagram", "landing", version="431.0.0")).screen == "ig.landing"


def test_a_french_tiktok_profile_gives_the_same_values() -> None:
    values = recognise(drawn("tiktok", "own_profile", "fr")).values

    assert (values["handle"], values["nickname"], values["following"]) == ("alice", "Alice A", "0")


@pytest.mark.parametrize(
    ("app", "sheet"), [("instagram", "account_switcher"), ("tiktok", "switch_account_sheet")]
)
def test_the_list_of_accounts_is_read_in_order_with_the_active_one(app: str, sheet: str) -> None:
    verdict = recognise(drawn(app, sheet))

    assert verdict.lists["handles"] == ["alice", "bob"]
    assert verdict.values["active"] == "alice"


def test_the_signed_in_part_of_instagram_is_recognised_without_any_word() -> None:
    wordless = drawn("instagram", "own_profile")
    for word in ("Edit profile", "Share profile", "Home", "Profile", "alice", "posts", "followers"):
        wordless = wordless.replace(f'"{word}"', '""')

    assert recognise(wordless).screen == "ig.own_profile"


def test_no_screen_of_a_person_offers_anything_to_tap() -> None:
    for app, screen in EVERY:
        verdict = recognise(drawn(app, screen))
        if verdict.kind in ("human", "error"):
            assert verdict.reason
            assert not any(
                verdict.find(action) for action in ("dismiss", "submit", "log_in", "continue", "next")
            )
