"""A person says what an unknown screen is: the screen file that comes of it, in the operator's own folder.

The file has one more way to know a screen that there is, or a small screen of its own. What may be tapped is checked
like every screen file: never on a screen for a person, never by a place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from django.utils import timezone
from django.utils.translation import gettext as _

from automation.screens.definitions import ACTIONS, VERSION, App, Screen
from automation.screens.dump import Dump, Node
from automation.screens.schema import OWN, own_folder

#: Kinds that a screen of one's own may have; the others need what a script asks of them, so they are only extended.
NEW_KINDS = ("popup", "transient", "human", "error")
RESULTS = {"human": "needs_person", "error": "failed"}
PROOF = "shows"  #: the role of a node that tells the screen; every other role is an action
#: What evidence has in the place of what it must not show (agent/scrub.py).
HIDDEN = re.compile(r"\b(?:user|name|mail)_\d+\b|•••|\b0{3,}\b")


EARLIER = "earlier"  #: the folder in the operator's with the labels that others took the place of
HEAD = re.compile(r"# Said by (.+) on (\S+), of the screen ")  #: how the file of a label begins
SCREEN = re.compile(r"^- (?:extends|id): (\S+)$", re.MULTILINE)


class BadLabel(Exception):
    """The label cannot be written down; the message says what to choose instead."""


@dataclass(frozen=True)
class Mark:
    """A node that was pointed at, and what it is for."""

    index: int
    role: str = PROOF
    by_id: bool = True
    by_text: bool = True


@dataclass(frozen=True)
class Label:
    """What somebody says of a screen."""

    fingerprint: str
    app: str
    extends: str = ""  #: id of the screen that it is, or
    kind: str = ""  #: the kind of a new one,
    name: str = ""  #: its name
    reason: str = ""  #: and, of kinds human and error, the reason
    marks: tuple[Mark, ...] = ()

    @property
    def screen(self) -> str:
        """The id that a dump is recognised as."""
        return self.extends or f"own.{re.sub('[^a-z0-9]+', '_', self.name.casefold()).strip('_')}"

    @property
    def file(self) -> str:
        """The name of its file; a new label of the same screen takes its place."""
        return f"label-{self.app}-{self.fingerprint}.yaml"

    @property
    def fixture(self) -> str:
        """The name of the dump that it was made from."""
        return f"{self.app}-{self.fingerprint}.xml"


def text_of(node: Node) -> str:
    """What a node says and may be known by; empty for what evidence hides."""
    said = node.text or node.desc or node.hint
    return "" if HIDDEN.search(said) or len(said) > 120 else said.strip()


def as_yaml(label: Label, dump: Dump, apps: dict[str, App], actor: str) -> str:
    """The screen file. Raises BadLabel."""
    _check(label, apps)
    words: dict[str, list[str]] = {}
    marks = [(mark, _condition(mark, dump, label, words)) for mark in label.marks]
    screen: dict[str, Any] = {"extends": label.extends} if label.extends else _new(label)
    screen["all"] = [condition for mark, condition in marks if mark.role == PROOF]
    actions: dict[str, list[Any]] = {}
    for mark, condition in marks:
        if mark.role != PROOF:
            actions.setdefault(mark.role, []).append(condition)
    if actions:
        screen["actions"] = actions
    data: dict[str, Any] = {"schema": VERSION, "app": label.app}
    if words:
        data["languages"] = {"en": words}
    said = yaml.safe_dump({**data, "screens": [screen]}, sort_keys=False, allow_unicode=True, width=110)
    return f"# Said by {actor} on {timezone.localdate()}, of the screen {label.fingerprint}.\n{said}"


def _new(label: Label) -> dict[str, Any]:
    found: dict[str, Any] = {"id": label.screen, "kind": label.kind}
    if label.kind in RESULTS:
        found["outcome"] = {"reason": label.reason, "result": RESULTS[label.kind]}
    return found


def _check(label: Label, apps: dict[str, App]) -> None:
    app = apps.get(label.app)
    if app is None:
        raise BadLabel(_("There is no screen file of this app: write one by hand first."))
    if not label.extends and (label.kind not in NEW_KINDS or label.screen == "own."):
        raise BadLabel(_("Choose the screen that it is, or a kind and a name for a new one."))
    if label.kind in RESULTS and not label.reason:
        raise BadLabel(_("Choose the reason that a run ends with there."))
    if not any(mark.role == PROOF for mark in label.marks):
        raise BadLabel(_("Point at what tells this screen from others: at least one node."))
    _check_actions(label, _screen(app, label.extends))


def _check_actions(label: Label, known: Screen | None) -> None:
    wanted = {mark.role for mark in label.marks} - {PROOF}
    has = set(known.actions) if known else {"dismiss"} if label.kind == "popup" else set()
    if wanted - has or wanted - ACTIONS:
        said = {"screen": label.screen, "actions": ", ".join(sorted(has)) or _("nothing")}
        raise BadLabel(_("On %(screen)s may be tapped: %(actions)s.") % said)
    if label.kind == "popup" and "dismiss" not in wanted:
        raise BadLabel(_("Point at the harmless button that closes it: “dismiss”."))


def _screen(app: App, name: str) -> Screen | None:
    found = next((screen for screen in app.screens if screen.id == name), None)
    if name and found is None:
        raise BadLabel(_("There is no screen %(name)s.") % {"name": name})
    return found


def _condition(mark: Mark, dump: Dump, label: Label, words: dict[str, list[str]]) -> dict[str, Any]:
    """What a screen file says of the node; its words go into the table of words."""
    if not 0 <= mark.index < len(dump.nodes):
        raise BadLabel(_("The picture has changed meanwhile: choose again."))
    node = dump.nodes[mark.index]
    found: dict[str, Any] = {}
    if mark.by_id and node.id:
        found["id"] = node.id
    if mark.by_text and text_of(node):
        key = f"own_{label.fingerprint[:8]}_{mark.index}"
        words[key] = [text_of(node)]
        found["text"] = key
    if not found:
        raise BadLabel(_("A node without an id and without words of its own tells nothing: choose another."))
    return {**found, "class": node.cls} if node.cls else found


# The folder


def folder() -> Path:
    """The operator's own folder, made if it is not there. Raises BadLabel when there is to be none."""
    own = own_folder()
    if own is None:
        raise BadLabel(
            _("%(name)s names no folder: set it, so that there is a place to write to.") % {"name": OWN}
        )
    (own / "fixtures").mkdir(parents=True, exist_ok=True)
    return own


