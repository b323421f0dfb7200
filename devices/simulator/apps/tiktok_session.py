"""The part of TikTok behind its login: feed, profile and accounts, with ids that differ in every version."""

from __future__ import annotations

import hashlib

from devices.simulator.apps.surprises import SurprisingApp
from devices.simulator.apps.words import TIKTOK, short_count
from devices.simulator.ui import NAVIGATION_BAR, WIDTH, Action, Box, Node, Page

ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789_"


def shuffled_id(version: str, name: str) -> str:
    """The three letters that this build gives to a view."""
    digest = hashlib.blake2s(f"{version} {name}".encode()).digest()
    return ALPHABET[digest[0] % 26] + "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[1:3])


class TikTokSession(SurprisingApp):
    """TikTok's feed and profile, and the parts that all its screens are made of."""

    kind, prefix, label = "tiktok", "tt", "TikTok"
    words = TIKTOK
    main_activity = "com.ss.android.ugc.aweme.main.MainActivity"
    after_login = {"contacts": "contacts"}

    def rid(self, name: str) -> str:
        """The id that this version gives to a view."""
        return shuffled_id(self.version, name)

    @property
    def profile_screen(self) -> str:
        """What the tab "Profile" shows."""
        return "own_profile" if self.accounts else "profile_logged_out"

    def open_profile(self) -> None:
        """The tab "Profile"."""
        login = self.phone.logins.find(self.kind, self.active)
        if login and login.behaviour == "kicked":
            self.kick_out()
        else:
            self.go(self.profile_screen)

    def agree(self) -> None:
        """The button under the terms."""
        self.popups.discard("terms")
        self.go("home")

    def open_login(self) -> None:
        """The sheet that asks how to log in."""
        self.fields, self.login = {}, None
        self.go("login_sheet")

    def switch_to(self, name: str) -> Action:
        """The action that makes another account the one in use."""

        def act() -> None:
            self.active = name
            self.go("own_profile")

        return self.answer(act)

    def button(
        self, page: Page, key: str, action: Action | None, look: str = "plain", enabled: bool = True
    ) -> Node:
        """A button with its label as text."""
        ident = self.rid(key)
        node = page.place(
            "Button", 120, text=self.say(key), id=ident, action=action, look=look, clickable=True
        )
        node.enabled = enabled
        return node

    def tab_bar(self, selected: str) -> Node:
        """The five tabs at the bottom."""
        bar = Node("Linear", (0, 1953, WIDTH, NAVIGATION_BAR), id=self.rid("tab_bar"), look="bar")
        actions: dict[str, Action] = {
            "home": self.goer("home"),
            "profile": self.answer(self.open_profile),
        }
        for number, tab in enumerate(("home", "friends", "create", "inbox", "profile")):
            box = (number * 216, 1953, number * 216 + 216, NAVIGATION_BAR)
            kind = "Button" if tab == "create" else "Frame"
            node = Node(kind, box, desc=self.say(tab), id=self.rid("tab_" + tab), clickable=True)
            node.selected, node.action = tab == selected, actions.get(tab)
            node.look = "icon" if tab == "create" else ""
            if tab != "create":
                label = Node("Text", (box[0], 2037, box[2], 2073), text=self.say(tab), look="tab_label")
                label.selected = node.selected
                node.add(label)
            bar.add(node)
        return bar

    def sheet(self, title: str, behind: list[Node], page: Page, close: Action) -> list[Node]:
        """A bottom sheet over what was there; the texts behind it stay in the dump."""
        scrim = Node("Frame", action=close, look="dim")
        card = Node(
            "Frame", (0, 700, WIDTH, NAVIGATION_BAR), desc=self.say("sheet"), action=lambda: None, look="card"
        )
        heading = Node("Text", (66, 730, WIDTH - 66, 810), text=title, look="title")
        return [*behind, scrim, card.add(heading, *page.nodes)]

    def draw_save_login_info(self) -> list[Node]:
        page = Page(top=900)
        page.title(self.say("save_title"))
        page.text(self.say("save_text"), height=110)
        self.button(page, "save", self.answer(self.arrive), "primary")
        self.button(page, "not_now", self.answer(self.arrive))
        return [
            self.tab_bar("home"),
            Node("Frame", (40, 840, 1040, page.y + 40), look="card").add(*page.nodes),
        ]

    def draw_contacts(self) -> list[Node]:
        return self.notice("contacts", "", ("next", None), ("skip", self.done_with("contacts")))

    def draw_popups(self) -> list[Node]:
        page = Page(top=900)
        page.title(self.say("terms_title"))
        self.button(page, "terms", self.answer(self.agree), "primary")
        return page.nodes

    def draw_home(self) -> list[Node]:
        if "update" in self.popups:
            return self.update_prompt()
        pager = Node(
            "androidx.viewpager.widget.ViewPager", (0, 66, WIDTH, 1953), id="viewpager", look="black"
        )
        pager.scrollable = True
        tops = [
            Node("Text", (300, 80, 520, 170), text=self.say("following_feed"), look="light"),
            Node("Text", (560, 80, 780, 170), text=self.say("for_you"), selected=True, look="light"),
        ]
        return [pager.add(*tops), self.tab_bar("home")]

    def update_prompt(self) -> list[Node]:
        """A card without any text, description or id, as the real one; a tap beside it closes it."""

        def close() -> None:
            self.popups.discard("update")

        card = Node("Group", (152, 562, 928, 1658), action=lambda: None, look="card", clickable=False)
        card.clickable = True
        return [Node("Group", action=close, look="black").add(card)]

    def count(self, box: Box, value: int, label: str) -> Node:
        """One of the three counts: number above label."""
        left, top, right, bottom = box
        middle = (top + bottom) // 2
        number = short_count(value, self.language)
        return Node("Linear", box, clickable=True).add(
            Node("Text", (left, top, right, middle), text=number, id=self.rid("count"), look="strong"),
            Node("Text", (left, middle, right, bottom), text=label, id=self.rid("count_label"), look="small"),
        )

    def grid(self, videos: int) -> Node:
        """The covers of the videos, nine at most on one screen."""
        box = Node("Recycler", (0, 990, WIDTH, 1940), id=self.rid("grid"), scrollable=True)
        for number in range(min(videos, 9)):
            left, top = number % 3 * 360, 990 + number // 3 * 315
            box.add(Node("Image", (left, top, left + 356, top + 311), id="cover", look="picture"))
        return box

    def draw_own_profile(self) -> list[Node]:
        profile = self.profile()
        switch = self.goer("switch_account_sheet")
        name, handle = profile.nickname or self.active, "@" + self.active
        head = Node("Linear", (0, 220, WIDTH, 763), id=self.rid("header")).add(
            Node("Button", (0, 260, 319, 532), desc=self.say("photo"), look="avatar", clickable=True),
            Node("Button", (185, 421, 307, 532), desc=self.say("add_story"), look="icon", clickable=True),
            Node(
                "Button",
                (330, 260, 830, 350),
                text=name,
                id=self.rid("nickname"),
                action=switch,
                look="title",
            ),
            Node(
                "Button",
                (330, 360, 830, 430),
                text=handle,
                id=self.rid("handle"),
                look="small",
                clickable=True,
            ),
            Node("Button", (865, 347, 1036, 446), look="plain", clickable=True),
            self.count((44, 543, 340, 653), profile.following, self.say("following")),
            self.count((380, 543, 680, 653), profile.followers, self.say("followers")),
            self.count((720, 543, 1036, 653), profile.likes, self.say("likes")),
            *(
                [self.count((44, 760, 340, 850), profile.friends, self.say("friend_count"))]
                if profile.friends
                else []
            ),
            Node("Text", (44, 680, 347, 750), text=self.say("studio"), id=self.rid("studio"), look="small"),
        )
        menu = Node("Button", (948, 93, 1058, 203), desc=self.say("menu"), look="icon", clickable=True)
        tab = Node(
            "Frame", (44, 863, 292, 973), desc=self.say("videos"), selected=True, look="tab", clickable=True
        )
        return [menu, head, tab, self.grid(profile.videos), self.tab_bar("profile")]

    def draw_switch_account_sheet(self) -> list[Node]:
        page = Page(top=840)
        for name in self.accounts:
            chosen = name == self.active
            row = page.place("Linear", 140, 10, action=self.switch_to(name), selected=chosen, look="row")
            row.add(Node("Text", row.box, text=name, id=self.rid("row_name"), selected=chosen, look="strong"))
        self.button(page, "add_account", self.answer(self.open_login))
        return self.sheet(self.say("switch"), self.draw_own_profile(), page, self.goer("own_profile"))
