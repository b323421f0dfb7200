"""What the apps show though nobody asked for it: notices, prompts, and pages that nobody knows."""

from __future__ import annotations

from devices.simulator.apps.base import App
from devices.simulator.ui import Action, Node, Page

#: popup -> the screen that a start leads to, instead of the first one.
AT_START = {
    "logged_out": "logged_out_elsewhere",
    "update_required": "update_required",
    "update_offered": "update_offered",
    "survey": "survey",
    "survey_once": "survey",
}


class SurprisingApp(App):
    """An app with surprises; the popups of its description say which."""

    #: popup -> the page that comes once somebody has signed in
    after_login: dict[str, str] = {}

    def button(
        self, page: Page, key: str, action: Action | None, look: str = "plain", enabled: bool = True
    ) -> Node:
        """A button of the app's own kind."""
        raise NotImplementedError

    def opening(self) -> str:
        if "logged_out" in self.popups:
            self.accounts, self.active = [], ""
        return next((page for popup, page in AT_START.items() if popup in self.popups), self.first_screen())

    def arrive(self) -> None:
        """Go home, by way of what comes before it."""
        self.go(next((page for popup, page in self.after_login.items() if popup in self.popups), "home"))

    def done_with(self, popup: str) -> Action:
        """The action of a button after which a page does not come again."""

        def act() -> None:
            self.popups.discard(popup)
            self.arrive() if popup in self.after_login else self.go(self.opening())

        return self.answer(act)

    def kick_out(self) -> None:
        """The service ends the session: somebody signed in elsewhere."""
        self.accounts = [one for one in self.accounts if one != self.active]
        self.active = self.accounts[0] if self.accounts else ""
        self.go("logged_out_elsewhere")

    def notice(self, title: str, text: str, *buttons: tuple[str, Action | None]) -> list[Node]:
        """A page with a title, a text and buttons below it."""
        page = Page(top=600)
        page.title(self.say(title))
        if text:
            page.text(self.say(text), height=110)
        for key, action in buttons:
            self.button(page, key, action)
        return page.nodes

    def draw_logged_out_elsewhere(self) -> list[Node]:
        return self.notice("logged_out", "logged_out_text", ("ok", self.done_with("logged_out")))

    def draw_update_required(self) -> list[Node]:
        return self.notice("update_title", "update_text", ("update", None))

    def draw_update_offered(self) -> list[Node]:
        later = self.done_with("update_offered")
        return self.notice("update_title", "update_text", ("update", None), ("update_later", later))

    def draw_no_connection(self) -> list[Node]:
        return self.notice("offline", "offline_text", ("try_again", None))

    def draw_survey(self) -> list[Node]:
        return self.notice("survey", "", ("survey_good", None))
