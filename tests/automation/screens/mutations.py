"""What may change in a dump without changing the screen: each takes the XML of a dump and gives another."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from html import escape, unescape

from automation.screens.dump import normalise
from automation.screens.schema import App
from tests.automation.dumps import node

_TEXT = re.compile(r'(?<= )(text|content-desc|hint)="([^"]*)"')
_ID = re.compile(r'resource-id="((?:[\w.]+:id/)?)([^"]*)"')


def every_text(xml: str, change: Callable[[str], str]) -> str:
    """The dump with each text, description and hint changed."""
    return _TEXT.sub(lambda found: f'{found[1]}="{escape(change(unescape(found[2])))}"', xml)


def without_texts(xml: str) -> str:
    return every_text(xml, lambda text: "")


def with_other_ids(xml: str) -> str:
    """Every id shuffled, as a new build does; Android's own keep their names."""

    def renamed(found: re.Match[str]) -> str:
        if found[1].startswith("android:"):
            return found[0]
        return f'resource-id="{found[1]}{"".join(chr(97 + ord(one) % 26) for one in found[2])[::-1]}x"'

    return _ID.sub(renamed, xml)


def with_curly_quotes(xml: str) -> str:
    return every_text(xml, lambda text: text.replace("'", "’").replace("...", "…"))


def right_to_left(xml: str) -> str:
    """Wrapped in direction marks, as texts in a right-to-left layout are."""
    return every_text(xml, lambda text: f"\u202b\u200f{text}\u200f\u202c" if text else "")


def with_odd_spaces(xml: str) -> str:
    return every_text(xml, lambda text: text.replace(" ", "\u00a0\u202f").replace("e", "e\u200b"))


def decomposed_capitals(xml: str) -> str:
    """Letters and accents apart, and in capitals; a handle stays as it is."""
    return every_text(xml, lambda text: unicodedata.normalize("NFD", text.upper() if " " in text else text))


def with_foreign_windows(xml: str) -> str:
    """The keyboard first, the bars of the system after it, and a note of another app over it."""
    keyboard = node("Button", package="com.google.android.inputmethod.latin", text="Log in", clickable=True)
    bars = [node("Button", package="com.android.systemui", desc=text) for text in ("Back", "Home", "Profile")]
    note = node("FrameLayout", node(package="org.chat", text="Incorrect password"), package="org.chat")
    first = xml.index(">", xml.index("<hierarchy")) + 1
    return xml[:first] + keyboard + xml[first:].replace("</hierarchy>", "".join(bars) + note + "</hierarchy>")


def with_many_nodes(xml: str, package: str, count: int = 2000) -> str:
    """A long feed below: rows of boxes with a text that is nobody's."""
    one = "".join(node("LinearLayout", node(package=package, text=f"row {n}", bounds=""), package=package, bounds="")
                  for n in range(count // 2))  # fmt: skip
    return xml.replace("</hierarchy>", node("RecyclerView", one, package=package) + "</hierarchy>")


def in_language(xml: str, app: App, language: str) -> str:
    """The dump with every English phrase that the app's tables have also in `language` put in that language."""
    other = {
        phrase: sorted(app.words[language][key])[0]
        for key, phrases in app.words["en"].items()
        for phrase in phrases
        if key in app.words[language]
    }
    longest = sorted(other, key=len, reverse=True)

    def translated(text: str) -> str:
        plain = normalise(text)
        if plain in other:
            return other[plain]
        found = next((phrase for phrase in longest if " " in phrase and phrase in plain), None)
        return plain.replace(found, other[found]) if found else text

    return every_text(xml, translated)
