"""A screen dump as nodes that can be searched: uiautomator's XML in, a Dump out."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

_INVISIBLE = (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF, 0xAD)
#: Curly apostrophes and the ellipsis made plain; zero-width and direction marks taken out.
_PLAIN = dict.fromkeys(_INVISIBLE) | {ord("’"): "'", ord("‘"): "'", ord("ʼ"): "'", ord("…"): "..."}
_BOUNDS = re.compile(r"\[(-?\d+),(-?\d+)\]\[(-?\d+),(-?\d+)\]")
_REFERENCE = re.compile(r"&#(?:x([0-9a-fA-F]+)|(\d+));")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

#: Windows of the system that lie around every app: never evidence about an app.
SYSTEM_UI = "com.android.systemui"


class Unreadable(Exception):
    """The dump cannot be used as evidence; the message says why."""


def normalise(text: str) -> str:
    """The text in the one form in which texts are compared."""
    plain = unicodedata.normalize("NFC", text).translate(_PLAIN)
    return " ".join(plain.split()).casefold().rstrip(",").rstrip()


@dataclass(slots=True)
class Node:
    """One node of a dump; texts raw, `words` normalised."""

    index: int
    parent: Node | None
    package: str
    id: str  #: what follows the slash of the resource-id
    cls: str  #: the class without its packages: `Button`
    text: str
    desc: str
    hint: str
    flags: frozenset[str]  #: of clickable, enabled, password, selected, checked, focused, ...
    bounds: tuple[int, int, int, int]
    words: tuple[str, ...] = ()
    children: list[Node] = field(default_factory=list, repr=False)

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


@dataclass(slots=True)
class Dump:
    """The nodes of a dump, or of some packages in it, with an index by id and by word."""

    nodes: list[Node]
    by_id: dict[str, list[Node]] = field(default_factory=lambda: defaultdict(list))
    by_word: dict[str, list[Node]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for node in self.nodes:
            if node.id:
                self.by_id[node.id].append(node)
            for word in node.words:
                self.by_word[word].append(node)

    @property
    def packages(self) -> set[str]:
        """Every package that has a node."""
        return {node.package for node in self.nodes}

    def of(self, packages: set[str]) -> Dump:
        """The part of the dump that belongs to these packages."""
        return Dump([node for node in self.nodes if node.package in packages])

    @property
    def has_words(self) -> bool:
        """Whether any node says anything."""
        return bool(self.by_word)

    def fingerprint(self) -> str:
        """A hash that changes when the screen does; it tells nothing of what is on it."""
        seen = hashlib.sha256()
        for node in self.nodes:
            what = (node.id, node.cls, node.text, node.desc, sorted(node.flags), node.bounds)
            seen.update(repr(what).encode("utf-8", "replace"))
        return seen.hexdigest()[:16]


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
        paths[node.index] = f"{above}/{node.cls}#{node.id}" + ("*" if "password" in node.flags else "")
    seen = hashlib.sha256("\n".join(sorted(set(paths.values()))).encode("utf-8", "replace"))
    return seen.hexdigest()[:16] if paths else ""


def _without_surroundings(nodes: list[Node]) -> list[Node]:
    return [node for node in nodes if node.package != SYSTEM_UI and "inputmethod" not in node.package]


def parse(xml: str) -> Dump:
    """The dump as nodes. Raises Unreadable when it is cut off, empty or no XML."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    try:
        root = etree.fromstring(_cleaned(xml).encode("utf-8"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Unreadable("the dump is cut off or no XML") from error
    nodes: list[Node] = []
    for child in root:
        _walk(child, None, nodes)
    return Dump(nodes)


def _walk(element: etree._Element, parent: Node | None, nodes: list[Node]) -> None:
    node = _node(element, parent, len(nodes))
    nodes.append(node)
    if parent is not None:
        parent.children.append(node)
    for child in element:
        _walk(child, node, nodes)


def _node(element: etree._Element, parent: Node | None, index: int) -> Node:
    get = element.get
    text, desc, hint = get("text", ""), get("content-desc", ""), get("hint", "")
    bounds = _BOUNDS.match(get("bounds", ""))
    return Node(
        index=index,
        parent=parent,
        package=get("package", ""),
        id=get("resource-id", "").rpartition("/")[2],
        cls=get("class", "").rpartition(".")[2],
        text=text,
        desc=desc,
        hint=hint,
        flags=frozenset(name for name in _FLAGS if get(name) == "true"),
        bounds=tuple(int(one) for one in bounds.groups()) if bounds else (0, 0, 0, 0),  # type: ignore[arg-type]
        words=tuple(dict.fromkeys(word for word in map(normalise, (text, desc, hint)) if word)),
    )


_FLAGS = ("checked", "clickable", "enabled", "focused", "password", "scrollable", "selected")


def _cleaned(xml: str) -> str:
    """The XML without the characters that uiautomator writes though XML forbids them."""

    def reference(found: re.Match[str]) -> str:
        code = int(found[1], 16) if found[1] else int(found[2])
        return found[0] if code < 0x110000 and not _FORBIDDEN.match(chr(code)) else ""

    body = xml[xml.find("?>") + 2 :] if xml.lstrip().startswith("<?xml") else xml
    return _FORBIDDEN.sub("", _REFERENCE.sub(reference, body))
