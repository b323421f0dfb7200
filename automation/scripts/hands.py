"""How a script looks, taps and types: each touch once, then a look; nothing is repeated blindly."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from automation.protocol import Credentials, Ticket
from automation.screens.recognise import Verdict, recognise
from automation.screens.sightings import Sightings
from automation.scripts.outcomes import NeedsPerson
from automation.scripts.reasons import NO_PROGRESS
from devices.phones.deadline import Deadline
from devices.phones.errors import NodeGone
from devices.phones.phone import Phone, Spot

#: Called after each step with its name, its seconds, whether it went well, and a remark.
StepReporter = Callable[[str, float, bool, str], None]

MOVES = 80  #: taps, keys and fields of one run; a login takes about 15
REPEATS = 2  #: how often the same is done on a screen that does not change

SOONEST = 0.03  #: seconds between two looks at first
SHARE = 0.1  #: and then this part of what was waited already: what comes late may be seen a little late

#: The window of a keyboard, in a dump. What lies under it cannot be tapped.
KEYBOARD = re.compile(
    r'package="[^"]*(?:inputmethod|keyboard|honeyboard|swiftkey)[^"]*"[^>]*?bounds="\[(\d+),(\d+)\]\[(\d+),(\d+)\]"'
)


def no_report(name: str, seconds: float, ok: bool, detail: str) -> None:
    """Drops the step."""


@dataclass(frozen=True)
class Pace:
    """How long a script waits for what, in seconds."""

    poll: float = 0.4  #: between two looks at the screen, at most
    settle: float = 10.0  #: until a tap has an effect
    unknown: float = 8.0  #: until an unknown screen is believed to be one
    unreadable: float = 15.0  #: until a screen without text is believed to stay so
    stuck: float = 3.0  #: until uiautomator is believed to be stuck
    loading: float = 45.0  #: until a loading screen is over


class Hands:
    """What touches the phone in one run of one script."""

    def __init__(
        self,
        phone: Phone,
        ticket: Ticket,
        report: StepReporter,
        pace: Pace,
        sightings: Sightings | None = None,
    ) -> None:
        self.phone, self.ticket, self.pace = phone, ticket, pace
        self.app, self.package = ticket.app, ticket.package
        self.restartable = True  #: whether the app may be force-stopped to leave an unknown screen
        self.asked = False  #: whether the app was asked for an account, so that what it says is the answer
        self.fresh = False  #: whether the app came up from a force-stop in this run
        self.times_anew = 0  #: how often the app began anew: after a crash, a restart, or away from the front
        self.logged_out = False  #: whether the app said that it was logged out from elsewhere
        self.xml = ""  #: the dump that was looked at last
        self._trusted = False  #: whether a screen was read that no earlier run has left
        self.sightings = sightings or Sightings()
        self._report = report
        self._seen: Verdict | None = None  #: what that dump shows
        self._ahead: Verdict | None = None  #: a look that nobody has used yet
        self._unlocked = self._ui_restarted = self._front_asked = False  #: what is done once in a run
        self._drift: list[str] = []
        self._last: tuple[str, str, str] = ("", "", "")
        self._repeats = self._moves = self._starts = self._crashes = self._hangs = 0

    @property
    def deadline(self) -> Deadline:
        """The run's one clock."""
        return self.phone.deadline

    @property
    def credentials(self) -> Credentials:
        """The account of the ticket. Raises ValueError when it has none: the script should not have run."""
        found = self.ticket.credentials
        if found is None:
            raise ValueError("the ticket carries no account")
        return found

    def now(self) -> float:
        """Seconds since the epoch, for the codes of the ticket."""
        return time.time()

    @contextmanager
    def step(self, name: str, detail: str = "") -> Iterator[None]:
        """A step of the run, reported with its duration whether it goes well or not.

        The remark names what was not found by its first alternative: so drift shows before anything breaks.
        """
        begun, ok = time.monotonic(), False
        self._drift.clear()
        try:
            with self.deadline.step():
                yield
            ok = True
        finally:
            self._report(name, time.monotonic() - begun, ok, " ".join([detail, *self._drift]).strip())

    def remark(self, text: str) -> None:
        """Add a remark to the step at hand."""
        if text:
            self._drift.append(text)

    def look(self) -> Verdict:
        """What the screen shows right now."""
        self._ahead = None
        xml = self.phone.dump()
        if self._seen is None or xml != self.xml:
            self.xml, self._front_asked = xml, False
            self._seen = self._recognised()
        elif not (self._seen.screen or self._seen.away or self._front_asked):
            self._front_asked = (
                True  # what stays and is no screen: Android knows what is in front, and its activity
            )
            self._seen = self._recognised(self.phone.front())
        return self._seen

    def _recognised(self, front: str = "") -> Verdict:
        version = self.sightings.version
        return self.sightings.saw(recognise(self.xml, self.package, self.app, version=version, front=front))

    def wait_for_value(self, verdict: Verdict, name: str) -> Verdict | None:
        """The same screen once it shows the value, or None when it does not in time."""
        seen = self._wait_until(lambda now: name in now.values)
        return seen if seen.screen == verdict.screen and name in seen.values else None

    def tap(self, verdict: Verdict, action: str, handle: str = "") -> bool:
        """Tap once where the screen has the action, then wait until it changes. False when it has it not."""
        verdict, spot = self._find(verdict, action, handle)
        if spot is None:
            return False
        self._move(verdict, action)
        self.phone.tap(spot)
        self._wait_until(lambda now: now.fingerprint != verdict.fingerprint)
        return True

    def submit(self, verdict: Verdict, action: str = "submit", once: bool = False) -> bool:
        """Tap and wait until the app leaves the screen; once more if nothing at all has changed. True when left.

        With `once` it is never tapped again: what it sends may be sent one time only.
        """
        for _ in range(1 if once else REPEATS):
            verdict, spot = self._find(verdict, action)
            if spot is None:
                return False
            self._move(verdict, action)
            self.phone.tap(spot)
            patience = self.pace.loading if once else self.pace.settle
            seen = self._wait_until(lambda now, of=verdict.screen: now.screen != of, patience)  # type: ignore[misc]
            if seen.screen != verdict.screen:
                return True
            if seen.fingerprint != verdict.fingerprint:
                return False
        return False

    def _find(self, verdict: Verdict, action: str, handle: str = "") -> tuple[Verdict, Spot | None]:
        """Where to tap for the action. A keyboard that lies over it is put away first, and looked again."""
        spot = verdict.find(action, handle)
        if spot is None or not self._is_covered(spot):
            return verdict, spot
        self.phone.press("back")
        now = self.look()
        return (now, now.find(action, handle)) if now.screen == verdict.screen else (verdict, None)

    def _is_covered(self, spot: Spot) -> bool:
        keyboard = KEYBOARD.search(self.xml)
        if keyboard is None:
            return False
        left, top, right, bottom = map(int, keyboard.groups())
        return left <= spot.x < right and top <= spot.y < bottom

    def fill(self, verdict: Verdict, action: str, text: str) -> Verdict | None:
        """Type into a field; the screen as it is then, or None when it is another one or took no text."""
        verdict, spot = self._find(verdict, action)
        if spot is None:
            return None
        self._move(verdict, action)
        try:
            self.phone.type_into(spot, text, secret=True)
        except NodeGone:
            return None
        now = self.read()
        self._ahead = now
        return now if now.screen == verdict.screen else None

    def back(self, verdict: Verdict) -> None:
        """Press back, then wait until the screen changes."""
        self._move(verdict, "back")
        self.phone.press("back")
        self._wait_until(lambda now: now.fingerprint != verdict.fingerprint)

    def scroll(self, verdict: Verdict) -> None:
        """Scroll a list on by about half a screen."""
        self._move(verdict, "scroll")
        self.phone.swipe_up()
        self.deadline.sleep(self.pace.poll)

    def _move(self, verdict: Verdict, action: str) -> None:
        """Count what is done; raise when the run goes round in circles."""
        self._ahead = None
        self.sightings.used(verdict, action)
        if verdict.used.get(action):
            self._drift.append(f"{action}#{verdict.used[action]}")
        this = (verdict.screen, verdict.fingerprint, action)
        self._repeats = self._repeats + 1 if this == self._last else 1
        self._last = this
        self._moves += 1
        if self._repeats > REPEATS or self._moves > MOVES:
            raise NeedsPerson(NO_PROGRESS, detail=f"{action} on {verdict.screen}")

    def _wait_until(self, fits: Callable[[Verdict], bool], seconds: float | None = None) -> Verdict:
        """The first look that fits, or the last one within the time that a tap may take."""
        begun = time.monotonic()
        until = begun + (self.pace.settle if seconds is None else seconds)
        while True:
            seen = self.look()
            if fits(seen) or time.monotonic() >= until:
                self._ahead = seen
                return seen
            self._pause(begun)

    def _pause(self, begun: float) -> None:
        """Wait until the next look: soon at first, then the later the longer it took already."""
        waited = time.monotonic() - begun
        self.deadline.sleep(min(self.pace.poll, max(SOONEST, waited * SHARE)))

    def read(self) -> Verdict:
        """The screen on which the script must decide."""
        raise NotImplementedError
