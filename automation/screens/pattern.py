"""A condition on one node of a dump, as the screen files write it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from automation.screens.dump import Dump, Node

#: What a condition may say. Everything that is said must hold for the same node.
KEYS = frozenset({
    "id", "text", "contains", "regex", "class", "package", "handle",
    "clickable", "enabled", "password", "selected", "checked", "focused",
    "within", "has", "beside", "before", "nth", "at_least",
})  # fmt: skip
_FLAG_KEYS = ("clickable", "enabled", "password", "selected", "checked", "focused")


@dataclass(frozen=True)
class Vocabulary:
    """The phrases of the languages in use, and the handle that an action asks for."""

    phrases: dict[str, frozenset[str]]  #: text key -> normalised phrases
    as_handle: Callable[[str], str] = str  #: a text as a handle, empty when it is none
    wanted: str = ""  #: the handle an action looks for


@dataclass(frozen=True)
class Pattern:
    """A condition on one node; what is None does not matter."""

    id: str | None = None  #: the id without its package; `*` at its end for any ending
    text: str | None = None  #: a text key: one of its phrases is the whole text, description or hint
    contains: str | None = None  #: a text key: one of its phrases is in it
    regex: re.Pattern[str] | None = None  #: matches the whole normalised text or description
    cls: str | None = None
    package: str | None = None  #: a glob
    handle: str | None = None  #: `wanted`: the handle the action asks for; `any`: whatever is a handle
    clickable: bool | None = None
    enabled: bool | None = None
    password: bool | None = None
    selected: bool | None = None
    checked: bool | None = None
    focused: bool | None = None
    within: Pattern | None = field(default=None)  #: some node around it
    has: Pattern | None = field(default=None)  #: some node in it
    beside: Pattern | None = field(default=None)  #: some node in the same box
    before: Pattern | None = field(default=None)  #: only the last one before the first that this holds for
    nth: int | None = None  #: only the n-th of those that match, from 0
    at_least: int = 1  #: so many nodes must match

    @property
    def structural(self) -> bool:
        """Whether it asks for more than words, which anybody may write in a post."""
        return bool(self.id or self.selected or self.regex)

    def find(self, dump: Dump, words: Vocabulary) -> list[Node]:
        """The nodes it holds for, in the order of the dump; none when there are fewer than `at_least`."""
        found = [node for node in self._candidates(dump, words) if self.holds(node, words)]
        if self.before is not None:
            first = next((node.index for node in self.before.find(dump, words)), -1)
            found = [node for node in found if node.index < first][-1:]
        if len(found) < self.at_least:
            return []
        if self.nth is not None:
            return found[self.nth : self.nth + 1]
        return found

    def _candidates(self, dump: Dump, words: Vocabulary) -> Iterable[Node]:
        """The nodes worth a look: by the narrowest index there is."""
        if self.id and not self.id.endswith("*"):
            return dump.by_id.get(self.id, ())
        if self.text:
            phrases = words.phrases.get(self.text, frozenset())
            found = {node.index: node for one in phrases for node in dump.by_word.get(one, ())}
            return [found[index] for index in sorted(found)]
        return dump.nodes

    def holds(self, node: Node, words: Vocabulary) -> bool:
        """Whether the node is as the condition says."""
        return (
            (self.id is None or _id_fits(node.id, self.id))
            and (self.cls is None or node.cls == self.cls)
            and (self.package is None or fnmatchcase(node.package, self.package))
            and self._flags_fit(node)
            and self._words_fit(node, words)
            and self._handle_fits(node, words)
            and self._surroundings_fit(node, words)
        )

    def _flags_fit(self, node: Node) -> bool:
        stated = ((name, getattr(self, name)) for name in _FLAG_KEYS)
        return all(wish is None or (name in node.flags) == wish for name, wish in stated)

    def _words_fit(self, node: Node, words: Vocabulary) -> bool:
        if self.text is not None and not words.phrases.get(self.text, frozenset()).intersection(node.words):
            return False
        if self.contains is not None:
            phrases = words.phrases.get(self.contains, frozenset())
            if not any(phrase in word for word in node.words for phrase in phrases):
                return False
        return self.regex is None or any(self.regex.fullmatch(word) for word in node.words)

    def _handle_fits(self, node: Node, words: Vocabulary) -> bool:
        if self.handle is None:
            return True
        found = words.as_handle(node.text) or words.as_handle(node.desc)
        return (
            bool(found)
            and self.handle in ("any", "wanted")
            and (self.handle == "any" or found == words.wanted)
        )

    def _surroundings_fit(self, node: Node, words: Vocabulary) -> bool:
        if self.within and not any(self.within.holds(one, words) for one in node.ancestors()):
            return False
        if self.has and not any(self.has.holds(one, words) for one in below(node)):
            return False
        if self.beside:
            siblings = node.parent.children if node.parent else []
            return any(one is not node and self.beside.holds(one, words) for one in siblings)
        return True


def _id_fits(found: str, wish: str) -> bool:
    return found.startswith(wish[:-1]) if wish.endswith("*") else found == wish


def below(node: Node) -> Iterable[Node]:
    """Every node in it, in the order of the dump."""
    for child in node.children:
        yield child
        yield from below(child)
