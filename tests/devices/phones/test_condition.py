"""What phones say about themselves, as different Androids write it."""

from __future__ import annotations

import pytest

from devices.phones.condition import read_condition

NOW = 1_800_000_000.0
PIXEL = """@clock
1800000300
@disk
Filesystem       1K-blocks     Used Available Use% Mounted on
/dev/block/dm-49 115249236 63271488  51846676  55% /data
@net
Active default network: 101
@app
Locales for com.instagram.android for user 0 are [fr-FR,en-US]
@phone
de-DE

"""


def test_all_of_it_is_read() -> None:
    found = read_condition(PIXEL, NOW)

    assert found.clock_ahead == pytest.approx(300, abs=1)
    assert (found.free_mb, found.connected, found.language) == (50_631, True, "fr")


def test_an_app_without_a_language_of_its_own_has_that_of_the_phone() -> None:
    assert read_condition(PIXEL.replace("[fr-FR,en-US]", "[]"), NOW).language == "de"


def test_an_older_android_knows_no_languages_of_apps() -> None:
    old = PIXEL.replace("Locales for com.instagram.android for user 0 are [fr-FR,en-US]\n", "")

    assert read_condition(old.replace("\n", "\r\n"), NOW).language == "de"


def test_no_network_is_told_from_no_answer() -> None:
    assert read_condition(PIXEL.replace("network: 101", "network: none"), NOW).connected is False
    assert read_condition(PIXEL.replace("Active default network: 101\n", ""), NOW).connected is None


def test_a_long_name_of_a_device_may_break_the_line() -> None:
    broken = PIXEL.replace(
        "/dev/block/dm-49 115249236", "/dev/block/by-name/userdata-of-some-length\n 115249236"
    )

    assert read_condition(broken, NOW).free_mb == 50_631


def test_a_phone_that_says_nothing_is_not_blamed() -> None:
    found = read_condition("sh: not found", NOW)

    assert (found.clock_ahead, found.free_mb, found.connected, found.language) == (None, None, None, "")
