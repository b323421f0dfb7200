"""A screen dump as nodes that can be searched: uiautomator's XML in, a Dump out."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from functools import cached_property, lru_cache
from xml.parsers import expat

_INVISIBLE = (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF, 0xAD)
#: Curly apostrophes and quotes and the ellipsis made plain; zero-width and direction marks taken out.
_PLAIN = (
    dict.fromkeys((*_INVISIBLE, 0x61C))
    | dict.fromkeys(map(ord, "’‘ʼ‛´"), "'")
    | dict.fromkeys(map(ord, "“”„"), '"')
    | {ord("…"): "..."}
)
_BOUNDS = re.compile(r"\[(-?\d+),(-?\d+)\]\[(-?\d+),(-?\d+)\]")
_REFERENCE = re.compile(r"&#(?:x([0-9a-fA-F]+)|(\d+));")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_FLAGS = ("checked", "clickable", "enabled", "focused", "password", "scrollable", "selected")

#: Windows of the system that lie around every app: never evidence about an app.
SYSTEM_UI = "com.android.systemui"

EMPTY, CUT_OFF = "empty", "cut_off"  #: why there is nothing to read in a dump


class Unreadable(Exception):
    """The dump cannot be used as evidence; `why` in one word, the message in a sentence."""

    def __init__(self, why: str, message: str) -> None:
        super().__init__(message)
        self.why = why


@lru_cache(maxsize=8192)  # the same texts come back with every look
def normalise(text: str) -> str:
    """The text in the one form in which texts are compared."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).translate(_PLAIN).casefold())
    return " ".join(text.split()).casefold().replace("`", "'").rstrip(",").rstrip()


