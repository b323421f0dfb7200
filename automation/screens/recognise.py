"""Which screen is this? A dump in, a Verdict out; nothing is guessed and nothing is done.

Overlays of Android come first, then the app's own screens by priority. Two screens that fit equally well are
AMBIGUOUS, none is UNKNOWN, and a dump that proves nothing is UNREADABLE.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from automation.screens.definitions import App, Extract, Screen
from automation.screens.dump import SYSTEM_UI, Dump, Node, Unreadable, normalise, parse
from automation.screens.pattern import Pattern, Vocabulary
from automation.screens.schema import Library, library, screens_hash
from devices.phones.phone import Spot

__all__ = ["AMBIGUOUS", "SCREEN", "UNKNOWN", "UNREADABLE", "Spot", "Verdict", "recognise", "screens_hash"]

SCREEN, UNKNOWN, AMBIGUOUS, UNREADABLE = "screen", "unknown", "ambiguous", "unreadable"
ANDROID = "android"  #: the file with Android's own screens
LAUNCHER = "os.launcher"
AWAY = "another app is in front"
STUCK_NODES = 2  #: a dump of so few nodes without the app comes from a stuck uiautomator


@dataclass(frozen=True)
class Verdict:
    """What a dump shows."""

    status: str  #: screen, unknown, ambiguous or unreadable
    screen: str = ""  #: the screen's id
    kind: str = ""
    package: str = ""  #: the app's package that was looked at
    language: str = ""  #: the language most words were of
    matched: tuple[str, ...] = ()  #: the alternative that fitted: `any.1`, or `all`
    values: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    reason: str = ""  #: of kinds human and error
    result: str = ""  #: of kinds human and error: failed or needs_person
    detail: str = ""  #: why it is not a screen
    fingerprint: str = ""  #: changes when the screen does
    used: dict[str, int] = field(default_factory=dict)  #: action -> the alternative that was found last
    _screen: Screen | None = field(default=None, repr=False, compare=False)
    _dump: Dump | None = field(default=None, repr=False, compare=False)
    _words: Vocabulary | None = field(default=None, repr=False, compare=False)

    @property
    def away(self) -> bool:
        """Whether something else than the app is in front."""
        return self.screen == LAUNCHER or self.detail == AWAY

    def offers(self, action: str) -> bool:
        """Whether the screen has the action by its definition, on the phone right now or not."""
        return self._screen is not None and action in self._screen.actions

    def find(self, action: str, handle: str = "") -> Spot | None:
        """Where to tap for the action, by the first alternative that is on the screen; else None.

        `handle` is the account that an action such as `pick` asks for.
        """
        if self._screen is None or self._dump is None or self._words is None:
            return None
        words = Vocabulary(self._words.phrases, self._words.as_handle, normalise(handle).lstrip("@"))
        for position, pattern in enumerate(self._screen.actions.get(action, ())):
            for node in pattern.find(self._dump, words):
                if node.visible and "enabled" in node.flags:
                    self.used[action] = position
                    return Spot(*node.center)
        return None


def recognise(xml: str, package: str = "", app: str = "", screens: Library | None = None) -> Verdict:
    """The verdict on a dump. `package` (a clone) and `app` say what to look at, else what the dump holds."""
    apps = (screens or library()).apps
    try:
        dump = parse(xml)
    except Unreadable as why:
        return Verdict(UNREADABLE, package=package, detail=str(why))
    definition = apps.get(app) or _app_of(apps, package, dump)
    package = package or _package_of(definition, dump)
    own = dump.of({package}) if package else Dump([])
    if ANDROID in apps and (seen := _system_screen(apps[ANDROID], dump, own)):
        return seen
    if definition is None or not own.nodes:
        return _without_app(dump, package)
    return _app_screen(definition, own, package)


def _without_app(dump: Dump, package: str) -> Verdict:
    if len([node for node in dump.nodes if node.package != SYSTEM_UI]) <= STUCK_NODES:
        return Verdict(UNREADABLE, package=package, detail="uiautomator is stuck or the screen is empty")
    return Verdict(UNKNOWN, package=package, detail=AWAY, fingerprint=dump.fingerprint())


def _app_of(apps: dict[str, App], package: str, dump: Dump) -> App | None:
    looked_for = {package} if package else dump.packages
    return next(
        (app for app in apps.values() if app.name != ANDROID and looked_for & set(app.packages)), None
    )


def _package_of(app: App | None, dump: Dump) -> str:
    return next((one for one in app.packages if one in dump.packages), "") if app else ""


@dataclass(frozen=True)
class _Look:
    """What is looked at, and with which words."""

    app: App
    dump: Dump
    words: Vocabulary
    package: str = ""
    language: str = ""

    def seen(self, screen: Screen, alternative: str) -> Verdict:
        """The verdict that it is this screen, with its values read."""
        found = {name: self.read(ways) for name, ways in screen.extract.items()}
        return Verdict(
            SCREEN,
            screen=screen.id,
            kind=screen.kind,
            package=self.package,
            language=self.language,
            matched=(alternative,),
            values={name: got[0] for name, got in found.items() if got and not screen.extract[name][0].many},
            lists={name: got for name, got in found.items() if screen.extract[name][0].many},
            reason=screen.reason,
            result=screen.result,
            fingerprint=self.dump.fingerprint(),
            _screen=screen,
            _dump=self.dump,
            _words=self.words,
        )

    def nothing(self, status: str, detail: str) -> Verdict:
        """The verdict that it is no screen, and why."""
        seen = self.dump.fingerprint()
        return Verdict(status, package=self.package, language=self.language, detail=detail, fingerprint=seen)

    def read(self, ways: tuple[Extract, ...]) -> list[str]:
        """What the first way that reads anything reads, each value once."""
        for way in ways:
            if found := list(dict.fromkeys(_values(way, self.app, self.dump, self.words))):
                return found
        return []


def _system_screen(android: App, dump: Dump, own: Dump) -> Verdict | None:
    """A screen of Android itself over, or instead of, the app."""
    words = Vocabulary(_phrases(android, android.languages))
    for screen in android.screens:
        if screen.alone and own.nodes:
            continue
        part = dump.of(
            {one for one in dump.packages if any(fnmatchcase(one, wish) for wish in screen.packages)}
        )
        if (fit := _fit(screen, part, words)) is not None:
            return _Look(android, part, words).seen(screen, fit[1])
    return None


def _app_screen(app: App, own: Dump, package: str) -> Verdict:
    """The app's screen in the language it seems to be in, else in any."""
    language = _language(app, own)
    look = _Look(app, own, Vocabulary({}), package, language)
    for languages in dict.fromkeys(((language, "en") if language else app.languages, app.languages)):
        words = Vocabulary(_phrases(app, languages), lambda text: as_handle(app, text))
        look = _Look(app, own, words, package, language)
        best = _best(app, own, words)
        if len(best) == 1:
            return look.seen(*best[0])
        if best:
            return look.nothing(AMBIGUOUS, "fits " + ", ".join(sorted(screen.id for screen, _ in best)))
    if not own.has_words:
        return look.nothing(UNREADABLE, "the app shows no text")
    return look.nothing(UNKNOWN, "no screen fits")


