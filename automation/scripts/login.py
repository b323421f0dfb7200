"""Log an account in. It is driven by what the screen shows, so it may begin anywhere, also after a lost run.

What an earlier run left open is nobody's answer: `Context.read` leaves it by one force-stop, and only then what the
app shows by itself counts, a captcha or a ban too. What speaks of one attempt (a wrong password, an unknown account)
counts only once this run has sent something; without that it is for a person, and never blamed on the account.
"""

from __future__ import annotations

from typing import NoReturn

from automation.protocol import Credentials
from automation.screens.recognise import Verdict
from automation.scripts.base import script
from automation.scripts.context import BEGINNINGS, Context
from automation.scripts.outcomes import SUCCEEDED, AccountError, NeedsPerson, Result
from automation.scripts.packages import package_of
from automation.scripts.reasons import (
    ALREADY_SIGNED_IN,
    APPROVE_ELSEWHERE,
    CODE_REFUSED,
    LOGGED_OUT_ELSEWHERE,
    NO_PASSWORD,
    NO_PROGRESS,
    OTHER_ACCOUNT,
    SIGNED_IN,
    SWITCHED,
    TWO_FACTOR,
    UNKNOWN_SCREEN,
    sentence,
)
from automation.scripts.trouble import clocks
from automation.scripts.walk import page_with

PERIOD = 30.0  #: seconds for which an authenticator code holds
SPARE = 5.0  #: seconds that must be left of it when it is typed
ATTEMPTS = 2  #: codes tried before a person is asked


@script("login", label="Log in")
def login(context: Context) -> Result:
    """Succeeded with `already_signed_in`, `switched` or `signed_in`, else raises.

    data = {"logined": true, "handle": the handle that the own profile shows}
    """
    return Login(context).run()


