"""Numbers as the apps write them."""

from __future__ import annotations

import pytest

from automation.scripts.counts import parse_count


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("19", 19),
        ("1,234", 1234),
        ("1.234", 1234),
        ("1\u202f234", 1234),
        ("1'234", 1234),
        ("1,234,567", 1_234_567),
        ("1.234.567", 1_234_567),
        ("12.3K", 12_300),
        ("12,3\u00a0k", 12_300),
        ("12K", 12_000),
        ("1.2M", 1_200_000),
        ("1,25 M", 1_250_000),
        ("2 Mio.", 2_000_000),
        ("1.2 万", 12_000),
        ("3亿", 300_000_000),
        ("1.1B", 1_100_000_000),
        ("٣", 3),
        ("12,3 mil", 12_300),
        ("1,2 mi", 1_200_000),
        ("1,2 mln.", 1_200_000),
        ("12.3만", 123_000),
        ("12,3 тыс.", 12_300),
        ("12,3 rb", 12_300),
        ("1,2 jt", 1_200_000),
        ("١٢٫٣ ألف", 12_300),
    ],
)
def test_a_number_is_read(text: str, number: int) -> None:
    assert parse_count(text) == number


def test_a_sign_that_two_languages_use_is_read_in_the_language_of_the_app() -> None:
    assert parse_count("12,3 B", "tr") == 12_300
    assert parse_count("12.3B", "en") == 12_300_000_000
    assert parse_count("1,5N", "vi") == 1500
    assert parse_count("1,5N", "en") is None


@pytest.mark.parametrize("text", ["", "-", "K", "12,3", "1,23,4", "1.2.3K", "1,234K", "12 apples", "1.234,5"])
def test_what_is_no_clear_number_is_not_guessed(text: str) -> None:
    assert parse_count(text) is None
