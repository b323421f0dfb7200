"""Pictures of the screen, drawn from the tree of nodes so that a person recognises the form."""

from __future__ import annotations

import functools
import io
import unicodedata
from typing import TYPE_CHECKING

from devices.simulator.device import SimulatedPhone
from devices.simulator.ui import HEIGHT, WIDTH, Node

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

INK, GREY, LINE, PAPER, BLUE, RED = "#1b1b1f", "#75757d", "#c9c9d1", "#ffffff", "#2b6fdb", "#c4314b"
FILLS = {
    "primary": BLUE, "plain": "#eceef2", "field": PAPER, "empty": PAPER, "card": PAPER, "dim": "#1b1b1f99",
    "avatar": "#cfd8e6", "icon": "#dfe3ea", "picture": "#e4e7ee", "logo": "#f3f4f8", "black": "#101014",
    "status": "#2a2b31", "bar": "#f6f6f9", "wallpaper": "#41536e", "keyboard": "#d6d9e0", "key": PAPER,
    "slider": "#dfe3ea", "row": "#f6f6f9", "radio": PAPER, "chevron": LINE, "tick": BLUE, "handle": LINE,
    "spinner": "#dfe3ea", "battery": "#7fc28a", "check": PAPER,
}  # fmt: skip
INKS = {
    "primary": PAPER, "empty": GREY, "small": GREY, "error": RED, "link": BLUE, "light": PAPER,
    "status_text": PAPER, "tab_label": GREY,
}  # fmt: skip
SIZES = {"title": 52, "small": 32, "strong": 46, "status_text": 30, "tab_label": 28, "key": 40}
SIGNS = {"back": "<", "home_button": "O"}
OUTLINED = ("field", "empty", "radio", "check")
ROUND = ("avatar", "spinner", "radio")
CENTERED = ("primary", "plain", "link", "icon", "key", "tab", "tab_label", "row", "light", "logo", *SIGNS)
#: looks whose description is drawn when they have no text
SPOKEN = ("key", "logo", "title", "primary")
#: what the font of Pillow has not: it knows ASCII only
SPARE = str.maketrans({"•": "*", "…": "...", "’": "'"})
BEHIND_DIALOG = "#8d8f98"


def plain(text: str) -> str:
    """The text in letters that the font has; `?` for those that it has not."""
    letters = unicodedata.normalize("NFKD", text.translate(SPARE))
    return (
        "".join(one for one in letters if not unicodedata.combining(one)).encode("ascii", "replace").decode()
    )


@functools.cache
def font(size: int) -> FreeTypeFont | ImageFont:
    """The font that comes with Pillow."""
    from PIL import ImageFont as Fonts

    return Fonts.load_default(size)


def picture(phone: SimulatedPhone, kind: str, scale: float = 1, quality: int = 80) -> bytes:
    """The screen as JPEG or PNG; black while it is off."""
    from PIL import Image, ImageDraw

    paper = BEHIND_DIALOG if phone.overlay else PAPER
    image = Image.new("RGB", (WIDTH, HEIGHT), paper if phone.screen_on else "#000000")
    if phone.screen_on:
        brush = ImageDraw.Draw(image, "RGBA")
        for window in reversed(phone.windows()):
            draw(brush, window, "")
    if scale != 1:
        image = image.resize((max(1, round(WIDTH * scale)), max(1, round(HEIGHT * scale))))
    out = io.BytesIO()
    image.save(out, kind, quality=quality) if kind == "JPEG" else image.save(out, kind, compress_level=1)
    return out.getvalue()


def draw(brush: ImageDraw, node: Node, above: str) -> None:
    """A node, then what is in it; `above` is the look of the node around it."""
    if fill := FILLS.get(node.look):
        shape(brush, node, fill)
    if text := drawn_text(node):
        write(brush, node, text, above)
    for child in node.children:
        draw(brush, child, node.look)


def drawn_text(node: Node) -> str:
    """What is to be read on a node."""
    spoken = node.desc if node.look in SPOKEN and not node.children else ""
    return SIGNS.get(node.look) or node.text or spoken


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


def write(brush: ImageDraw, node: Node, text: str, above: str) -> None:
    """The text of a node, line by line around the middle of its box."""
    look = above if node.look == "label" else node.look
    letters = font(SIZES.get(look, 38))
    ink = BLUE if node.selected and look in ("tab", "tab_label") else INKS.get(look, INK)
    centered = look in CENTERED
    left, top, right, bottom = node.box
    x = (left + right) // 2 if centered else left + (80 if look == "radio" else 24)
    lines = wrap(plain(text), letters, right - left - 30)
    height = SIZES.get(look, 38) + 8
    y = (top + bottom) / 2 - height * (len(lines) - 1) / 2
    for number, line in enumerate(lines):
        brush.text((x, y + number * height), line, fill=ink, font=letters, anchor="mm" if centered else "lm")


def wrap(text: str, letters: FreeTypeFont | ImageFont, room: int) -> list[str]:
    """The lines that a text takes in so much room."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and letters.getlength(longer) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
