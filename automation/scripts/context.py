"""What a script works with: the phone, the ticket, and a reading of the screen that declines, waits and mends."""

from __future__ import annotations

import time

from automation.screens.recognise import SCREEN, UNREADABLE, Verdict
from automation.scripts.hands import MOVES, REPEATS, Hands, Pace, StepReporter, no_report
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

__all__ = ["BEGINNINGS", "MOVES", "Context", "Pace", "StepReporter", "no_report"]

SYSTEM = "os."  #: how the ids of Android's own screens begin
CRASH, HANG, LOCK = "os.crash", "os.anr", "os.lock"
LOGGED_OUT = frozenset({"ig.logged_out_elsewhere", "tt.logged_out_elsewhere"})
STARTS = 3  #: how often the app is brought to the front again

#: The forms at which a signed-out app begins by itself; any other form may be what an earlier run left open.
BEGINNINGS = frozenset({"ig.landing", "ig.landing_saved_one", "ig.account_picker", "tt.profile_logged_out"})

#: What speaks about one attempt to log in, so never about a run that attempted nothing. `rate_limited` is not
#: among them: it is about the phone, and holds for the next account too.
OF_ONE_ATTEMPT = frozenset({WRONG_PASSWORD, NO_SUCH_ACCOUNT})


class Context(Hands):
    """One run of one script on one phone."""

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

    def _patience(self, verdict: Verdict) -> float:
        if verdict.kind == "transient":
            return self.pace.loading
        if verdict.stuck:
            return self.pace.stuck
        return self.pace.unreadable if verdict.status == UNREADABLE else self.pace.unknown

    def _start_again(self) -> None:
        self._starts += 1
        self.times_anew += 1
        if self._starts > STARTS:
            raise NeedsPerson(UNKNOWN_SCREEN, "the app does not stay in front")
        self.phone.start_app(self.package)
        self.deadline.sleep(self.pace.poll)

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
        self._seen = None  # an empty dump looks the same before and after: what is in front is asked again
        self._last = ("", "", "")
        self.times_anew += 1
        self.stop()
        self.phone.start_app(self.package)

    def stop(self) -> None:
        """Leave the phone at its home screen with the app stopped; its data stays."""
        self.phone.press("home")
        self.phone.stop_app(self.package)

    def decline(self, verdict: Verdict) -> None:
        """Close a prompt by its harmless button."""
        self._crashes += verdict.screen == CRASH
        self.times_anew += verdict.screen == CRASH
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
