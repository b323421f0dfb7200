"""What a run leaves when it does not succeed: picture and dump, without what was typed and whose it is."""

from __future__ import annotations

import base64
import contextlib
import io
import textwrap
from collections.abc import Iterable
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from automation.agent.scrub import HIDDEN, Patch, scrub
from automation.protocol import Ticket
from automation.screens.recognise import recognise
from devices.phones.errors import PhoneError
from devices.phones.phone import Phone

EVIDENCE_SECONDS = 15.0  #: what the last look at a phone may take
WIDTH = 540  #: pixels; enough to read the screen, a third of the bytes
PAINT, INK = "#3f3f46", "#e4e4e7"
LETTER = 16  #: pixels, of what is written in the place of what was there


def secrets_of(ticket: Ticket) -> list[str]:
    """Whatever the ticket holds that no evidence may show."""
    credentials = ticket.credentials
    if credentials is None:
        return []
    return [one for one in (credentials.password, *(str(code) for _start, code in credentials.codes)) if one]


def personal_of(ticket: Ticket) -> list[str]:
    """The handles, names and addresses that the ticket tells of."""
    credentials = ticket.credentials
    own = [credentials.username, credentials.email] if credentials else []
    return [one for one in (*own, *ticket.hide) if one]


def collect(phone: Phone, ticket: Ticket) -> dict[str, Any]:
    """{"dump": XML, "screenshot": base64 JPEG, "app_version"}; what the phone does not give is left out."""
    try:
        seen = phone.dump()
    except PhoneError:
        return {}
    dump, patches = scrub(seen, secrets_of(ticket), personal_of(ticket))
    found = {"dump": dump, "app_version": _version(phone, seen, ticket)}
    with contextlib.suppress(PhoneError):
        if dump:  # else nobody knows what on the picture is to be painted over
            found["screenshot"] = base64.b64encode(paint_over(phone.screenshot(), patches)).decode()
    return found


def _version(phone: Phone, dump: str, ticket: Ticket) -> str:
    """The version of the app in the dump; empty where none can be told."""
    package = recognise(dump, ticket.package, ticket.app).package
    with contextlib.suppress(PhoneError):
        return phone.app_version(package) if package else ""
    return ""


def paint_over(png: bytes, patches: Iterable[Patch]) -> bytes:
    """The picture as a small JPEG, with what stands there now written over what stood there."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    scale = min(1.0, WIDTH / image.width)
    image = image.resize((round(image.width * scale), round(image.height * scale)))
    draw = ImageDraw.Draw(image)
    for patch in patches:
        _patch(draw, patch, scale)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=70)
    return out.getvalue()


def _patch(draw: ImageDraw.ImageDraw, patch: Patch, scale: float) -> None:
    left, top, right, bottom = (round(edge * scale) for edge in patch.box)
    draw.rectangle((left, top, right, bottom), fill=PAINT)
    size = max(8, min(LETTER, bottom - top - 2))
    text = patch.text.replace(HIDDEN, "***")  # the font has no bullets
    lines = textwrap.wrap(text, max(1, (right - left) * 2 // size))[: max(1, (bottom - top) // (size + 2))]
    draw.multiline_text((left + 2, top + 1), "\n".join(lines), fill=INK, font=ImageFont.load_default(size))
