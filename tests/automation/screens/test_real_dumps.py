"""A sanity check on dumps of real phones, where somebody has them: PHONERACK_DUMPS names their folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from automation.screens.recognise import recognise

SIBLING = Path(__file__).resolve().parents[4] / "shared/reference/dumps"
FOLDER = Path(os.environ.get("PHONERACK_DUMPS", SIBLING))

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="no real dumps here; set PHONERACK_DUMPS")


@pytest.mark.parametrize(
    ("file", "found"),
    [
        ("instagram/ig410_en_own_profile.xml", "ig.own_profile"),
        ("instagram/ig410_en_account_switcher.xml", "ig.account_switcher"),
        ("tiktok/tt4314_fr_login_phone.partial.xml", "tt.login_phone_tab"),
        ("tiktok/tt4314_fr_own_profile.partial.xml", "tt.own_profile"),
        ("tiktok/tt4703_fr_own_profile.excerpt.xml", "tt.own_profile"),
        ("android/android12_fr_permission_camera.xml", "os.permission"),
        ("tiktok/tt4314_fr_update_prompt.xml", "unreadable"),
        ("android/u2_stuck_single_node.xml", "unreadable"),
    ],
)
def test_a_real_screen_is_recognised(file: str, found: str) -> None:
    verdict = recognise((FOLDER / file).read_text("utf-8"))

    assert (verdict.screen or verdict.status) == found


def test_the_figures_of_a_real_profile_are_read() -> None:
    values = recognise((FOLDER / "tiktok/tt4314_fr_own_profile.partial.xml").read_text("utf-8")).values

    assert (values["following"], values["followers"], values["hearts"]) == ("5", "2", "19")
    assert values["handle"] == "user_1"


def test_the_list_of_accounts_of_a_real_phone_holds_the_account_and_nothing_else() -> None:
    verdict = recognise((FOLDER / "instagram/ig410_en_account_switcher.xml").read_text("utf-8"))

    assert verdict.lists["handles"] == ["user_1"]