class Login:
    """One login: what was done so far, so that nothing is done twice."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.account: Credentials = context.credentials
        self.wanted = plain(self.account.username)
        self.sent: set[str] = set()  #: the forms that were sent off
        self.sent_at = 0  #: how often the app had begun anew by then; once more, and the answer may be lost
        self.picked = False
        self.codes_used: list[float] = []
        self.clocks = ""  #: how the clocks of phone and host differ

    def run(self) -> Result:
        """The Result, once the own profile shows the account."""
        context = self.context
        with context.step("open the app"):
            context.open(context.app, context.package or package_of(context.app))
        while True:
            verdict = context.read()
            with context.step(STEPS.get(verdict.kind, "go on"), verdict.screen):
                result = self.act(verdict)
            if result is not None:
                return result

    def act(self, verdict: Verdict) -> Result | None:
        """Do what the screen asks for; the Result when that was all."""
        if verdict.kind == "session_on":
            return self.in_session(verdict)
        if verdict.kind == "two_factor":
            self.second_factor(verdict)
        elif not self.account.password:
            self.leave(verdict)
        elif verdict.offers("password") or verdict.offers("user"):
            self.fill_in(verdict)
        elif verdict.offers("mine"):
            self.choose_saved(verdict)
        elif not self.context.tap(verdict, "log_in"):
            raise NeedsPerson(UNKNOWN_SCREEN, verdict.screen)
        return None

    # --- signed in ---

    def in_session(self, verdict: Verdict) -> Result | None:
        """Find out who is in; go to the account, or to the form that adds it."""
        if verdict.offers("pick"):
            self.switch(verdict)
        elif not verdict.offers("switcher"):
            self.must(verdict, self.context.tap(verdict, "profile"))
        elif not (handle := verdict.values.get("handle", "")):
            self.must(verdict, self.context.wait_for_value(verdict, "handle") is not None)
        elif handle == self.wanted:
            reason = SIGNED_IN if self.sent else SWITCHED if self.picked else ALREADY_SIGNED_IN
            said = f"{sentence(reason)} ({self.clocks})" if self.clocks else sentence(reason)
            return Result(SUCCEEDED, reason, said, {"logined": True, "handle": handle})
        elif self.sent and self.sent_at == self.context.times_anew:
            raise AccountError(OTHER_ACCOUNT, f"signed in is {handle}")
        else:
            self.must(verdict, self.context.tap(verdict, "switcher"))
        return None

    def switch(self, verdict: Verdict) -> None:
        """In the list of accounts: take ours when it is there, else add it."""
        verdict = page_with(self.context, verdict, self.wanted)
        if verdict.values.get("active") == self.wanted:
            self.context.back(verdict)
        elif self.wanted not in verdict.lists.get("handles", []):
            if self.sent:
                raise NeedsPerson(NO_PROGRESS, "the app began anew after the login was sent off")
            if not self.account.password:
                self.leave(verdict)
            self.must(verdict, self.context.tap(verdict, "add_account"))
        elif self.picked:
            raise NeedsPerson(NO_PROGRESS, "the app does not switch to the account")
        else:
            self.picked = self.context.asked = True
            self.must(verdict, self.context.tap(verdict, "pick", self.wanted))

    # --- signed out ---

    def leave(self, verdict: Verdict) -> NoReturn:
        """Raise that there is no password, with the app where it was, or stopped: never on a login form."""
        if verdict.kind == "session_on":
            self.context.back(verdict)
        elif verdict.screen not in BEGINNINGS:
            self.context.stop()
        raise AccountError(LOGGED_OUT_ELSEWHERE if self.context.logged_out else NO_PASSWORD)

    def choose_saved(self, verdict: Verdict) -> None:
        """Accounts that the app remembers: ours if it is among them, else another."""
        action = "continue" if verdict.find("mine", self.wanted) else "other"
        self.context.asked = self.context.asked or action == "continue"
        self.must(verdict, self.context.tap(verdict, action, self.wanted))

    def fill_in(self, verdict: Verdict) -> None:
        """Fill in a form and send it off, once: a form that comes back is for a person."""
        if verdict.screen in self.sent:
            raise NeedsPerson(NO_PROGRESS, f"{verdict.screen} came back")
        if verdict.offers("mine") and not verdict.find("mine", self.wanted):
            self.context.back(verdict)  # the form asks for the password of somebody else
            return
        filled: Verdict | None = verdict
        name = self.account.email or self.account.username
        for action, text in (("user", name), ("password", self.account.password)):
            if filled is not None and filled.find(action):
                filled = self.context.fill(filled, action, text)
        if filled is not None and filled.find("keep_no_login"):
            self.context.tap(filled, "keep_no_login")
            filled = self.context.read()
        if filled is None or filled.screen != verdict.screen:
            return  # the screen moved on meanwhile: look again
        self.send(filled)

    def send(self, verdict: Verdict) -> None:
        """Send a filled form off, once."""
        self.must(verdict, verdict.find("submit") is not None)
        self.note_sent(verdict)
        if not self.context.submit(verdict, once=verdict.find("password") is not None):
            raise NeedsPerson(NO_PROGRESS, f"{verdict.screen} does not go on")

    def note_sent(self, verdict: Verdict) -> None:
        """From here on the app is not restarted, so that a person sees what it answers."""
        self.sent.add(verdict.screen)
        self.sent_at = self.context.times_anew
        self.context.restartable, self.context.asked = False, True

    # --- second factor ---

    def second_factor(self, verdict: Verdict) -> None:
        """Give the authenticator code, or find the way to where it is asked for."""
        if not self.account.codes:
            raise NeedsPerson(APPROVE_ELSEWHERE if verdict.offers("try_another_way") else TWO_FACTOR)
        if verdict.offers("code"):
            self.give_code(verdict)
        elif verdict.offers("pick_totp"):
            self.must(verdict, self.context.tap(verdict, "pick_totp"))
            self.must(verdict, self.context.submit(self.context.read(), "next"))
        else:
            self.must(verdict, self.context.tap(verdict, "try_another_way"))

    def give_code(self, verdict: Verdict) -> None:
        """Type the code of a period that lasts long enough; once more in the next period, then never again."""
        if len(self.codes_used) >= ATTEMPTS:
            raise NeedsPerson(CODE_REFUSED)
        self.compare_clocks()
        filled = self.context.fill(verdict, "code", self.next_code())
        if filled is None:
            return
        self.note_sent(verdict)
        self.context.submit(filled)

    def compare_clocks(self) -> None:
        """Before the first code: a host and a phone that differ are named, whatever the app says to the code."""
        if not self.codes_used:
            self.clocks = clocks(self.context.phone.condition())
            self.context.remark(self.clocks)

    def next_code(self) -> str:
        """The next unused code, waited for where its period has not begun. Raises NeedsPerson when there is none."""
        for begins, code in sorted((float(begins), str(code)) for begins, code in self.account.codes):
            left = begins + PERIOD - self.context.now()
            if begins in self.codes_used or begins <= max(self.codes_used, default=0) or left < SPARE:
                continue
            self.context.deadline.sleep(max(0.0, begins - self.context.now()))
            self.codes_used.append(begins)
            return code
        raise NeedsPerson(TWO_FACTOR, "the codes of this run have expired")

    def must(self, verdict: Verdict, done: bool) -> None:
        """Raise NeedsPerson when the screen does not have what it should have."""
        if not done:
            raise NeedsPerson(UNKNOWN_SCREEN, f"{verdict.screen} lacks what was to be tapped")


#: What the operator reads in the list of steps, by kind of screen.
STEPS = {
    "form": "fill in the form",
    "two_factor": "give the second factor",
    "session_on": "see who is signed in",
}


def plain(username: str) -> str:
    """A username as the apps' handles are compared: no @, no case."""
    return username.strip().lstrip("@").casefold()
