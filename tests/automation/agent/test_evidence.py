"""What a run leaves: a picture that is readable and names nobody, a dump, the version of the app."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image

from automation.agent.evidence import collect, paint_over, personal_of, secrets_of
from automation.agent.scrub import Patch
from automation.protocol import Ticket
from devices.phones.errors import PhoneHung
from tests.automation.dumps import dump, node

ACCOUNT = {"username": "ann", "email": "ann@example.org", "password": "p", "codes": [[0, "123456"]]}
TICKET = Ticket(1, 1, "h", "login", "S", app="instagram", account=ACCOUNT, hide=["Ann B"])


def picture(width: int = 200, height: int = 100) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(out, "PNG")
    return out.getvalue()


class Phone:
    """A phone that shows one screen."""

    def __init__(self, xml: str, trouble: tuple[str, ...] = ()) -> None:
        self.xml, self.trouble = xml, trouble

    def dump(self) -> str:
        return self._or_trouble("dump", self.xml)

    def screenshot(self) -> bytes:
        return self._or_trouble("screenshot", picture())

    def app_version(self, package: str) -> str:
        return self._or_trouble("version", f"412.0 of {package}")

    def _or_trouble(self, what, value):
        if what in self.trouble:
            raise PhoneHung
        return value


def test_codes_and_passwords_are_secrets_and_names_are_personal() -> None:
    assert secrets_of(TICKET) == ["p", "123456"]
    assert personal_of(TICKET) == ["ann", "ann@example.org", "Ann B"]


def test_the_place_of_a_name_is_painted_over_also_on_a_picture_that_is_made_smaller() -> None:
    seen = Image.open(io.BytesIO(paint_over(picture(1080, 600), [Patch((100, 200, 900, 400), "user_1")])))
    assert seen.size == (540, 300)
    assert sum(seen.getpixel((300, 170))) < 300
    assert sum(seen.getpixel((520, 20))) > 700


@pytest.mark.parametrize("box", [(0, 0, 1, 1), (-50, -50, 5000, 5000), (150, 90, 260, 140)])
def test_a_place_of_any_size_can_be_painted_over(box) -> None:
    assert paint_over(picture(), [Patch(box, "a long text that fits nowhere at all 漢字")])


def test_dump_picture_and_version_belong_together() -> None:
    found = collect(Phone(dump(node(text="ann"), node(text="Ann B"), node(text="Log in"))), TICKET)
    assert "ann" not in found["dump"].lower().replace("android", "")
    assert found["app_version"] == "412.0 of com.instagram.android"
    assert Image.open(io.BytesIO(base64.b64decode(found["screenshot"]))).format == "JPEG"


@pytest.mark.parametrize(
    ("trouble", "left"),
    [
        (("dump",), set()),
        (("screenshot",), {"dump", "app_version"}),
        (("version",), {"dump", "app_version", "screenshot"}),
    ],
)
def test_what_the_phone_does_not_give_is_left_out(trouble, left) -> None:
    assert set(collect(Phone(dump(node(text="x")), trouble), TICKET)) == left


def test_without_a_readable_dump_there_is_no_picture_for_nobody_knows_what_is_on_it() -> None:
    assert "screenshot" not in collect(Phone("<hierarchy"), TICKET)