class Node:
    """One node of a dump; texts raw, `words` normalised."""

    __slots__ = ("attributes", "children", "cls", "id", "index", "package", "parent", "words")

    def __init__(self, index: int, parent: Node | None, attributes: dict[str, str]) -> None:
        get = attributes.get
        self.index, self.parent, self.attributes = index, parent, attributes
        self.package: str = get("package", "")
        self.id: str = get("resource-id", "").rpartition("/")[2]  #: what follows the slash of the resource-id
        self.cls: str = get("class", "").rpartition(".")[2]  #: the class without its packages: `Button`
        self.children: list[Node] = []
        text, desc, hint = get("text"), get("content-desc"), get("hint")
        self.words: tuple[str, ...] = ()
        if text or desc or hint:
            found = [normalise(one) for one in (text, desc, hint) if one]
            self.words = tuple(dict.fromkeys(word for word in found if word))

    @property
    def text(self) -> str:
        """What it says, as it says it."""
        return self.attributes.get("text", "")

    @property
    def desc(self) -> str:
        """Its description for people who do not see it."""
        return self.attributes.get("content-desc", "")

    @property
    def hint(self) -> str:
        """What an empty field asks for."""
        return self.attributes.get("hint", "")

    def has(self, flag: str) -> bool:
        """Whether it is clickable, enabled, password, selected, checked, focused, ..."""
        return self.attributes.get(flag) == "true"

    @property
    def flags(self) -> frozenset[str]:
        """All that it is."""
        return frozenset(name for name in _FLAGS if self.has(name))

    @property
    def bounds(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom, in pixels."""
        found = _BOUNDS.match(self.attributes.get("bounds", ""))
        return (int(found[1]), int(found[2]), int(found[3]), int(found[4])) if found else (0, 0, 0, 0)

    @property
    def center(self) -> tuple[int, int]:
        """The middle of the node, in pixels."""
        left, top, right, bottom = self.bounds
        return (left + right) // 2, (top + bottom) // 2

    @property
    def visible(self) -> bool:
        """Whether the node takes any room on the screen."""
        left, top, right, bottom = self.bounds
        return right > left and bottom > top

    def ancestors(self) -> Iterator[Node]:
        """The nodes around this one, the nearest first."""
        node = self.parent
        while node is not None:
            yield node
            node = node.parent

    def below(self) -> Iterator[Node]:
        """Every node in it, in the order of the dump."""
        waiting = self.children[::-1]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += node.children[::-1]


class Dump:
    """The nodes of a dump, or of some packages in it, with an index by id, by class and by word."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes

    @cached_property
    def by_id(self) -> dict[str, list[Node]]:
        """Nodes by the last part of their id."""
        return _grouped((node.id, node) for node in self.nodes if node.id)

    @cached_property
    def by_class(self) -> dict[str, list[Node]]:
        """Nodes by the last part of their class."""
        return _grouped((node.cls, node) for node in self.nodes)

    @cached_property
    def by_word(self) -> dict[str, list[Node]]:
        """Nodes by each of their normalised texts."""
        return _grouped((word, node) for node in self.nodes for word in node.words)

    @cached_property
    def said(self) -> str:
        """All texts together, to find out quickly that a phrase is in none."""
        return "\n".join(self.by_word)

    @cached_property
    def packages(self) -> frozenset[str]:
        """Every package that has a node."""
        return frozenset(node.package for node in self.nodes)

    def of(self, packages: frozenset[str] | set[str]) -> Dump:
        """The part of the dump that belongs to these packages."""
        return Dump([node for node in self.nodes if node.package in packages])

    @property
    def has_words(self) -> bool:
        """Whether any node says anything."""
        return bool(self.by_word)

    def state(self) -> str:
        """A hash that changes when anything on the screen does; it tells nothing of what is on it."""
        seen = hashlib.sha256()
        for node in self.nodes:
            seen.update("\0".join(node.attributes.values()).encode("utf-8", "replace"))
        return seen.hexdigest()[:16]


def _grouped(pairs: Iterator[tuple[str, Node]]) -> dict[str, list[Node]]:
    found: dict[str, list[Node]] = {}
    for name, node in pairs:
        found.setdefault(name, []).append(node)
    return found


def fingerprint(dump: str | Dump, package: str = "") -> str:
    """A hash of how the screen is built, the same for every account, language, text, size and length of a list.

    Of the nodes of `package` only, else of all but the system's and the keyboard's. Empty when it is unreadable.
    """
    try:
        nodes = (parse(dump) if isinstance(dump, str) else dump).nodes
    except Unreadable:
        return ""
    own = [node for node in nodes if node.package == package] if package else _without_surroundings(nodes)
    paths: dict[int, str] = {}
    for node in own:
        above = paths.get(node.parent.index, "") if node.parent else ""
        paths[node.index] = f"{above}/{node.cls}#{node.id}" + ("*" if node.has("password") else "")
    seen = hashlib.sha256("\n".join(sorted(set(paths.values()))).encode("utf-8", "replace"))
    return seen.hexdigest()[:16] if paths else ""


def _without_surroundings(nodes: list[Node]) -> list[Node]:
    return [node for node in nodes if node.package != SYSTEM_UI and "inputmethod" not in node.package]


def parse(xml: str) -> Dump:
    """The dump as nodes. Raises Unreadable when it is cut off, empty or no XML."""
    try:
        return Dump(_nodes(xml))
    except (expat.ExpatError, UnicodeEncodeError):
        pass
    if not (cleaned := _cleaned(xml)).strip():
        raise Unreadable(EMPTY, "the dump is empty")
    try:
        return Dump(_nodes(cleaned))
    except (expat.ExpatError, UnicodeEncodeError) as error:
        raise Unreadable(CUT_OFF, "the dump is cut off or no XML") from error


def _nodes(xml: str) -> list[Node]:
    """Every element but the root, in the order of the dump."""
    nodes: list[Node] = []
    above: list[Node | None] = []

    def start(_name: str, attributes: dict[str, str]) -> None:
        if not above:
            above.append(None)
            return
        parent = above[-1]
        node = Node(len(nodes), parent, attributes)
        nodes.append(node)
        if parent is not None:
            parent.children.append(node)
        above.append(node)

    def refuse(*_declared: object) -> None:
        raise Unreadable(CUT_OFF, "the dump declares a document type, which no phone does")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.StartDoctypeDeclHandler = start, refuse
    parser.EndElementHandler = lambda _name: above.pop()
    parser.Parse(xml, True)
    return nodes


def _cleaned(xml: str) -> str:
    """The XML without the characters that uiautomator writes though XML forbids them."""

    def reference(found: re.Match[str]) -> str:
        code = int(found[1], 16) if found[1] else int(found[2])
        return found[0] if code < 0x110000 and not _FORBIDDEN.match(chr(code)) else ""

    return _FORBIDDEN.sub("", _REFERENCE.sub(reference, xml)).lstrip("\ufeff \t\r\n")
