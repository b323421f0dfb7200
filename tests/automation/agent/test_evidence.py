"""Evidence shows the screen and none of the secrets that stood on it."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from automation.agent.evidence import paint_over, scrub, secrets_of
from automation.protocol import Ticket

PASSWORD = "p#% '\"<&=+\\ é漢"


def dump(text: str) -> str:
    from xml.sax.saxutils import quoteattr

    return f'<hierarchy><node text={quoteattr(text)} content-desc="Password" bounds="[10,20][110,60]"/></hierarchy>'


def test_a_password_that_an_app_shows_in_clear_is_masked() -> None:
    clean, boxes = scrub(dump(f"x{PASSWORD}y"), [PASSWORD])
    assert 'text="x•••y"' in clean
    assert boxes == [(10, 20, 110, 60)]


def test_its_place_on_the_picture_is_blacked_out() -> None:
    white = io.BytesIO()
    Image.new("RGB", (200, 100), "white").save(white, "PNG")
    picture = Image.open(io.BytesIO(paint_over(white.getvalue(), [(10, 20, 110, 60)])))
    assert sum(picture.getpixel((60, 40))) < 60
    assert sum(picture.getpixel((150, 80))) > 700


def test_a_screen_without_secrets_stays_as_it_is() -> None:
    clean, boxes = scrub(dump("Wrong password"), [PASSWORD])
    assert "Wrong password" in clean
    assert boxes == []


@pytest.mark.parametrize("text", ["", "no xml", "<hierarchy>"])
def test_an_unreadable_dump_leaves_nothing(text: str) -> None:
    assert scrub(text, [PASSWORD]) == ("", [])


def test_codes_are_secrets_too() -> None:
    account = {"username": "ann", "password": "p", "codes": [[0, "123456"]]}
    assert secrets_of(Ticket(1, 1, "h", "login", "S", account=account)) == ["123456", "p"]
