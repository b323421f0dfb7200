"""Codes as RFC 6238 has them, for secrets as people paste them."""

from __future__ import annotations

import base64

import pytest
import time_machine

from accounts.totp import Totp, codes

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
    ],
)
def test_the_codes_of_the_rfc(moment: int, code: str) -> None:
    assert Totp(RFC_SECRET).at(moment) == code


def test_a_secret_of_sixteen_letters_is_good_enough() -> None:
    assert len(Totp("JBSWY3DPEHPK3PXP").at(0)) == 6


def test_codes_begin_one_period_ago_and_reach_beyond_the_end() -> None:
    with time_machine.travel(1_000_000_015, tick=False):
        found = codes(RFC_SECRET, 100)
    assert [start for start, _code in found] == list(range(999_999_960, 1_000_000_116, 30))
