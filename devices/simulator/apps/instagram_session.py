"""The signed-in part of Instagram, whose ids have stayed the same over many versions."""

from __future__ import annotations

from devices.simulator.apps.surprises import SurprisingApp
from devices.simulator.apps.words import INSTAGRAM, short_count
from devices.simulator.ui import NAVIGATION_BAR, WIDTH, Action, Box, Node, Page

ROWS = 8  #: accounts that the switcher shows at once
TABS = ("home", "reels", "message", "search", "profile")
TAB_IDS = ("feed_tab", "clips_tab", "direct_tab", "search_tab", "profile_tab")


class InstagramSession(SurprisingApp):
    """What Instagram shows once somebody is signed in, and the parts that all its screens are made of."""

    kind, prefix, label = "instagram", "ig", "Instagram"
    words = INSTAGRAM
    main_activity = "com.instagram.mainactivity.InstagramMainActivity"
    after_login = {"notifications": "nux", "contacts": "nux_contacts"}

    def after_save(self, save: bool) -> Action:
        """What either button of "Save your login info?" does."""

        def act() -> None:
            if save:
                self.remembered.add(self.active)
            self.arrive()

        return self.answer(act)

    def open_profile(self) -> None:
        """The tab "Profile"."""
        login = self.phone.logins.find(self.kind, self.active)
        if login and login.behaviour == "kicked":
            self.kick_out()
        else:
            self.go("own_profile")

    def switch_to(self, name: str) -> Action:
        """The action that makes another account the one in use."""

        def act() -> None:
            self.active = name
            self.go("own_profile")

        return self.answer(act)

    def add_account(self) -> None:
        """The button "Add Instagram account"."""
        if "add_account_sheet" in self.popups:
            self.go("add_account_sheet")
        else:
            self.open_form()

    def open_form(self) -> None:
        """An empty login form."""
        self.fields, self.login = {}, None
        self.go("login_form")

    def button(
        self, page: Page, key: str, action: Action | None, look: str = "plain", enabled: bool = True
    ) -> Node:
        """A Bloks button: the label is its description and the text of a View inside."""
        label = self.say(key)
        node = page.place("Button", 110, desc=label, action=action, look=look, clickable=True)
        node.enabled = enabled
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

    def tab_bar(self, selected: str) -> Node:
        """The five tabs at the bottom."""
        bar = Node("Linear", (0, 1907, WIDTH, 2028), id="tab_bar", look="bar")
        actions: dict[str, Action] = {
            "home": self.goer("home"),
            "profile": self.answer(self.open_profile),
        }
        for number, (tab, ident) in enumerate(zip(TABS, TAB_IDS, strict=True)):
            box = (number * 216, 1907, number * 216 + 216, 2028)
            icon = Node("Image", (number * 216 + 75, 1934, number * 216 + 141, 2000), look="icon")
            icon.id, icon.selected = ("tab_avatar" if tab == "profile" else "tab_icon"), tab == selected
            node = Node("Frame", box, desc=self.say(tab), id=ident, selected=tab == selected, clickable=True)
            node.action = actions.get(tab)
            bar.add(node.add(icon))
        return bar

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
        self.button(page, "next", self.done_with("notifications"), "primary")
        self.button(page, "skip", self.done_with("notifications"))
        return page.nodes

    def draw_nux_contacts(self) -> list[Node]:
        page = Page(top=500)
        page.title(self.say("contacts"))
        self.button(page, "next", None, "primary")
        self.button(page, "skip", self.done_with("contacts"))
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

    def count(self, box: Box, name: str, value: int, label: str) -> Node:
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
        """Add one line of the account switcher."""
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

    @property
    def listed(self) -> list[str]:
        """The part of the accounts that the switcher shows."""
        return self.accounts[self.scrolled : self.scrolled + ROWS]

    def scroll(self, up: bool) -> None:
        if self.screen == "ig.account_switcher":
            last = max(0, len(self.accounts) - ROWS)
            self.scrolled = min(last, self.scrolled + ROWS // 2) if up else 0

    def draw_account_switcher(self) -> list[Node]:
        rows = len(self.listed) + 2
        top = max(200, NAVIGATION_BAR - 110 - rows * 176)
        page = Page(top=top, left=44, right=1036)
        for name in self.listed:
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
