"""Which screen is this? A dump in, a Verdict out; nothing is guessed and nothing is done.

Overlays of Android come first, then the app's own screens by priority. Two screens that fit about equally well are
AMBIGUOUS, none is UNKNOWN, and a dump that proves nothing is UNREADABLE.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache

from automation.screens.definitions import App, Extract, Screen
from automation.screens.dump import EMPTY, SYSTEM_UI, Dump, Node, Unreadable, parse
from automation.screens.pattern import Pattern, View
from automation.screens.ranges import numbers
from automation.screens.schema import Library, library, screens_hash
from automation.screens.verdict import (
    AMBIGUOUS,
    FOREIGN,
    OPAQUE,
    SCREEN,
    STALE,
    STUCK,
    UNKNOWN,
    UNREADABLE,
    Verdict,
)
from devices.phones.phone import Spot

__all__ = ["AMBIGUOUS", "SCREEN", "UNKNOWN", "UNREADABLE", "Spot", "Verdict", "recognise", "screens_hash"]

ANDROID = "android"  #: the file with Android's own screens
STUCK_NODES = 2  #: a dump of so few nodes without the app shows nothing
NEAR = 1.0  #: two screens that differ by less than one whole condition fit about equally well


def recognise(
    xml: str,
    package: str = "",
    app: str = "",
    screens: Library | None = None,
    *,
    version: str = "",
    front: str = "",
) -> Verdict:
    """The verdict on a dump. `package` (a clone) and `app` say what to look at, else what the dump holds.

    Where they are known: `version` of the app, and what is in `front` as Android has it, `package/activity`.
    """
    apps = (screens or library()).apps
    try:
        dump = parse(xml)
    except Unreadable as error:
        return Verdict(UNREADABLE, package=package, why=error.why, detail=str(error))
    definition = apps.get(app) or _app_of(apps, package, dump)
    package = package or _package_of(definition, dump)
    own = dump.of({package}) if package else Dump([])
    in_front, _, activity = front.partition("/")
    if in_front and dump.nodes and in_front not in dump.packages:
        return _unreadable(dump, package, STALE, f"the dump is old: {in_front} is in front and not in it")
    if ANDROID in apps and (seen := _system_screen(apps[ANDROID], dump, own, activity)):
        return seen
    if definition is None or not own.nodes:
        return _without_app(dump, package)
    if in_front and in_front != package:
        return _unreadable(dump, package, FOREIGN, f"another app is in front: {in_front}")
    return _app_screen(definition, own, package, numbers(version), activity)


def _unreadable(dump: Dump, package: str, why: str, detail: str) -> Verdict:
    return Verdict(UNREADABLE, package=package, why=why, detail=detail, fingerprint=dump.state())


def _without_app(dump: Dump, package: str) -> Verdict:
    others = [node for node in dump.nodes if node.package != SYSTEM_UI]
    if not others:
        return _unreadable(dump, package, EMPTY, "nothing is on the screen but the system's bars")
    if len(others) <= STUCK_NODES:
        is_stuck = all(node.package == "android" for node in others)
        detail = (
            "uiautomator is stuck: it sees one empty window" if is_stuck else "an empty window is in front"
        )
        return _unreadable(dump, package, STUCK if is_stuck else EMPTY, detail)
    shown = Counter(node.package for node in others).most_common(1)[0][0]
    return _unreadable(dump, package, FOREIGN, f"another app is in front: {shown}")


def _app_of(apps: dict[str, App], package: str, dump: Dump) -> App | None:
    looked_for = {package} if package else dump.packages
    return next(
        (one for one in apps.values() if one.name != ANDROID and not looked_for.isdisjoint(one.packages)),
        None,
    )


def _package_of(app: App | None, dump: Dump) -> str:
    return next((one for one in app.packages if one in dump.packages), "") if app else ""


@dataclass(frozen=True)
class Fit:
    """A screen that fits."""

    screen: Screen
    score: float
    alternatives: tuple[str, ...]  #: those that fitted, the best first
    conditions: tuple[Pattern, ...]  #: of the best one


@dataclass(frozen=True)
class Look:
    """What is looked at, and with which words."""

    app: App
    view: View
    package: str = ""
    language: str = ""

    def seen(self, fit: Fit) -> Verdict:
        """The verdict that it is this screen, with its values read."""
        screen = fit.screen
        found = {name: self.read(ways) for name, ways in screen.extract.items()}
        verdict = Verdict(
            SCREEN,
            screen=screen.id,
            kind=screen.kind,
            package=self.package,
            language=self.language,
            matched=fit.alternatives,
            values={name: got[0] for name, got in found.items() if got and not screen.extract[name][0].many},
            lists={name: got for name, got in found.items() if screen.extract[name][0].many},
            reason=screen.reason,
            result=screen.result,
            fingerprint=self.view.dump.state(),
            app=self.app,
            definition=screen,
            view=self.view,
        )
        verdict.doubt(fit.conditions, self.view)
        return verdict

    def nothing(self, status: str, detail: str, why: str = "") -> Verdict:
        """The verdict that it is no screen, and why."""
        return Verdict(
            status, package=self.package, language=self.language, why=why, detail=detail,
            fingerprint=self.view.dump.state(), app=self.app, view=self.view,
        )  # fmt: skip

    def read(self, ways: tuple[Extract, ...]) -> list[str]:
        """What the first way that reads anything reads, each value once."""
        for way in ways:
            if found := list(dict.fromkeys(_values(way, self.app, self.view))):
                return found
        return []


@lru_cache(maxsize=4096)  # phones show the same packages all the time
def _those_of(wishes: tuple[str, ...], packages: frozenset[str]) -> frozenset[str]:
    return frozenset(one for one in packages if any(fnmatchcase(one, wish) for wish in wishes))


def _system_screen(android: App, dump: Dump, own: Dump, activity: str) -> Verdict | None:
    """A screen of Android itself over, or instead of, the app."""
    phrases = android.phrases(android.languages)
    views: dict[frozenset[str], View] = {}
    for screen in android.screens:
        if screen.alone and own.nodes:
            continue
        packages = _those_of(screen.packages, dump.packages)
        if not packages:
            continue
        if packages not in views:
            views[packages] = View(dump.of(packages), phrases, activity=activity)
        if (fit := fit_of(screen, views[packages], views[packages])) is not None:
            return Look(android, views[packages]).seen(fit)
    return None


def _app_screen(app: App, own: Dump, package: str, version: tuple[int, ...], activity: str) -> Verdict:
    """The app's screen in the language it seems to be in, else in any.

    What must not be there must not be there in any language: half of an app may speak another one.
    """
    language = language_of(app, own)
    everything = View(own, app.phrases(app.languages), app.as_handle, activity=activity)
    likely = View(own, app.phrases((language, "en")), app.as_handle, activity=activity)
    for view in (likely, everything) if language else (everything,):
        look = Look(app, view, package, language)
        best = best_of(app, view, everything, version)
        if len(best) == 1:
            return look.seen(best[0])
        if best:
            return look.nothing(AMBIGUOUS, "fits " + " and ".join(sorted(fit.screen.id for fit in best)))
    if not own.has_words:
        return look.nothing(UNREADABLE, "the app shows no text", OPAQUE)
    return look.nothing(UNKNOWN, "no screen fits")


def best_of(app: App, view: View, everything: View, version: tuple[int, ...] = ()) -> list[Fit]:
    """The screens that fit about equally well at the first priority at which any fits; one, where one is the best."""
    found: list[Fit] = []
    for screen in app.screens:
        if found and screen.priority > found[0].screen.priority:
            break
        if screen.versions is not None and version and version not in screen.versions:
            continue
        if (fit := fit_of(screen, view, everything)) is not None:
            found.append(fit)
    found.sort(key=lambda fit: -fit.score)
    near: dict[str, Fit] = {}
    for fit in found:
        if fit.score > found[0].score - NEAR or fit.screen.id in near:
            near[fit.screen.id] = _together(near.get(fit.screen.id), fit)
    return list(near.values())


def _together(best: Fit | None, more: Fit) -> Fit:
    """A screen may be known in several ways: the best one counts, the others are named."""
    if best is None:
        return more
    return Fit(best.screen, best.score, (*best.alternatives, *more.alternatives), best.conditions)


def fit_of(screen: Screen, view: View, everything: View) -> Fit | None:
    """How well the screen fits, or None when it does not; `everything` is the same dump in all languages."""
    if not view.dump.nodes or not all(pattern.find(view) for pattern in screen.all):
        return None
    fitting = [
        (weight(one), f"{screen.prefix}any.{position}", one)
        for position, one in enumerate(screen.any)
        if all(pattern.find(view) for pattern in one)
    ]
    if screen.any and not fitting:
        return None
    if any(pattern.find(everything) for pattern in screen.none):
        return None
    fitting.sort(key=lambda one: -one[0])
    score, _, best = fitting[0] if fitting else (0.0, "", ())
    score += weight(screen.all) + weight(one for one in screen.likely if one.find(view))
    score += any(fnmatchcase(view.activity, wish) for wish in screen.activity)
    if score < screen.threshold:
        return None
    names = tuple(name for _, name, _ in fitting) or (f"{screen.prefix}all",)
    return Fit(screen, score, names, (*screen.all, *best))


def weight(patterns: Iterable[Pattern]) -> float:
    """What conditions that hold count for together."""
    return sum(pattern.weight for pattern in patterns)


def _values(wish: Extract, app: App, view: View) -> Iterator[str]:
    for node in wish.pattern.find(view):
        text = _source(node, wish.source)
        if wish.normalise == "handle":
            text = app.as_handle(text)
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


def language_of(app: App, own: Dump) -> str:
    """The language that most of the app's words are of; empty when two are as likely."""
    seen = {pair for word in own.by_word for pair in app.languages_of.get(word, ())}
    scores = Counter(language for language, _key in seen).most_common(2)
    if not scores or (len(scores) > 1 and scores[0][1] == scores[1][1]):
        return ""
    return scores[0][0]


def patterns_of(screen: Screen) -> Iterator[Pattern]:
    """Every condition of a screen, for the checks."""
    yield from screen.all
    yield from screen.none
    yield from screen.likely
    for one in screen.any:
        yield from one
    for ways in screen.actions.values():
        yield from ways
