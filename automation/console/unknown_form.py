"""The form in which somebody says what an unknown screen is: its choices, and what was chosen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.choices import Attention, attention_label
from automation.labels import NEW_KINDS, PROOF, Label, Mark, text_of
from automation.screens.definitions import App
from automation.screens.dump import Dump, Node

NODES = 800  #: shown of a dump; a screen of an app has a hundred or two
KIND_NAMES = {
    "popup": gettext_lazy("a pop-up that may be closed"),
    "transient": gettext_lazy("a screen that passes by itself"),
    "human": gettext_lazy("a screen for a person: nothing is tapped there"),
    "error": gettext_lazy("an error of the app: the run ends there"),
    "form": gettext_lazy("form"),
    "two_factor": gettext_lazy("second factor"),
    "session_on": gettext_lazy("signed in"),
    "overlay": gettext_lazy("of Android"),
}
#: The reasons that a new screen may give, by its kind.
REASONS = {
    "human": (
        Attention.CAPTCHA, Attention.EMAIL_CODE, Attention.SMS_CODE, Attention.APPROVE_ELSEWHERE,
        Attention.SUSPICIOUS_LOGIN, Attention.IDENTITY_CHECK, Attention.ACCOUNT_LOCKED, Attention.AGE_GATE,
        Attention.CHOICE_NEEDED, Attention.UPDATE_REQUIRED,
    ),
    "error": (Attention.WRONG_PASSWORD, Attention.NO_SUCH_ACCOUNT, Attention.BANNED),
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A node in the tree, and what was chosen for it."""

    node: Node
    depth: int
    text: str  #: what it says, if it may be known by that
    hidden: str  #: what it says, if not
    mark: Mark | None

    @property
    def tells(self) -> bool:
        return bool(self.node.id or self.text)

    @property
    def bounds(self) -> str:
        return ",".join(map(str, self.node.bounds))

    @property
    def flags(self) -> str:
        return " ".join(sorted(self.node.flags - {"enabled"}))


def lines(dump: Dump, package: str, label: Label | None) -> Iterator[Line]:
    """The app's nodes in the order of the dump, without bare boxes at its top."""
    marks = {mark.index: mark for mark in label.marks} if label else {}
    own = [node for node in dump.nodes if node.package == package or not package][:NODES]
    for node in own:
        said = node.text or node.desc or node.hint
        text = text_of(node)
        depth = sum(1 for _node in node.ancestors())
        yield Line(node, depth, text, "" if text else said, marks.get(node.index))


def known_screens(app: App | None) -> list[tuple[str, list[str]]]:
    """(kind, ids of its screens), for the choice of the one that it is."""
    found: dict[str, list[str]] = {}
    for screen in sorted(app.screens, key=lambda one: one.id) if app else []:
        same = found.setdefault(str(KIND_NAMES.get(screen.kind, screen.kind)), [])
        if screen.id not in same:
            same.append(screen.id)
    return sorted(found.items())


def choices(app: App | None) -> dict[str, Any]:
    """What the form offers."""
    actions = sorted({name for screen in app.screens for name in screen.actions}) if app else []
    return {
        "known": known_screens(app),
        "kinds": [(kind, KIND_NAMES[kind]) for kind in NEW_KINDS],
        "reasons": [
            (kind, [(str(one), attention_label(one)) for one in ones]) for kind, ones in REASONS.items()
        ],
        "roles": [
            (PROOF, _("shows that it is this screen")),
            *((one, _("tap: %(action)s") % {"action": one}) for one in actions),
        ],
    }


def read(data: QueryDict, fingerprint: str, app: str) -> Label:
    """What was chosen; what makes no sense is left for `labels.as_yaml` to refuse."""
    how, _colon, which = data.get("what", "").partition(":")
    kind = which if how == "new" else ""
    reason = data.get("reason", "").partition(":")
    return Label(
        fingerprint=fingerprint,
        app=app,
        extends=which if how == "known" else "",
        kind=kind,
        name=data.get("name", "").strip()[:60],
        reason=reason[2] if reason[0] == kind else "",
        marks=tuple(_marks(data)),
    )


def _marks(data: QueryDict) -> Iterator[Mark]:
    for number in data.getlist("node"):
        if number.isdigit():
            by_id, by_text = f"id-{number}" in data, f"text-{number}" in data
            yield Mark(int(number), data.get(f"role-{number}", PROOF), by_id, by_text)