def _best(app: App, own: Dump, words: Vocabulary) -> list[tuple[Screen, str]]:
    """The screens that fit best at the first priority at which any fits."""
    found: list[tuple[int, Screen, str]] = []
    for screen in app.screens:
        if found and screen.priority > found[0][1].priority:
            break
        if (fit := _fit(screen, own, words)) is not None:
            found.append((fit[0], screen, fit[1]))
    top = max((weight for weight, _, _ in found), default=0)
    best: dict[str, tuple[Screen, str]] = {}  # a screen may be known in several ways
    for weight, screen, alternative in found:
        if weight == top:
            best.setdefault(screen.id, (screen, alternative))
    return list(best.values())


def _fit(screen: Screen, dump: Dump, words: Vocabulary) -> tuple[int, str] | None:
    """How many conditions hold and by which alternative, or None when the screen does not fit."""
    if not dump.nodes or not all(pattern.find(dump, words) for pattern in screen.all):
        return None
    fitting = [
        (len(one), f"any.{position}")
        for position, one in enumerate(screen.any)
        if all(pattern.find(dump, words) for pattern in one)
    ]
    if screen.any and not fitting:
        return None
    if any(pattern.find(dump, words) for pattern in screen.none):
        return None
    weight, alternative = max(fitting, key=lambda one: one[0], default=(0, "all"))
    return weight + len(screen.all), screen.prefix + alternative


def _values(wish: Extract, app: App, dump: Dump, words: Vocabulary) -> Iterator[str]:
    for node in wish.pattern.find(dump, words):
        text = _source(node, wish.source)
        if wish.normalise == "handle":
            text = as_handle(app, text)
        if text := text.strip():
            yield text


def _source(node: Node, source: str) -> str:
    if source == "desc":
        return node.desc
    if source == "text":
        return node.text
    around = node.parent.children if node.parent else []
    before = [one for one in around if one.index < node.index and one.text]
    return before[-1].text if before else ""


def as_handle(app: App, text: str) -> str:
    """The text as a handle of the app, or empty when it is none.

    What follows a comma is a remark of the app ("handle, New notifications"); a private profile adds a lock.
    """
    plain = normalise(text.split(",")[0]).lstrip("@").strip(" 🔒")
    return plain if app.handle.fullmatch(plain) else ""


def _language(app: App, own: Dump) -> str:
    """The language that most of the app's words are of; empty when two are as likely."""
    seen = own.by_word.keys()
    scores = {
        name: sum(not phrases.isdisjoint(seen) for phrases in table.values())
        for name, table in app.words.items()
    }
    best = max(scores.values(), default=0)
    leaders = [name for name, score in scores.items() if score == best]
    return leaders[0] if best and len(leaders) == 1 else ""


def _phrases(app: App, languages: tuple[str, ...]) -> dict[str, frozenset[str]]:
    """The phrases of all the languages together, by text key."""
    merged: dict[str, frozenset[str]] = {}
    for language in dict.fromkeys(languages):
        for key, phrases in app.words.get(language, {}).items():
            merged[key] = merged.get(key, frozenset()) | phrases
    return merged


def patterns_of(screen: Screen) -> Iterator[Pattern]:
    """Every condition of a screen, for the checks."""
    yield from screen.all
    yield from screen.none
    for one in screen.any:
        yield from one
    for ways in screen.actions.values():
        yield from ways
