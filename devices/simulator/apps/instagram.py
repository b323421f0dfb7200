"""Instagram as of version 410, on the way to a session: Bloks forms without ids."""

from __future__ import annotations

from devices.simulator.apps.instagram_session import InstagramSession
from devices.simulator.apps.words import masked
from devices.simulator.ui import WIDTH, Action, Node, Page

ANSWERS = {
    "no_such_account": "no_such_account",
    "wrong_password": "wrong_password",
    "rate_limited": "rate_limited",
    "totp": "2fa_totp",
    "captcha": "challenge_identity",
    "email_code": "challenge_email_code",
    "suspicious": "challenge_suspicious",
    "suspended": "suspended",
    "approve_elsewhere": "2fa_approve_elsewhere",
    "sms_code": "challenge_sms",
    "identity": "challenge_confirm",
    "locked": "challenge_locked",
    "age_gate": "challenge_confirm",
    "survey": "survey",
    "no_answer": "loading",
    "no_connection": "no_connection",
}
SIGNED_OUT = "com.instagram.bloks.hosting.BloksSignedOutFragmentActivity"


class Instagram(InstagramSession):
    """The Instagram app of one phone."""

    signed_out_screens = [
        "landing",
        "landing_saved_one",
        "account_picker",
        "login_form",
        "login_password_only",
        "dialog_password_required",
        "wrong_password",
        "no_such_account",
        "rate_limited",
        "2fa_totp",
        "2fa_approve_elsewhere",
        "2fa_choose_method",
        "challenge_email_code",
        "challenge_suspicious",
        "challenge_identity",
        "challenge_sms",
        "challenge_confirm",
        "challenge_locked",
        "suspended",
    ]
    activities = dict.fromkeys(signed_out_screens, SIGNED_OUT)
    backs = {
        "account_switcher": "own_profile",
        "add_account_sheet": "own_profile",
        "own_profile": "home",
        "wrong_password": "login_form",
        "no_such_account": "login_form",
        "dialog_password_required": "login_form",
        "rate_limited": "login_form",
        "2fa_totp": "login_form",
        "2fa_choose_method": "2fa_approve_elsewhere",
    }

    def first_screen(self) -> str:
        if self.accounts:
            return "home"
        if self.saved:
            return "landing_saved_one" if len(self.saved) == 1 else "account_picker"
        return "landing"

    def back(self) -> None:
        if self.screen in ("ig.login_form", "ig.login_password_only"):
            self.go("own_profile" if self.accounts else self.first_screen())
        else:
            super().back()

    # --- what taps do ---

    def submit(self) -> None:
        """The button "Log in"."""
        if not self.field("password"):
            self.go("dialog_password_required")
            return
        answer = self.judge(self.field("user"), self.field("password"))
        if answer in ("ok", "kicked"):
            self.finish()
        else:
            self.go(ANSWERS[answer])

    def continue_as(self, name: str) -> Action:
        """The button of a saved account: straight in when its password was saved too."""

        def act() -> None:
            self.fields = {"user": name}
            self.login = self.phone.logins.find(self.kind, name)
            if name in self.remembered and self.login and self.login.behaviour == "ok":
                self.sign_in()
                self.go("home")
            else:
                self.go("login_password_only")

        return self.answer(act)

    def submit_code(self) -> None:
        """The button under the authenticator code."""
        if not self.phone.connected:
            self.go("no_connection")
        elif self.code_accepted("code"):
            self.finish()
        else:
            self.go("2fa_totp", self.say("totp_wrong"))

    def submit_sent_code(self) -> None:
        """The button under the code from the e-mail."""
        if self.sent_code_accepted("code"):
            self.finish()
        else:
            self.go("challenge_email_code", self.say("totp_wrong"))

    def log_out(self) -> None:
        """Sign the account in use out; its name stays on the first screen."""
        name = self.login.username if self.login else self.active
        self.accounts = [one for one in self.accounts if one != name]
        self.active = self.accounts[0] if self.accounts else ""
        self.go(self.first_screen())

    def enter(self) -> None:
        if self.screen in ("ig.login_form", "ig.login_password_only") and self.focus == "password":
            self.answer(self.submit)()

    # --- parts ---

    def dialog(self, title: str, text: str, button: str, ids: bool = False) -> list[Node]:
        """A dialog over the login form, whose texts stay in the dump."""
        page = Page(top=820, left=150, right=WIDTH - 150)
        page.title(title, id="igds_alert_dialog_headline" if ids else "")
        page.text(text, height=150, id="igds_alert_dialog_subtext" if ids else "")
        back = self.goer("login_form")
        if ids:
            page.place(
                "Button", 110, text=button, id="igds_alert_dialog_primary_button", action=back, look="link"
            )
        else:
            node = page.place("Button", 110, desc=button, action=back, look="link")
            node.add(Node("View", node.box, text=button, look="label"))
        scrim = Node("Frame", action=lambda: None, look="dim", clickable=False)
        scrim.clickable = True
        card = Node("Frame", (110, 780, WIDTH - 110, page.y + 20), look="card").add(*page.nodes)
        return [*self.draw_login_form(), scrim.add(card)]

    # --- screens, signed out ---

    def draw_loading(self) -> list[Node]:
        page = Page(top=900)
        page.place("Button", 110, desc=self.say("loading"), look="primary", clickable=False)
        return [Node("Progress", (490, 760, 590, 860), look="spinner"), *page.nodes]

    def draw_landing(self) -> list[Node]:
        page = Page(top=420)
        page.place("Image", 260, desc=self.say("from_meta"), look="logo")
        page.skip(300)
        if self.version.split(".")[0].isdigit() and int(self.version.split(".")[0]) >= 430:
            page.text(self.say("join"), "title")
            self.button(page, "get_started", None, "primary")
            self.button(page, "have_profile", self.answer(self.open_form))
            return page.nodes
        self.button(page, "create_account", None, "primary")
        self.button(page, "have_account", self.answer(self.open_form))
        return page.nodes

    def draw_landing_saved_one(self) -> list[Node]:
        page = Page(top=420)
        page.place("Image", 260, desc=self.say("from_meta"), look="logo")
        page.text(self.saved[0], "title")
        self.button(page, "continue", self.continue_as(self.saved[0]), "primary")
        self.button(page, "other_profile", self.answer(self.open_form))
        page.skip(600)
        self.button(page, "create_account", None)
        return page.nodes

    def draw_account_picker(self) -> list[Node]:
        page = Page(top=420)
        settings = Node(
            "Button", (900, 90, 1040, 200), desc=self.say("settings"), look="icon", clickable=True
        )
        for name in self.saved:
            row = page.place("Group", 130, desc=name, action=self.continue_as(name), look="row")
            row.add(Node("View", row.box, text=name, look="label"))
        self.button(page, "other_profile", self.answer(self.open_form))
        self.button(page, "create_account", None)
        return [settings, *page.nodes]

    def form(self, with_user: bool) -> list[Node]:
        """The login form, whole or for the password only."""
        page = Page(top=90)
        if with_user:
            self.button(page, "language", None, "link")
        page.place("Image", 200, desc=self.say("from_meta"), look="logo")
        if with_user:
            self.entry(page, "user", self.say("user_hint"))
        else:
            page.text(self.field("user"), "title")
        self.entry(page, "password", self.say("password"), secret=True)
        self.button(page, "log_in", self.answer(self.submit), "primary")
        self.button(page, "forgot", None, "link")
        page.skip(200)
        self.button(page, "create_account", None)
        return page.nodes

    def draw_login_form(self) -> list[Node]:
        return self.form(with_user=True)

    def draw_login_password_only(self) -> list[Node]:
        return self.form(with_user=False)

    def draw_dialog_password_required(self) -> list[Node]:
        return self.dialog(self.say("password_required"), self.say("password_required_text"), self.say("ok"))

    def draw_wrong_password(self) -> list[Node]:
        return self.dialog(self.say("wrong_title"), self.say("wrong_text"), self.say("ok"))

    def draw_no_such_account(self) -> list[Node]:
        return self.dialog(self.say("no_account"), self.say("no_account_text"), self.say("try_again"))

    def draw_rate_limited(self) -> list[Node]:
        return self.dialog(self.say("later"), self.say("later_text"), self.say("ok"), ids=True)

    # --- screens between the password and the session ---

    def draw_2fa_totp(self) -> list[Node]:
        page = Page()
        page.title(self.say("totp"))
        page.text(self.say("totp_text"), height=110)
        self.entry(page, "code", self.say("totp_code"))
        if self.note:
            page.text(self.note, "error")
        self.button(page, "continue", self.answer(self.submit_code), "primary")
        self.button(page, "other_way", self.goer("2fa_choose_method"))
        return page.nodes

    def draw_2fa_approve_elsewhere(self) -> list[Node]:
        page = Page()
        page.title(self.say("elsewhere"))
        page.text(self.say("elsewhere_text"), height=110)
        page.place("Image", 500, look="picture")
        self.button(page, "other_way", self.goer("2fa_choose_method"), "primary")
        return page.nodes

    def draw_2fa_choose_method(self) -> list[Node]:
        page = Page()
        page.title(self.say("choose_way"))
        ways = ["way_app"] if self.login and self.login.totp_secret else []
        for way in [*ways, "way_sms"]:
            self.method(page, way)
        chosen = self.field("method") or "way_app"
        leads_on = chosen == "way_app" and bool(ways)
        self.button(page, "continue", self.goer("2fa_totp") if leads_on else None, "primary")
        return page.nodes

    def method(self, page: Page, way: str) -> None:
        """One line of the list of methods; a tap chooses it."""
        chosen = (self.field("method") or "way_app") == way

        def choose() -> None:
            self.fields["method"] = way

        row = page.place("Radio", 130, desc=self.say(way), action=choose, checked=chosen, look="radio")
        row.add(Node("View", row.box, text=self.say(way), look="label"))
        if way == "way_app":
            page.text(self.say("way_app_text"), "small")

    def draw_challenge_email_code(self) -> list[Node]:
        page = Page()
        page.title(self.say("check_email"))
        page.text(self.say("code_sent", masked(self.login or self.profile())), height=110)
        self.entry(page, "code", self.say("enter_code"))
        if self.note:
            page.text(self.note, "error")
        self.button(page, "continue", self.answer(self.submit_sent_code), "primary")
        self.button(page, "new_code", None)
        self.button(page, "other_way", None)
        return page.nodes

    def draw_challenge_suspicious(self) -> list[Node]:
        page = Page()
        page.title(self.say("suspicious"))
        page.place("Image", 500, look="picture")
        self.button(page, "was_me", self.answer(self.finish), "primary")
        self.button(page, "was_not_me", None)
        return page.nodes

    def draw_challenge_sms(self) -> list[Node]:
        page = Page()
        page.title(self.say("sms"))
        page.text(self.say("sms_text"), height=110)
        self.entry(page, "code", self.say("enter_code"))
        self.button(page, "continue", self.answer(self.submit_sent_code), "primary")
        return page.nodes

    def draw_challenge_confirm(self) -> list[Node]:
        return self.notice("confirm_you", "confirm_you_text", ("continue", None))

    def draw_challenge_locked(self) -> list[Node]:
        return self.notice("locked", "", ("next", None))

    def draw_challenge_identity(self) -> list[Node]:
        page = Page()
        page.title(self.say("human"))
        page.text(self.say("human_text"), height=110)
        page.place("Web", 700, look="picture")
        self.button(page, "continue", None, "primary")
        return page.nodes

    def draw_suspended(self) -> list[Node]:
        page = Page()
        page.title(self.say("suspended"))
        page.text(self.say("suspended_text"), height=110)
        self.button(page, "log_out", self.answer(self.log_out), "primary")
        return page.nodes
