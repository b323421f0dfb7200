"""Instagram as of version 410: Bloks login forms without ids, and a signed-in part with ids."""

from __future__ import annotations

from devices.simulator.apps.base import App
from devices.simulator.apps.words import INSTAGRAM, masked, short_count
from devices.simulator.ui import NAVIGATION_BAR, WIDTH, Action, Node, Page

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
}
TABS = ("home", "reels", "message", "search", "profile")
TAB_IDS = ("feed_tab", "clips_tab", "direct_tab", "search_tab", "profile_tab")
SIGNED_OUT = "com.instagram.bloks.hosting.BloksSignedOutFragmentActivity"


class Instagram(App):
    """The Instagram app of one phone."""

    kind, prefix, label = "instagram", "ig", "Instagram"
    words = INSTAGRAM
    main_activity = "com.instagram.mainactivity.InstagramMainActivity"
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

    def open_form(self) -> None:
        """An empty login form."""
        self.fields, self.login = {}, None
        self.go("login_form")

    def submit(self) -> None:
        """The button "Log in"."""
        if not self.field("password"):
            self.go("dialog_password_required")
            return
        answer = self.judge(self.field("user"), self.field("password"))
        if answer == "ok":
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
        if self.code_accepted("code"):
            self.finish()
        else:
            self.go("2fa_totp", self.say("totp_wrong"))

    def submit_sent_code(self) -> None:
        if self.sent_code_accepted("code"):
            self.finish()
        else:
            self.go("challenge_email_code", self.say("totp_wrong"))

    def finish(self) -> None:
        """The account is in; the app asks whether to save the login."""
        self.sign_in()
        self.fields = {}
        self.go("save_login_info")

    def after_save(self, save: bool) -> Action:
        def act() -> None:
            if save:
                self.remembered.add(self.active)
            self.go("nux" if "notifications" in self.popups else "home")

        return self.answer(act)

    def after_nux(self) -> None:
        self.popups.discard("notifications")
        self.go("home")

    def switch_to(self, name: str) -> Action:
        def act() -> None:
            self.active = name
            self.go("own_profile")

        return self.answer(act)

    def add_account(self) -> None:
        if "add_account_sheet" in self.popups:
            self.go("add_account_sheet")
        else:
            self.open_form()

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

    def button(self, page: Page, key: str, action: Action | None, look: str = "plain") -> Node:
        """A Bloks button: the label is its description and the text of a View inside."""
        label = self.say(key)
        node = page.place("Button", 110, desc=label, action=action, look=look, clickable=True)
        return node.add(Node("View", node.box, text=label, look="label"))

    def entry(self, page: Page, name: str, hint: str, secret: bool = False) -> Node:
        """A Bloks field: no id, its hint as text while it is empty."""
        return page.place(
            "Edit",
            140,
            entry=name,
            hint=hint,
            desc="" if secret else f"{hint},",
            text=self.shown(name, hint, secret),
            password=secret,
            focused=self.focus == name,
            look="field" if self.field(name) else "empty",
        )

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

    def tab_bar(self, selected: str) -> Node:
        bar = Node("Linear", (0, 1907, WIDTH, 2028), id="tab_bar", look="bar")
        actions: dict[str, Action] = {"home": self.goer("home"), "profile": self.goer("own_profile")}
        for number, (tab, ident) in enumerate(zip(TABS, TAB_IDS, strict=True)):
            box = (number * 216, 1907, number * 216 + 216, 2028)
            icon = Node("Image", (number * 216 + 75, 1934, number * 216 + 141, 2000), look="icon")
            icon.id, icon.selected = ("tab_avatar" if tab == "profile" else "tab_icon"), tab == selected
            node = Node("Frame", box, desc=self.say(tab), id=ident, selected=tab == selected, clickable=True)
            node.action = actions.get(tab)
            bar.add(node.add(icon))
        return bar

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

    # --- screens with a session ---

    def draw_save_login_info(self) -> list[Node]:
        page = Page(top=500)
        page.place("View", 84, desc=self.say("save_title"), id="igds_headline_headline", look="title")
        page.text(self.say("save_text", self.active), height=110)
        self.button(page, "save", self.after_save(True), "primary")
        self.button(page, "not_now", self.after_save(False))
        return page.nodes

    def draw_nux(self) -> list[Node]:
        page = Page(top=500)
        page.title(self.say("notifications"))
        self.button(page, "next", self.answer(self.after_nux), "primary")
        self.button(page, "skip", self.answer(self.after_nux))
        return page.nodes

    def draw_home(self) -> list[Node]:
        tray = Node("Recycler", (0, 231, WIDTH, 520), id="reels_tray_container", scrollable=True)
        tray.add(
            Node(
                "Button",
                (20, 251, 240, 500),
                desc=self.say("story", self.active),
                look="avatar",
                clickable=True,
            )
        )
        logo = Node("Image", (66, 90, 400, 200), desc="Instagram", look="logo")
        feed = Node("Recycler", (0, 520, WIDTH, 1907), id="android:id/list", look="picture", scrollable=True)
        return [logo, tray, feed, self.tab_bar("home")]

    def count(self, box: tuple[int, int, int, int], name: str, value: int, label: str) -> Node:
        """One of the three counts: number above label, both in the description of their box."""
        left, top, right, bottom = box
        number = short_count(value, self.language)
        middle = (top + bottom) // 2
        node = Node(
            "Group", box, desc=f"{number}{label}", id=f"profile_header_{name}_familiar", clickable=True
        )
        value_id, label_id = f"profile_header_familiar_{name}_value", f"profile_header_familiar_{name}_label"
        return node.add(
            Node("Text", (left + 16, top, right, middle), text=number, id=value_id, look="strong"),
            Node("Text", (left + 16, middle, right, bottom), text=label, id=label_id, look="small"),
        )

    def header(self) -> Node:
        """Picture, name, counts and the buttons of the own profile."""
        profile = self.profile()
        row = Node("Group", (0, 231, WIDTH, 861), id="row_profile_header").add(
            Node("Image", (65, 303, 286, 524), id="row_profile_header_imageview", look="avatar"),
            Node(
                "Text",
                (351, 280, 1036, 360),
                text=profile.nickname,
                id="profile_header_full_name_above_vanity",
            ),
            self.count((351, 370, 560, 519), "post_count", profile.posts, self.say("posts")),
            self.count((560, 370, 800, 519), "followers", profile.followers, self.say("followers")),
            self.count((800, 370, 1036, 519), "following", profile.following, self.say("following")),
        )
        header = Node("Linear", (0, 231, WIDTH, 1610), id="profile_header_container").add(row)
        for number, key in enumerate(("edit_profile", "share_profile")):
            box = (33 + number * 510, 1040, 530 + number * 510, 1128)
            button = Node(
                "Button", box, desc=self.say(key), id="button_container", look="plain", clickable=True
            )
            header.add(button.add(Node("Text", box, text=self.say(key), look="label")))
        return header

    def draw_own_profile(self) -> list[Node]:
        name_box = Node(
            "Linear",
            (176, 77, 794, 231),
            id="action_bar_username_container",
            action=self.goer("account_switcher"),
        ).add(
            Node("Text", (313, 77, 699, 231), text=self.active, id="action_bar_title", look="title"),
            Node("Image", (716, 137, 749, 170), id="action_bar_title_chevron", look="chevron"),
        )
        options = Node("Image", (926, 77, 1058, 231), desc=self.say("options"), look="icon", clickable=True)
        grid = Node("Recycler", (0, 1610, WIDTH, 1907), id="android:id/list", look="picture")
        return [self.header(), grid, name_box, options, self.tab_bar("profile")]

    def account_row(self, page: Page, name: str) -> None:
        row = page.place(
            "Group", 176, 0, desc=name, selected=name == self.active, action=self.switch_to(name)
        )
        left, top, right, bottom = row.box
        row.add(
            Node(
                "Image", (left + 44, top + 33, left + 154, bottom - 33), selected=row.selected, look="avatar"
            ),
            Node(
                "View",
                (left + 187, top, right - 150, bottom),
                text=name,
                selected=row.selected,
                look="strong",
            ),
        )
        if row.selected:
            row.add(
                Node("Image", (right - 110, top + 55, right - 44, bottom - 66), selected=True, look="tick")
            )

    def draw_account_switcher(self) -> list[Node]:
        rows = len(self.accounts) + 2
        top = max(200, NAVIGATION_BAR - 110 - rows * 176)
        page = Page(top=top, left=44, right=1036)
        for name in self.accounts:
            self.account_row(page, name)
        self.button(page, "add_account", self.answer(self.add_account))
        self.button(page, "accounts_center", None, "link")
        close = self.goer("own_profile")
        cancel = Node(
            "Frame", (474, top - 44, 606, top), desc=self.say("cancel"), action=close, look="handle"
        )
        rows_box = Node(
            "Group", (0, top, WIDTH, NAVIGATION_BAR), id="recycler_view_container_id", enabled=False
        )
        rows_box.add(Node("Recycler", rows_box.box).add(*page.nodes))
        sheet = Node(
            "Frame", (0, top - 44, WIDTH, NAVIGATION_BAR), action=lambda: None, look="card", clickable=True
        )
        scrim = Node("Frame", action=close, look="dim")
        return [*self.draw_own_profile(), scrim, sheet.add(cancel, rows_box)]

    def draw_add_account_sheet(self) -> list[Node]:
        page = Page(top=1560)
        page.title(self.say("sheet_title"))
        self.button(page, "log_into", self.answer(self.open_form), "primary")
        self.button(page, "create_account", None)
        sheet = Node("Frame", (0, 1500, WIDTH, NAVIGATION_BAR), action=lambda: None, look="card")
        return [
            *self.draw_own_profile(),
            Node("Frame", action=self.goer("own_profile"), look="dim"),
            sheet.add(*page.nodes),
        ]
