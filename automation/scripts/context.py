"""What a script works with: the phone, the ticket, and a way to read, tap and type that repeats nothing blindly."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from automation.protocol import Credentials, Ticket
from automation.screens.recognise import SCREEN, UNREADABLE, Verdict, recognise
from automation.screens.sightings import Sightings
from automation.scripts.outcomes import AccountError, NeedsPerson
from automation.scripts.reasons import (
    APP_CRASHES,
    APP_HANGS,
    LOGGED_OUT_ELSEWHERE,
    NO_PROGRESS,
    NO_SUCH_ACCOUNT,
    UNKNOWN_SCREEN,
    UNREADABLE_SCREEN,
    WRONG_PASSWORD,
)
from devices.phones.deadline import Deadline
from devices.phones.errors import NodeGone
from devices.phones.phone import Phone, Spot

#: Called after each step with its name, its seconds, whether it went well, and a remark.
StepReporter = Callable[[str, float, bool, str], None]

MOVES = 80  #: taps, keys and fields of one run; a login takes about 15
REPEATS = 2  #: how often the same is done on a screen that does not change
SYSTEM = "os."  #: how the ids of Android's own screens begin
CRASH, HANG, LOCK = "os.crash", "os.anr", "os.lock"
LOGGED_OUT = frozenset({"ig.logged_out_elsewhere", "tt.logged_out_elsewhere"})
STARTS = 3  #: how often the app is brought to the front again

SOONEST = 0.03  #: seconds between two looks at first
SHARE = 0.1  #: and then this part of what was waited already: what comes late may be seen a little late

#: The window of a keyboard, in a dump. What lies under it cannot be tapped.
KEYBOARD = re.compile(
    r'package="[^"]*(?:inputmethod|keyboard|honeyboard|swiftkey)[^"]*"[^>]*?bounds="\[(\d+),(\d+)\]\[(\d+),(\d+)\]"'
)

#: The forms at which a signed-out app begins by itself; any other form may be what an earlier run left open.
BEGINNINGS = frozenset({"ig.landing", "ig.landing_saved_one", "ig.account_picker", "tt.profile_logged_out"})

#: What speaks about one attempt to log in, so never about a run that attempted nothing. `rate_limited` is not
#: among them: it is about the phone, and holds for the next account too.
OF_ONE_ATTEMPT = frozenset({WRONG_PASSWORD, NO_SUCH_ACCOUNT})


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


class Context:
    """One run of one script on one phone."""

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
        self.logged_out = False  #: whether the app said that it was logged out from elsewhere
        self.xml = ""  #: the dump that was looked at last
        self._trusted = False  #: whether a screen was read that no earlier run has left
        self.sightings = sightings or Sightings()
        self._report = report
        self._seen: Verdict | None = None  #: what that dump shows
        self._ahead: Verdict | None = None  #: a look that nobody has used yet
        self._unlocked = self._ui_restarted = False  #: what is done once in a run
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

    # --- looking ---

    def look(self) -> Verdict:
        """What the screen shows right now."""
        self._ahead = None
        xml = self.phone.dump()
        if self._seen is None or xml != self.xml:
            seen = recognise(xml, self.package, self.app, version=self.sightings.version)
            self.xml, self._seen = xml, self.sightings.saw(seen)
        return self._seen

    def read(self) -> Verdict:
        """The screen on which the script must decide: a form, a second factor or a session.

        Prompts are declined, loading screens waited for, and what an earlier run left open is left by one
        restart. Raises what a screen for a person, an error of the app, or a screen that stays unknown comes to.
        """
        begun, status = time.monotonic(), ""
        while True:
            verdict = self._ahead or self.look()
            self._ahead = None
            if verdict.screen == LOCK and not self._unlocked:
                self._unlock()
            elif verdict.kind in ("human", "error") or self._left_over(verdict):
                self._confirm(verdict)
                begun = time.monotonic()
            elif verdict.kind in ("overlay", "popup"):
                self.decline(verdict)
                begun = time.monotonic()
            elif verdict.status == SCREEN and verdict.kind != "transient":
                self._trusted = True
                return verdict
            else:
                if verdict.status != status:
                    begun, status = time.monotonic(), verdict.status
                if self._waited_for_nothing(verdict, begun):
                    begun = time.monotonic()

    def _unlock(self) -> None:
        """A lock screen that asks for nothing is no reason to end."""
        self._unlocked = True
        self.phone.unlock()
        self.deadline.sleep(self.pace.poll)

    def _left_over(self, verdict: Verdict) -> bool:
        """Whether an earlier run may have left this screen open, so that it says nothing about this one.

        The answer to a question that this run has not asked; and a form or a second factor before anything else,
        behind which somebody may be signed in. Never so once the app came up from a force-stop.
        """
        if self.fresh or self.asked or verdict.screen.startswith(SYSTEM):
            return False
        if verdict.kind in ("form", "two_factor"):
            return not self._trusted and verdict.screen not in BEGINNINGS
        return verdict.kind in ("human", "error")

    def _confirm(self, verdict: Verdict) -> None:
        """Leave a leftover screen, or end the run by this one, if a second look shows it too.

        The first look may have caught it half drawn.
        """
        self.deadline.sleep(min(self.pace.poll, 0.5))
        again = self.look()
        if again.screen != verdict.screen:
            self._ahead = again
        elif self._left_over(verdict):
            self._move(verdict, "restart")
            with self.step("leave what an earlier run left open", verdict.screen):
                self.restart()
        elif verdict.reason in OF_ONE_ATTEMPT and not self.asked:
            raise NeedsPerson(NO_PROGRESS, f"{verdict.screen} is of an earlier login")
        else:
            end = AccountError if verdict.result == "failed" else NeedsPerson
            raise end(verdict.reason, verdict.screen + ("" if self.asked else ", before anything was sent"))

    def _waited_for_nothing(self, verdict: Verdict, begun: float) -> bool:
        """Wait a little more, or do something about a screen that stays; True when something was done.

        What helps comes first: a new uiautomator server, then the app by force-stop, then a person.
        """
        waited = time.monotonic() - begun
        if verdict.away and waited > self.pace.poll * 2:
            self._start_again()
            return True
        if waited < self._patience(verdict):
            self._pause(begun)
            return False
        if verdict.status == UNREADABLE and not self._ui_restarted:
            self._restart_ui(verdict)
            return True
        if self.restartable and (not verdict.kind or verdict.kind == "transient"):
            self._move(verdict, "restart")
            self.restart()
            return True
        raise NeedsPerson(self._why_stuck(verdict), verdict.detail or verdict.screen)

    def _why_stuck(self, verdict: Verdict) -> str:
        if verdict.status == UNREADABLE:
            return UNREADABLE_SCREEN
        return NO_PROGRESS if verdict.kind == "transient" else UNKNOWN_SCREEN

    def _restart_ui(self, verdict: Verdict) -> None:
        self._ui_restarted, self._seen = True, None
        with self.step("restart uiautomator", verdict.detail):
            self.phone.restart_ui()

    def _pause(self, begun: float) -> None:
        """Wait until the next look: soon at first, then the later the longer it took already."""
        waited = time.monotonic() - begun
        self.deadline.sleep(min(self.pace.poll, max(SOONEST, waited * SHARE)))

    def _patience(self, verdict: Verdict) -> float:
        if verdict.kind == "transient":
            return self.pace.loading
        if verdict.stuck:
            return self.pace.stuck
        return self.pace.unreadable if verdict.status == UNREADABLE else self.pace.unknown

    def _start_again(self) -> None:
        self._starts += 1
        if self._starts > STARTS:
            raise NeedsPerson(UNKNOWN_SCREEN, "the app does not stay in front")
        self.phone.start_app(self.package)
        self.deadline.sleep(self.pace.poll)

    def wait_for_value(self, verdict: Verdict, name: str) -> Verdict | None:
        """The same screen once it shows the value, or None when it does not in time."""
        seen = self._wait_until(lambda now: name in now.values)
        return seen if seen.screen == verdict.screen and name in seen.values else None

    # --- doing ---

    def open(self, app: str, package: str, fresh: bool = False) -> None:
        """Bring the app to the front, force-stopped before if `fresh`; from now on screens are read for it."""
        self.app, self.package, self._ahead = app, package, None
        self.sightings.opened(self.phone, package)
        self._starts, self.restartable = 0, True
        self.asked, self.fresh, self._trusted, self._seen = False, fresh, False, None
        self.phone.wake()
        if fresh:
            self.phone.stop_app(package)
        self.phone.start_app(package)

    def restart(self) -> None:
        """Force-stop the app and start it, once in a run; its data stays."""
        self._ahead, self.restartable, self.fresh = None, False, True
        self._last = ("", "", "")
        self.stop()
        self.phone.start_app(self.package)

    def stop(self) -> None:
        """Leave the phone at its home screen with the app stopped; its data stays."""
        self.phone.press("home")
        self.phone.stop_app(self.package)

    def decline(self, verdict: Verdict) -> None:
        """Close a prompt by its harmless button."""
        self._crashes += verdict.screen == CRASH
        self._hangs += verdict.screen == HANG
        if self._crashes > REPEATS:
            raise NeedsPerson(APP_CRASHES)
        if self._hangs > REPEATS:
            self._end_the_hang()
            return
        if verdict.screen in LOGGED_OUT:
            self._note_logged_out()
        if not self.tap(verdict, "dismiss"):
            raise NeedsPerson(UNKNOWN_SCREEN, detail=verdict.screen)

    def _end_the_hang(self) -> None:
        """Waiting did not help: force-stop the app, once."""
        if not self.restartable:
            raise NeedsPerson(APP_HANGS)
        self._hangs = 0
        with self.step("leave what does not respond", HANG):
            self.restart()

    def _note_logged_out(self) -> None:
        """Once is why this run logs in; after it did, somebody else is at it."""
        if self.asked:
            raise NeedsPerson(LOGGED_OUT_ELSEWHERE, "right after the login")
        self.logged_out = True

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
