"""Codes as RFC 6238 has them, for secrets as people paste them."""

from __future__ import annotations

import base64

import pytest
import time_machine

from accounts.totp import Totp, codes

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()


#: Appendix B of RFC 6238, SHA-1, as it stands there: in eight digits.
VECTORS = [
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]


@pytest.mark.parametrize(("moment", "code"), VECTORS)
def test_the_codes_of_the_rfc(moment: int, code: str) -> None:
    assert Totp(RFC_SECRET, digits=8).at(moment) == code
    assert Totp(RFC_SECRET).at(moment) == code[-6:]


@pytest.mark.parametrize(
    "secret",
    [
        "gezd gnbv gy3t qojq gezd gnbv gy3t qojq",
        "GEZD-GNBV-GY3T-QOJQ-GEZD-GNBV-GY3T-QOJQ",
        " gezdgnbvgy3tqojqgezdgnbvgy3tqojq\n",
        "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ======",
    ],
)
def test_a_secret_counts_as_people_paste_it(secret: str) -> None:
    assert Totp(secret).at(59) == "287082"


@pytest.mark.parametrize("secret", ["JBSWY3DP", "JBSWY3DPEE", "JBSWY3DPEE======", "JBSWY3DPEHPK3PXPJA"])
def test_missing_padding_is_added(secret: str) -> None:
    padded = secret.rstrip("=")
    padded += "=" * (-len(padded) % 8)

    assert Totp(secret).byte_secret() == base64.b32decode(padded)


def test_a_secret_of_sixteen_letters_is_good_enough() -> None:
    assert len(Totp("JBSWY3DPEHPK3PXP").at(0)) == 6


def test_codes_begin_one_period_ago_and_reach_beyond_the_end() -> None:
    with time_machine.travel(1_000_000_015, tick=False):
        found = codes(RFC_SECRET, 100)
    assert [start for start, _code in found] == list(range(999_999_960, 1_000_000_116, 30))