def write(label: Label, text: str, dump: str) -> Path:
    """Put the file and, beside it, the dump that it was made from as a fixture; returns the file.

    The label of the same screen that it takes the place of is kept, for `undo`.
    """
    own = folder()
    if (before := own / label.file).exists():
        (own / EARLIER).mkdir(exist_ok=True)
        _replace(own / EARLIER / label.file, before.read_text("utf-8"))
    _replace(own / "fixtures" / label.fixture, dump)
    return _replace(own / label.file, text)


@dataclass(frozen=True)
class Written:
    """A label that is in use."""

    file: str
    screen: str  #: the id of the screen; empty where somebody rewrote the file
    actor: str
    day: str  #: as 2026-01-31


def written() -> list[Written]:
    """The labels in the folder, the newest first."""
    own = own_folder()
    return (
        sorted(map(_read, own.glob("label-*.yaml")), key=lambda one: (one.day, one.file), reverse=True)
        if own
        else []
    )


def _read(path: Path) -> Written:
    text = path.read_text("utf-8", "replace")
    head, screen = HEAD.match(text), SCREEN.search(text)
    return Written(path.name, screen[1] if screen else "", head[1] if head else "", head[2] if head else "")


def undo(file: str) -> bool:
    """Take a label away, or put back the one before it: True then. Raises BadLabel when it is not there."""
    if file not in {one.file for one in written()}:
        raise BadLabel(_("There is no label %(file)s any more.") % {"file": file})
    own = folder()
    if (before := own / EARLIER / file).exists():
        before.replace(own / file)
        return True
    (own / file).unlink()
    (own / "fixtures" / file.removeprefix("label-")).with_suffix(".xml").unlink(missing_ok=True)
    return False


def _replace(path: Path, text: str) -> Path:
    """Whole or not at all: others read the folder meanwhile."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text, "utf-8")
    fresh.replace(path)
    return path


def own_fixtures(but: Label) -> Iterator[tuple[str, str]]:
    """(name, dump) of what was labelled before, this screen itself left out."""
    own = own_folder()
    for path in sorted((own / "fixtures").glob("*.xml")) if own else []:
        if path.name != but.fixture:
            yield path.name, path.read_text("utf-8")
