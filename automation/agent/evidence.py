"""What a run leaves when it does not succeed: picture and dump, without what was typed in secret."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterable
from typing import Any

from lxml import etree
from PIL import Image, ImageDraw

from automation.protocol import Ticket
from devices.phones.errors import PhoneError
from devices.phones.phone import Phone

EVIDENCE_SECONDS = 15.0  #: what the last look at a phone may take
HIDDEN = "•••"
WIDTH = 540  #: pixels; enough to read the screen, a third of the bytes


def secrets_of(ticket: Ticket) -> list[str]:
    """Whatever the ticket holds that no evidence may show, longest first."""
    credentials = ticket.credentials
    if credentials is None:
        return []
    found = {credentials.password, *(str(code) for _start, code in credentials.codes)}
    return sorted((secret for secret in found if secret), key=len, reverse=True)


def collect(phone: Phone, ticket: Ticket) -> dict[str, Any]:
    """{"dump": XML, "screenshot": base64 JPEG}; what the phone does not give is left out."""
    try:
        dump, boxes = scrub(phone.dump(), secrets_of(ticket))
    except PhoneError:
        return {}
    try:
        picture = paint_over(phone.screenshot(), boxes)
    except PhoneError:
        return {"dump": dump}
    return {"dump": dump, "screenshot": base64.b64encode(picture).decode()}


def scrub(dump: str, secrets: Iterable[str]) -> tuple[str, list[tuple[int, int, int, int]]]:
    """The dump without the secrets, and the boxes on the screen where one stood."""
    try:
        root = etree.fromstring(dump.encode(), etree.XMLParser(resolve_entities=False))
    except etree.XMLSyntaxError:
        return "", []
    boxes = []
    for node in root.iter():
        if any(_mask(node, secret) for secret in secrets):
            boxes.append(_bounds(node.get("bounds", "")))
    return etree.tostring(root, encoding="unicode"), [box for box in boxes if box]


def _mask(node: Any, secret: str) -> bool:
    held = [name for name, value in node.attrib.items() if secret in value]
    for name in held:
        node.set(name, node.get(name).replace(secret, HIDDEN))
    return bool(held)


def _bounds(text: str) -> tuple[int, int, int, int] | tuple[()]:
    numbers = [int(number) for number in re.findall(r"-?\d+", text)]
    return (numbers[0], numbers[1], numbers[2], numbers[3]) if len(numbers) == 4 else ()


def paint_over(png: bytes, boxes: Iterable[tuple[int, int, int, int]]) -> bytes:
    """The picture as a small JPEG with the boxes blacked out."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    draw = ImageDraw.Draw(image)
    for box in boxes:
        draw.rectangle(box, fill="black")
    image.thumbnail((WIDTH, WIDTH * 3))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=70)
    return out.getvalue()
