"""How a screen is built, without what is on it: two phones that stopped at the same screen have the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from automation.screens.dump import SYSTEM_UI, Dump, Node, Unreadable, parse
from automation.screens.recognise import recognise


@dataclass(frozen=True)
class Structure:
    """Whose screen it is, and a hash of how it is built."""

    fingerprint: str
    package: str  #: of the app in front


def structure(xml: str, package: str = "") -> Structure | None:
    """The structure of the app's part of a dump; of all windows but the system's where the app shows nothing.

    Ids, classes and their nesting count. Texts and places do not, nor how many rows of the same kind a list has:
    so it is the same in every language, for every account and on every size of screen.
    """
    try:
        dump = parse(xml)
    except Unreadable:
        return None
    front = package or recognise(xml).package or _front(dump)
    tops = [node for node in dump.nodes if node.parent is None and node.package == front]
    if not tops:
        return None
    return Structure(hashlib.sha256(repr(_shapes(tops)).encode()).hexdigest()[:16], front)


def _front(dump: Dump) -> str:
    """The package with the most nodes, the system's left out."""
    counts: dict[str, int] = {}
    for node in dump.nodes:
        if node.package != SYSTEM_UI:
            counts[node.package] = counts.get(node.package, 0) + 1
    return max(counts, key=lambda one: counts[one], default="")


def _shapes(nodes: Iterable[Node]) -> tuple[object, ...]:
    """One shape for each run of nodes that are built alike."""
    found: list[object] = []
    for node in nodes:
        shape = (node.cls, node.id, _shapes(node.children))
        if not found or found[-1] != shape:
            found.append(shape)
    return tuple(found)
