"""What all simulated apps share: sign-ins that outlive the process, fields, focus, delays and the way in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from devices.simulator.apps.words import Words, say
from devices.simulator.description import AppSpec, Login
from devices.simulator.logins import Logins, code_fits, password_fits
from devices.simulator.ui import BULLET, NAVIGATION_BAR, WIDTH, Action, Node, stamp

WRONG_ALLOWED = 5  #: wrong passwords before the service asks to come back later


class Surroundings(Protocol):
    """What an app needs of its phone."""

    logins: Logins

    @property
    def connected(self) -> bool:
        """Whether the services can be reached."""

    def later(self, seconds: float, action: Action) -> None:
        """Run `action` after some time on the phone's own clock."""

    def changed(self) -> None:
        """The screen looks different now."""

    def leave_app(self) -> None:
        """Go to the launcher."""

    def cover(self, app: App, overlay: str) -> None:
        """Show a dialog of Android's over the app."""


class App:
    """One installed app. `screen` is the id of what it shows; `draw_<screen>` draws it."""

    kind = ""
    prefix = ""  #: of its screen ids
    label = ""
    words: Words = {}
    activities: dict[str, str] = {}
    main_activity = ""

    def __init__(self, spec: AppSpec, phone: Surroundings) -> None:
        self.spec, self.phone = spec, phone
        self.package, self.version, self.language = spec.package, spec.version, spec.language
        self.delay = spec.delay
        self.pid = 0
        self.clear()

    def clear(self) -> None:
        """Forget everything, then sign in whom the description names."""
        self.accounts = list(self.spec.signed_in)
        self.active = self.accounts[0] if self.accounts else ""
        self.saved: list[str] = list(self.spec.saved)
        self.remembered: set[str] = set()  #: saved with their password
        self.popups = set(self.spec.popups)
        self.wrong_passwords = 0
        self.refused: list[str] = []  #: the names for which a wrong password came, oldest first
        self.delayed = 0.0  #: seconds for which the app has kept everybody waiting
        self.reset()

    def reset(self) -> None:
        """What a force-stop does: the sign-ins stay."""
        self.screen = self.screen_id("loading")
        self.fields: dict[str, str] = {}
        self.focus = ""
        self.note = ""
        self.login: Login | None = None
        self.scrolled = 0  #: rows of a list that are above the screen
        self._turn = 0

    def screen_id(self, name: str) -> str:
        """The id of one of the app's screens."""
        return f"{self.prefix}.{name}"

    def say(self, key: str, *values: object) -> str:
        """A word in the app's language."""
        return say(self.words, self.language, key, *values)

    # --- life ---

    def start(self) -> None:
        """Come up at the first screen."""
        self.reset()
        self._turn += 1
        self.answer(lambda: self.go(self.opening()))()

    def opening(self) -> str:
        """The name of the screen that comes up, by surprise or as ever."""
        return self.first_screen()

    def first_screen(self) -> str:
        """The name of the screen that a start leads to."""
        raise NotImplementedError

    def go(self, name: str, note: str = "") -> None:
        """Show another screen."""
        self.screen, self.note, self.focus, self.scrolled = self.screen_id(name), note, "", 0

    def goer(self, name: str) -> Action:
        """An action that shows another screen."""
        return self.answer(lambda: self.go(name))

    def answer(self, action: Action) -> Action:
        """`action` after the app's delay, with a loading screen in between."""

        def act() -> None:
            if self.delay <= 0:
                action()
                return
            self._turn += 1
            turn = self._turn
            self.delayed += self.delay
            self.go("loading")
            self.phone.later(self.delay, lambda: self._finish(turn, action))

        return act

    def _finish(self, turn: int, action: Action) -> None:
        if turn == self._turn and self.pid:
            action()
            self.phone.changed()

    @property
    def loading(self) -> bool:
        """Whether the app has not answered yet."""
        return self.screen == self.screen_id("loading")

    @property
    def activity(self) -> str:
        """The name of the activity in front."""
        return self.activities.get(self.screen.partition(".")[2], self.main_activity)

    # --- signing in ---

    def set_accounts(self, names: list[str]) -> None:
        """Sign exactly these accounts in, as a person or the service would have done meanwhile."""
        self.accounts = list(names)
        if self.active not in self.accounts:
            self.active = self.accounts[0] if self.accounts else ""
        if self.pid:
            self.start()

    def judge(self, name: str, password: str) -> str:
        """How the service answers: a behaviour, `totp`, `no_such_account`, `wrong_password` or `no_connection`."""
        if not self.phone.connected:
            return "no_connection"
        if self.wrong_passwords >= WRONG_ALLOWED:
            return "rate_limited"
        login = self.phone.logins.find(self.kind, name)
        if login is None:
            return "no_such_account"
        if not password_fits(login, password):
            self.wrong_passwords += 1
            self.refused.append(login.username)
            return "wrong_password"
        self.wrong_passwords, self.login = 0, login
        return "totp" if login.behaviour in ("ok", "kicked") and login.totp_secret else login.behaviour

    def code_accepted(self, entry: str) -> bool:
        """Whether the field holds the right authenticator code."""
        return self.login is not None and code_fits(self.login, self.fields.get(entry, ""))

    def sent_code_accepted(self, entry: str) -> bool:
        """Whether the field holds the code that the service has sent."""
        return self.login is not None and self.fields.get(entry, "").strip() == self.login.code

    def sign_in(self) -> None:
        """The service has let the account in."""
        name = self.login.username if self.login else ""
        self.accounts = [*(one for one in self.accounts if one != name), name]
        self.active = name
        self.saved = [one for one in self.saved if one != name]

    def finish(self) -> None:
        """The account is in; the app asks whether to save the login."""
        self.sign_in()
        self.fields = {}
        self.go("save_login_info")
        for popup, overlay in (("autofill", "os.autofill_save"), ("password_manager", "os.password_manager")):
            if popup in self.popups:
                self.phone.cover(self, overlay)

    def profile(self) -> Login:
        """What the service knows of the account in use."""
        return self.phone.logins.profile(self.kind, self.active)

    # --- text ---

    def write(self, entry: str, text: str) -> None:
        """Replace what a field holds."""
        self.fields[entry] = text
        self.phone.changed()

    def field(self, entry: str) -> str:
        """What a field holds."""
        return self.fields.get(entry, "")

    def shown(self, entry: str, hint: str, secret: bool = False) -> str:
        """The text of a field as Android reports it: its hint when empty, bullets for a password."""
        text = self.field(entry)
        return (BULLET * len(text) if secret else text) or hint

    # --- keys ---

    #: where the back key leads, by screen name; a screen that is not here ignores it
    backs: dict[str, str] = {}

    def back(self) -> None:
        """What the back key does."""
        name = self.screen.partition(".")[2]
        if name in self.backs:
            self.go(self.backs[name])
        elif name == self.first_screen():
            self.phone.leave_app()

    def enter(self) -> None:
        """What the enter key does."""

    def scroll(self, up: bool) -> None:
        """What a swipe up or down does."""

    # --- drawing ---

    def build(self) -> Node:
        """The app's window."""
        draw: Callable[[], list[Node]] = getattr(self, "draw_" + self.screen.partition(".")[2])
        content = Node("Frame", id="android:id/content").add(*draw())
        return stamp(
            Node("Frame", (0, 0, WIDTH, NAVIGATION_BAR)).add(Node("Linear").add(content)), self.package
        )
