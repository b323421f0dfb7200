"""Why a dump is this screen, or which screens come near it and what they lack; for people who write screen files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from automation.screens.definitions import App, Screen
from automation.screens.pattern import Pattern, View
from automation.screens.recognise import weight
from automation.screens.verdict import Verdict

NEAREST = 3


@dataclass(frozen=True)
class Near:
    """A screen that nearly fits."""

    screen: str
    held: tuple[str, ...]  #: the conditions that hold, as the file has them
    failed: tuple[
        str, ...
    ]  #: those that do not, each with what it is: missing, or there though it must not be


def nearest(verdict: Verdict) -> list[Near]:
    """The screens that come nearest, the nearest first; none where the dump shows nothing of the app."""
    if verdict.app is None or verdict.view is None:
        return []
    found = [(_score(near), near) for screen in verdict.app.screens for near in [_near(screen, verdict.view)]]
    close = sorted((one for one in found if one[1].held), key=lambda one: one[0], reverse=True)
    return [near for _score, near in close[:NEAREST]]


def _score(near: Near) -> tuple[float, int]:
    """The share of its conditions that hold, then their number."""
    return len(near.held) / (len(near.held) + len(near.failed)), len(near.held)


def _near(screen: Screen, view: View) -> Near:
    ways = [(*screen.all, *one) for one in screen.any] or [screen.all]
    best = max(ways, key=lambda way: _share(way, view))
    held = tuple(one.written for one in best if one.find(view))
    missing = [f"not there: {one.written}" for one in best if not one.find(view)]
    forbidden = [f"must not be there: {one.written}" for one in screen.none if one.find(view)]
    return Near(screen.prefix + screen.id, held, (*missing, *forbidden))


def _share(way: tuple[Pattern, ...], view: View) -> float:
    return weight(one for one in way if one.find(view)) / (weight(way) or 1)


def written(apps: Mapping[str, App], app: str, screen: str, alternative: str) -> str:
    """An alternative as the screen file has it; empty when the files in use have none of that name."""
    prefix, _, name = alternative.rpartition(":")
    wanted = f"{prefix}:" if prefix else ""
    known = apps[app].screens if app in apps else ()
    found = next((one for one in known if (one.id, one.prefix) == (screen, wanted)), None)
    return " + ".join(pattern.written for pattern in _patterns(found, name)) if found else ""


def _patterns(screen: Screen, name: str) -> tuple[Pattern, ...]:
    what, _, place = name.partition(".")
    if what == "all":
        return screen.all
    ways = screen.any if what == "any" else [(one,) for one in screen.actions.get(what, ())]
    return ways[int(place)] if place.isdecimal() and int(place) < len(ways) else ()
