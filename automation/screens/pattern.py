"""A condition on one node of a dump, as the screen files write it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from automation.screens.dump import Dump, Node
from automation.screens.ranges import Range

#: What a condition may say. Everything that is said must hold for the same node.
KEYS = frozenset({
    "id", "text", "contains", "regex", "class", "package", "activity", "handle",
    "clickable", "enabled", "password", "selected", "checked", "focused",
    "within", "has", "beside", "before", "nth", "count", "weight",
})  # fmt: skip
FLAGS = ("clickable", "enabled", "password", "selected", "checked", "focused")
NESTED = ("within", "has", "beside", "before")

Phrases = dict[str, frozenset[str]]  #: text key -> normalised phrases


@dataclass(frozen=True)
class View:
    """A dump as a condition sees it: with the phrases of the languages in use, and what is known beside it."""

    dump: Dump
    phrases: Phrases
    as_handle: Callable[[str], str] = str  #: a text as a handle, empty when it is none
    wanted: str = ""  #: the handle that an action looks for
    activity: str = ""  #: the activity in front, where it is known
    _found: dict[object, list[Node]] = field(default_factory=dict, repr=False)

    def saying(self, key: str) -> list[Node]:
        """The nodes of which a text is one of the key's phrases."""
        found = self._found.get(key)
        if found is None:
            said = self.dump.by_word.keys() & self.phrases.get(key, ())
            found = self._found[key] = self._that_say(said)
        return found

    def holding(self, key: str) -> list[Node]:
        """The nodes in a text of which one of the key's phrases is."""
        found = self._found.get((key, "in"))
        if found is None:
            text = self.dump.said
            said = [phrase for phrase in self.phrases.get(key, ()) if phrase in text]
            words = (
                [word for word in self.dump.by_word if any(phrase in word for phrase in said)] if said else ()
            )
            found = self._found[key, "in"] = self._that_say(words)
        return found

    def shaped(self, regex: re.Pattern[str]) -> list[Node]:
        """The nodes of which a whole text fits."""
        found = self._found.get(regex)
        if found is None:
            words = [word for word in self.dump.by_word if regex.fullmatch(word)]
            found = self._found[regex] = self._that_say(words)
        return found

    def _that_say(self, words: Collection[str]) -> list[Node]:
        """The nodes of which a text is one of the words, in the order of the dump."""
        if not words:
            return []
        found = {node.index: node for word in words for node in self.dump.by_word[word]}
        return [found[index] for index in sorted(found)]


@dataclass(frozen=True)
class Pattern:
    """A condition on one node; what is None does not matter."""

    id: str | None = None  #: the id without its package; `*` at its end for any ending
    text: str | None = None  #: a text key: one of its phrases is the whole text, description or hint
    contains: str | None = None  #: a text key: one of its phrases is in it
    regex: re.Pattern[str] | None = None  #: matches the whole normalised text or description
    cls: str | None = None
    package: str | None = None  #: a glob
    activity: str | None = None  #: a glob for the activity in front; does not hold while that is not known
    handle: str | None = None  #: `wanted`: the handle the action asks for; `any`: whatever is a handle
    flags: tuple[tuple[str, bool], ...] = ()  #: of clickable, enabled, ...: those that matter
    within: Pattern | None = None  #: some node around it
    has: Pattern | None = None  #: some node in it
    beside: Pattern | None = None  #: some node in the same box
    before: Pattern | None = None  #: only the last one before the first that this holds for
    nth: int | None = None  #: only the n-th of those that match, from 0
    count: Range | None = None  #: so many nodes must match
    weight: float = 1.0  #: what it counts for where two screens fit
    written: str = field(default="", compare=False)  #: as the file has it

    @property
    def structural(self) -> bool:
        """Whether it asks for more than words, which anybody may write in a post."""
        return bool(self.id or ("selected", True) in self.flags or (self.regex and self.cls))

    def find(self, view: View) -> list[Node]:
        """The nodes it holds for, in the order of the dump; none when there are not as many as `count` says."""
        if self.activity is not None and not fnmatchcase(view.activity, self.activity):
            return []
        candidates = self._candidates(view)
        found = [node for node in candidates if self.holds(node, view)] if candidates else []
        if self.before is not None:
            first = next((node.index for node in self.before.find(view)), -1)
            found = [node for node in found if node.index < first][-1:]
        if self.count is not None and (len(found),) not in self.count:
            return []
        if self.nth is not None:
            return found[self.nth : self.nth + 1]
        return found

    def _candidates(self, view: View) -> Collection[Node]:
        """The nodes worth a look: by the narrowest index there is."""
        if self.id is not None and not self.id.endswith("*"):
            return view.dump.by_id.get(self.id, ())
        if self.text is not None:
            return view.saying(self.text)
        if self.contains is not None:
            return view.holding(self.contains)
        if self.regex is not None:
            return view.shaped(self.regex)
        if self.cls is not None:
            return view.dump.by_class.get(self.cls, ())
        return view.dump.nodes

    def holds(self, node: Node, view: View) -> bool:
        """Whether the node is as the condition says."""
        return (
            (self.id is None or _id_fits(node.id, self.id))
            and (self.cls is None or node.cls == self.cls)
            and (not self.flags or all(node.has(name) == wish for name, wish in self.flags))
            and (self.package is None or fnmatchcase(node.package, self.package))
            and self._words_fit(node, view)
            and self._handle_fits(node, view)
            and self._surroundings_fit(node, view)
        )

    def _words_fit(self, node: Node, view: View) -> bool:
        if self.text is not None and view.phrases.get(self.text, frozenset()).isdisjoint(node.words):
            return False
        if self.contains is not None:
            phrases = view.phrases.get(self.contains, ())
            if not any(phrase in word for word in node.words for phrase in phrases):
                return False
        return self.regex is None or any(self.regex.fullmatch(word) for word in node.words)

    def _handle_fits(self, node: Node, view: View) -> bool:
        if self.handle is None:
            return True
        found = view.as_handle(node.text) or view.as_handle(node.desc)
        return bool(found) and (self.handle == "any" or found == view.wanted)

    def _surroundings_fit(self, node: Node, view: View) -> bool:
        if self.within and not any(self.within.holds(one, view) for one in node.ancestors()):
            return False
        if self.has and not any(self.has.holds(one, view) for one in node.below()):
            return False
        if self.beside:
            siblings = node.parent.children if node.parent else []
            return any(one is not node and self.beside.holds(one, view) for one in siblings)
        return True

    def said(self, node: Node, view: View) -> Iterator[tuple[str, frozenset[str]]]:
        """Each text key that it asks for, with the phrases of it that the node it holds for, or one around it, says."""
        if self.text is not None:
            yield self.text, view.phrases[self.text].intersection(node.words)
        if self.contains is not None:
            phrases = view.phrases[self.contains]
            yield self.contains, frozenset(one for one in phrases if any(one in word for word in node.words))
        siblings = node.parent.children if node.parent else []
        around = ((self.within, node.ancestors()), (self.has, node.below()), (self.beside, siblings))
        for pattern, nodes in around:
            if pattern is not None and (
                other := next((one for one in nodes if pattern.holds(one, view)), None)
            ):
                yield from pattern.said(other, view)


def _id_fits(found: str, wish: str) -> bool:
    return found.startswith(wish[:-1]) if wish.endswith("*") else found == wish
