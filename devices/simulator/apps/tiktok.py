"""TikTok on the way to a session: sheets, a login in steps, and what the service may ask."""

from __future__ import annotations

from devices.simulator.apps.tiktok_session import TikTokSession
from devices.simulator.apps.words import masked
from devices.simulator.ui import Node, Page

ANSWERS = {
    "no_such_account": "wrong_password",
    "wrong_password": "wrong_password",
    "rate_limited": "too_many_attempts",
    "totp": "verify_code",
    "captcha": "captcha",
    "email_code": "verify_code",
    "suspicious": "2step",
    "approve_elsewhere": "2step",
    "suspended": "banned",
    "sms_code": "verify_sms",
    "identity": "2step",
    "locked": "banned",
    "age_gate": "agegate",
    "survey": "survey",
    "no_answer": "loading",
    "no_connection": "no_connection",
}
LOGIN = "com.ss.android.ugc.aweme.account.login."


class TikTok(TikTokSession):
    """The TikTok app of one phone."""

    activities = {
        "loading": "com.ss.android.ugc.aweme.splash.SplashActivity",
        "signup_sheet": LOGIN + "v2.ui.SignUpOrLoginActivity",
        "login_sheet": LOGIN + "v2.ui.SignUpOrLoginActivity",
        **dict.fromkeys(
            (
                "login_phone_tab",
                "login_email_tab",
                "login_password",
                "wrong_password",
                "verify_code",
                "banned",
            ),
            LOGIN + "v2.base.CommonFlowActivity",
        ),
        "2step": LOGIN + "twostep.TwoStepAuthActivity",
    }
    backs = {
        "own_profile": "home",
        "profile_logged_out": "home",
        "switch_account_sheet": "own_profile",
        "login_phone_tab": "login_sheet",
        "login_email_tab": "login_sheet",
        "login_password": "login_email_tab",
        "wrong_password": "login_email_tab",
        "too_many_attempts": "login_email_tab",
    }

    def first_screen(self) -> str:
        return "popups" if "terms" in self.popups else "home"

    def back(self) -> None:
        if self.screen in ("tt.signup_sheet", "tt.login_sheet"):
            self.go(self.profile_screen)
        else:
            super().back()

    # --- what taps do ---

    def go_on(self) -> None:
        """The button "Continue" under the user name; only e-mails are checked before the password."""
        name = self.field("user").strip()
        if not self.phone.connected:
            self.go("no_connection")
        elif "@" in name and self.phone.logins.find(self.kind, name) is None:
            self.go("login_email_tab", self.say("unregistered"))
        elif name:
            self.fields.pop("password", None)
            self.go("login_password")

    def submit(self) -> None:
        """The button "Log in" under the password."""
        if not self.field("password"):
            return
        answer = self.judge(self.field("user"), self.field("password"))
        if answer in ("ok", "kicked"):
            self.finish()
        else:
            self.go(ANSWERS[answer])

    def submit_code(self) -> None:
        """The button under the code."""
        by_app = bool(self.login and self.login.totp_secret and self.login.behaviour == "ok")
        if self.code_accepted("code") if by_app else self.sent_code_accepted("code"):
            self.finish()
        else:
            self.go("verify_code", self.say("code_wrong"))

    def leave_banned(self) -> None:
        """The button under the ban."""
        self.fields = {}
        self.go(self.profile_screen)

    def enter(self) -> None:
        if self.screen in ("tt.login_password", "tt.wrong_password") and self.focus == "password":
            self.answer(self.submit)()

    # --- parts ---

    def entry(self, page: Page, name: str, hint: str, secret: bool = False) -> Node:
        """A field without an id, its hint as text while it is empty."""
        return page.place(
            "Edit",
            130,
            entry=name,
            hint=hint,
            text=self.shown(name, hint, secret),
            password=secret,
            focused=self.focus == name,
            look="field" if self.field(name) else "empty",
        )

    def top_row(self, title: str = "") -> list[Node]:
        """The back button, and a title where there is one."""
        back = Node("Button", (22, 90, 132, 200), desc=self.say("back"), action=self.back, look="back")
        if not title:
            return [back]
        middle = Node(
            "Text", (340, 100, 740, 190), text=title, desc=title, id=self.rid("title"), look="title"
        )
        return [back, middle]

    # --- screens, signed out ---

    def draw_loading(self) -> list[Node]:
        return [Node("View", id=self.rid("splash"), look="black")]

    def draw_profile_logged_out(self) -> list[Node]:
        page = Page(top=700)
        page.text(self.say("sign_up_for"), "title")
        self.button(page, "sign_up", self.goer("signup_sheet"), "primary")
        self.button(page, "log_in", self.answer(self.open_login))
        return [*page.nodes, self.tab_bar("profile")]

    def draw_signup_sheet(self) -> list[Node]:
        page = Page(top=850)
        self.button(page, "phone_or_email", None)
        self.button(page, "with_facebook", None)
        self.button(page, "with_google", None)
        page.skip(150)
        self.button(page, "have_account", self.answer(self.open_login), "link")
        close = self.goer("profile_logged_out")
        return self.sheet(self.say("signup_title"), [self.tab_bar("profile")], page, close)

    def draw_login_sheet(self) -> list[Node]:
        page = Page(top=850)
        self.button(page, "phone_email_name", self.goer("login_phone_tab"))
        self.button(page, "with_facebook", None)
        self.button(page, "with_google", None)
        page.skip(150)
        self.button(page, "no_account", self.goer("signup_sheet"), "link")
        close = self.answer(lambda: self.go(self.profile_screen))
        return self.sheet(self.say("login_title"), [self.tab_bar("profile")], page, close)

    def tabs(self, selected: str) -> Node:
        """The two tabs above the login form."""
        strip = Node("HScroll", (83, 279, 997, 389), id=self.rid("tabs"))
        for number, (tab, screen) in enumerate(
            (("phone_tab", "login_phone_tab"), ("email_tab", "login_email_tab"))
        ):
            box = (83 + number * 457, 279, 540 + number * 457, 389)
            node = Node("Linear", box, desc=self.say(tab), action=self.goer(screen), selected=tab == selected)
            node.add(
                Node(
                    "Text",
                    box,
                    text=self.say(tab),
                    id="android:id/text1",
                    selected=tab == selected,
                    look="tab",
                )
            )
            strip.add(node)
        return strip

    def login_form(self, tab: str, entry: str, hint: str, ready: bool) -> list[Node]:
        """The page with the two tabs; `ready` is whether "Continue" can be tapped."""
        page = Page(top=440)
        self.entry(page, entry, self.say(hint))
        if self.note:
            page.text(self.note, "error")
        checked = self.field("unsaved") == ""

        def toggle() -> None:
            self.fields["unsaved"] = "yes" if checked else ""

        page.place("Check", 60, checked=checked, action=toggle, look="check", id=self.rid("save_box"))
        page.text(self.say("save_box"), "small")
        self.button(page, "continue", self.answer(self.go_on) if ready else None, "primary", enabled=ready)
        report = Node("Button", (948, 90, 1058, 200), desc=self.say("report"), look="icon", clickable=True)
        return [*self.top_row(self.say("log_in")), report, self.tabs(tab), *page.nodes]

    def draw_login_phone_tab(self) -> list[Node]:
        return self.login_form("phone_tab", "phone", "phone_hint", ready=False)

    def draw_login_email_tab(self) -> list[Node]:
        return self.login_form("email_tab", "user", "email_hint", ready=bool(self.field("user")))

    def draw_login_password(self) -> list[Node]:
        page = Page(top=260)
        page.title(self.say("enter_password"))
        self.entry(page, "password", self.say("password"), secret=True)
        if self.screen == "tt.wrong_password":
            page.text(self.say("wrong"), "error")
        if self.screen == "tt.too_many_attempts":
            page.text(self.say("maximum"), "error")
        self.button(page, "forgot", None, "link")
        self.button(page, "log_in", self.answer(self.submit), "primary", enabled=bool(self.field("password")))
        return [*self.top_row(), *page.nodes]

    draw_wrong_password = draw_login_password
    draw_too_many_attempts = draw_login_password

    # --- screens between the password and the session ---

    def draw_captcha(self) -> list[Node]:
        web = Node("Web", (90, 560, 990, 1560), look="card")
        web.add(
            Node("Text", (130, 600, 950, 680), text=self.say("captcha"), look="title"),
            Node("android.widget.Image", (130, 720, 950, 1240), text="whirl", look="picture"),
            Node("View", (130, 1280, 950, 1360), text=self.say("captcha_text")),
            Node("View", (130, 1400, 950, 1520), id="=secsdk-captcha-drag-wrapper", look="slider"),
        )
        return [*self.draw_login_password(), Node("Frame", action=lambda: None, look="dim"), web]

    def draw_verify_code(self) -> list[Node]:
        page = Page(top=260)
        page.title(self.say("code_title"))
        by_app = bool(self.login and self.login.totp_secret and self.login.behaviour == "ok")
        sent = self.say("code_app") if by_app else self.say("code_sent", masked(self.login or self.profile()))
        page.text(sent, height=110)
        self.entry(page, "code", "")
        if self.note:
            page.text(self.note, "error")
        self.button(page, "continue", self.answer(self.submit_code), "primary")
        self.button(page, "resend", None, "link")
        return [*self.top_row(), *page.nodes]

    def draw_verify_sms(self) -> list[Node]:
        page = Page(top=260)
        page.title(self.say("code_title"))
        page.text(self.say("code_by_sms", "+** *** ***12"), height=110)
        self.entry(page, "code", "")
        self.button(page, "continue", self.answer(self.submit_code), "primary")
        self.button(page, "resend", None, "link")
        return [*self.top_row(), *page.nodes]

    def draw_agegate(self) -> list[Node]:
        page = Page(top=260)
        page.title(self.say("birthday"))
        for _ in range(3):
            page.place("android.widget.SeekBar", 160, look="slider", clickable=True)
        self.button(page, "continue", None, "primary")
        return [*self.top_row(), *page.nodes]

    def draw_2step(self) -> list[Node]:
        page = Page(top=260)
        page.title(self.say("verify"))
        page.text(self.say("verify_text"), height=110)
        page.place("Image", 500, look="picture")
        return [*self.top_row(), *page.nodes]

    def draw_banned(self) -> list[Node]:
        page = Page(top=700)
        page.text(self.say("banned"), "title", height=160)
        self.button(page, "ok", self.answer(self.leave_banned), "primary")
        return page.nodes
