"""What a dump shows: a screen with its values and actions, or why it is none."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from automation.screens.definitions import App, Screen
from automation.screens.dump import EMPTY, normalise
from automation.screens.pattern import Pattern, View
from devices.phones.phone import Spot

SCREEN, UNKNOWN, AMBIGUOUS, UNREADABLE = "screen", "unknown", "ambiguous", "unreadable"
LAUNCHER = "os.launcher"

#: Why a dump is unreadable, beside EMPTY and CUT_OFF (dump.py).
OPAQUE, STALE, FOREIGN, STUCK = "opaque", "stale", "foreign", "stuck"


@dataclass(frozen=True)
class Verdict:
    """What a dump shows."""

    status: str  #: screen, unknown, ambiguous or unreadable
    screen: str = ""  #: the screen's id
    kind: str = ""
    package: str = ""  #: the app's package that was looked at
    language: str = ""  #: the language most words were of
    matched: tuple[str, ...] = ()  #: the alternatives that fitted, the best first: `any.1`, or `all`
    values: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    reason: str = ""  #: of kinds human and error
    result: str = ""  #: of kinds human and error: failed or needs_person
    why: str = ""  #: of unreadable: empty, cut_off, opaque, stale, foreign or stuck
    detail: str = ""  #: why it is not a screen, in words
    fingerprint: str = ""  #: changes when anything on the screen does
    used: dict[str, int] = field(default_factory=dict)  #: action -> the alternative that was found last
    unconfirmed: list[str] = field(
        default_factory=list
    )  #: words relied on that nobody has seen in the app yet
    app: App | None = field(default=None, repr=False, compare=False)
    definition: Screen | None = field(default=None, repr=False, compare=False)
    view: View | None = field(default=None, repr=False, compare=False)

    @property
    def away(self) -> bool:
        """Whether something else than the app is in front."""
        return self.screen == LAUNCHER or self.why == FOREIGN

    @property
    def stuck(self) -> bool:
        """Whether the dump is what a stuck uiautomator gives, or an empty screen."""
        return self.why in (STUCK, EMPTY)

    def offers(self, action: str) -> bool:
        """Whether the screen has the action by its definition, on the phone right now or not."""
        return self.definition is not None and action in self.definition.actions

    def find(self, action: str, handle: str = "") -> Spot | None:
        """Where to tap for the action, by the first alternative that is on the screen; else None.

        `handle` is the account that an action such as `pick` asks for.
        """
        if self.definition is None or self.view is None:
            return None
        view = replace(self.view, wanted=normalise(handle).lstrip("@"))
        return self._spot(action, view) or self._spot(action, self._in_any_language(view))

    def _in_any_language(self, view: View) -> View:
        """The same with the words of all languages: apps mix them."""
        if self.app is None:
            return view
        phrases = self.app.phrases(self.app.languages)
        return View(view.dump, phrases, view.as_handle, view.wanted, view.activity)

    def _spot(self, action: str, view: View) -> Spot | None:
        """By the first alternative that is on the screen."""
        if self.definition is None:
            return None
        for position, pattern in enumerate(self.definition.actions.get(action, ())):
            for node in pattern.find(view):
                if node.visible and node.has("enabled"):
                    self.used[action] = position
                    self.doubt((pattern,), view)
                    return Spot(*node.center)
        return None

    def doubt(self, patterns: tuple[Pattern, ...], view: View) -> None:
        """Note the words that these conditions hold by, where nobody has seen them in the app yet."""
        if self.app is None or not self.app.unconfirmed:
            return
        for pattern in patterns:
            said: dict[str, frozenset[str]] = {}
            for node in pattern.find(view):
                for key, phrases in pattern.said(node, view):
                    said[key] = said.get(key, frozenset()) | phrases
            found = (self.app.doubtful(key, phrases) for key, phrases in said.items())
            self.unconfirmed.extend(one for one in found if one and one not in self.unconfirmed)
