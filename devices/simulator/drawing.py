"""Pictures of the screen, drawn from the tree of nodes so that a person recognises the form."""

from __future__ import annotations

import functools
import io
from typing import TYPE_CHECKING

from devices.simulator.device import SimulatedPhone
from devices.simulator.ui import HEIGHT, WIDTH, Box, Node

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

INK, GREY, LINE, PAPER, BLUE, RED = "#1b1b1f", "#75757d", "#c9c9d1", "#ffffff", "#2b6fdb", "#c4314b"
FILLS = {
    "primary": BLUE, "plain": "#eceef2", "field": PAPER, "empty": PAPER, "card": PAPER, "dim": "#b9bac2",
    "avatar": "#cfd8e6", "icon": "#dfe3ea", "picture": "#e4e7ee", "logo": "#f3f4f8", "black": "#101014",
    "status": "#2a2b31", "bar": "#f6f6f9", "wallpaper": "#41536e", "keyboard": "#d6d9e0", "key": PAPER,
    "slider": "#dfe3ea", "row": "#f6f6f9", "radio": PAPER, "chevron": LINE, "tick": BLUE, "handle": LINE,
    "spinner": "#dfe3ea", "battery": "#7fc28a", "check": PAPER, "back": "#dfe3ea",
}  # fmt: skip
INKS = {
    "primary": PAPER, "empty": GREY, "small": GREY, "error": RED, "link": BLUE, "light": PAPER,
    "status_text": PAPER, "tab_label": GREY,
}  # fmt: skip
SIZES = {"title": 52, "small": 32, "strong": 46, "status_text": 30, "tab_label": 28, "key": 40}
OUTLINED = ("field", "empty", "radio", "check")
ROUND = ("avatar", "spinner", "radio")
CENTERED = ("primary", "plain", "link", "icon", "key", "tab_label", "label", "tab", "light")
#: bullets and other signs that the font of Pillow has not
SPARE = str.maketrans({"•": "*", "…": "...", "’": "'", "\u202f": " ", "\u00a0": " "})


@functools.cache
def font(size: int) -> FreeTypeFont | ImageFont:
    """The font that comes with Pillow."""
    from PIL import ImageFont as Fonts

    return Fonts.load_default(size)


def picture(phone: SimulatedPhone, kind: str, scale: float = 1, quality: int = 80) -> bytes:
    """The screen as JPEG or PNG; black while it is off."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER if phone.screen_on else "#000000")
    if phone.screen_on:
        brush = ImageDraw.Draw(image)
        for window in reversed(phone.windows()):
            draw(brush, window, "")
    if scale != 1:
        image = image.resize((max(1, round(WIDTH * scale)), max(1, round(HEIGHT * scale))))
    out = io.BytesIO()
    image.save(out, kind, quality=quality) if kind == "JPEG" else image.save(out, kind, compress_level=1)
    return out.getvalue()


def draw(brush: ImageDraw, node: Node, above: str) -> None:
    """A node, then what is in it."""
    fill = FILLS.get(node.look)
    if fill and node.look != "label":
        shape(brush, node, fill)
    if node.text or (node.look in ("key", "tab", "back", "back", "home_button") and node.desc):
        write(brush, node, above)
    for child in node.children:
        draw(brush, child, node.look)


def shape(brush: ImageDraw, node: Node, fill: str) -> None:
    """The box or disc of a node."""
    left, top, right, bottom = node.box
    if right - left < 2 or bottom - top < 2:
        return
    if node.kind in ("Check", "Radio"):
        small = (left, top + 8, left + 44, top + 52)
        brush.rounded_rectangle(
            small, 22 if node.kind == "Radio" else 6, BLUE if node.checked else PAPER, GREY, 4
        )
        return
    outline = (BLUE if node.focused else LINE) if node.look in OUTLINED else None
    radius = min(right - left, bottom - top) // 2 if node.look in ROUND else 18
    faded = LINE if node.look == "primary" and not node.enabled else fill
    flat = node.look in ("dim", "black", "status", "bar", "wallpaper", "keyboard")
    brush.rounded_rectangle((left, top, right - 1, bottom - 1), 0 if flat else radius, faded, outline, 4)


def write(brush: ImageDraw, node: Node, above: str) -> None:
    """The text of a node, in its box."""
    look = above if node.look == "label" else node.look
    letters = font(SIZES.get(look, 38))
    text = (node.text or node.desc).translate(SPARE)
    ink = BLUE if node.selected and look in ("tab", "tab_label") else INKS.get(look, INK)
    for number, line in enumerate(wrap(text, letters, node.box)):
        height = 54 if look == "title" else 46
        put(brush, line, letters, node.box, number * height, look in CENTERED or node.look in CENTERED, ink)


def put(
    brush: ImageDraw,
    line: str,
    letters: FreeTypeFont | ImageFont,
    box: Box,
    down: int,
    centered: bool,
    ink: str,
) -> None:
    """One line of text, in the middle or at the left of a box."""
    left, top, right, bottom = box
    single = bottom - top <= 180
    y = (top + bottom) // 2 + down if single and not down else top + 30 + down
    x = (left + right) // 2 if centered else left + 24
    brush.text((x, y), line, fill=ink, font=letters, anchor="mm" if centered else "lm")


def wrap(text: str, letters: FreeTypeFont | ImageFont, box: Box) -> list[str]:
    """The lines that a text takes in a box."""
    room = box[2] - box[0] - 30
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and letters.getlength(longer) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
