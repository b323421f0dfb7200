"""Finding nodes by a UiSelector as uiautomator2 sends it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from devices.simulator.ui import Node

Selector = dict[str, Any]

TEXTS: dict[str, Callable[[Node], str]] = {
    "text": lambda node: node.text,
    "description": lambda node: node.desc,
    "className": lambda node: node.class_name,
    "packageName": lambda node: node.package,
    "resourceId": lambda node: node.id,
}
FLAGS: dict[str, Callable[[Node], bool]] = {
    "checkable": lambda node: node.can_check,
    "checked": lambda node: node.checked,
    "clickable": lambda node: node.can_click,
    "longClickable": lambda node: False,
    "scrollable": lambda node: node.scrollable,
    "enabled": lambda node: node.enabled,
    "focusable": lambda node: node.can_click,
    "focused": lambda node: node.focused,
    "selected": lambda node: node.selected,
}
TESTS: dict[str, Callable[[str, str], object]] = {
    "": lambda have, want: have == want,
    "Contains": lambda have, want: want.casefold() in have.casefold(),
    "StartsWith": lambda have, want: have.casefold().startswith(want.casefold()),
    "Matches": lambda have, want: re.fullmatch(want, have, re.S),
}


def condition(name: str, value: Any) -> Callable[[Node], object] | None:
    """The test that one field of a selector stands for; None for a field that is no test."""
    if name in FLAGS:
        return lambda node: FLAGS[name](node) == value
    for suffix, test in TESTS.items():
        stem = name.removesuffix(suffix) if suffix else name
        if stem in TEXTS and name == stem + suffix:
            return lambda node: test(TEXTS[stem](node), str(value))
    return None


def fits(node: Node, index: int, selector: Selector) -> bool:
    """Whether a node with this index among its siblings is meant, its instance left aside."""
    for name, value in selector.items():
        if name == "index" and index != value:
            return False
        test = condition(name, value)
        if test and not test(node):
            return False
    return True


def numbered(roots: Iterable[Node]) -> Iterable[tuple[Node, int]]:
    """All nodes with their index among their siblings."""
    for index, node in enumerate(roots):
        yield node, index
        yield from numbered(node.children)


def pick(nodes: list[Node], selector: Selector) -> list[Node]:
    """All of them, or the one that `instance` names."""
    if "instance" not in selector:
        return nodes
    at = int(selector["instance"])
    return nodes[at : at + 1]


def find(roots: list[Node], selector: Selector) -> list[Node]:
    """Every node that the selector means, in the order of a dump."""
    found = pick([node for node, index in numbered(roots) if fits(node, index, selector)], selector)
    steps = zip(selector.get("childOrSibling", []), selector.get("childOrSiblingSelector", []), strict=False)
    for kind, inner in steps:
        around = [parent_children(roots, node) if kind == "sibling" else node.children for node in found]
        inside = [node for nodes in around for node, index in numbered(nodes) if fits(node, index, inner)]
        found = pick(unique(inside), inner)
    return found


def unique(nodes: list[Node]) -> list[Node]:
    """Each node once."""
    return list({id(node): node for node in nodes}.values())


def parent_children(roots: list[Node], wanted: Node) -> list[Node]:
    """The node and its siblings."""
    for root in roots:
        for node in root.walk():
            if any(child is wanted for child in node.children):
                return node.children
    return roots
