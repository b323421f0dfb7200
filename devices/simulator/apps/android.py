"""What Android itself puts on the screen: bars, launcher, keyboard, permission and crash dialogs."""

from __future__ import annotations

from devices.simulator.apps.words import ANDROID, say
from devices.simulator.ui import HEIGHT, NAVIGATION_BAR, STATUS_BAR, WIDTH, Action, Node, Page, stamp

SYSTEM_UI = "com.android.systemui"
LAUNCHER = "com.google.android.apps.nexuslauncher"
LAUNCHER_ACTIVITY = "com.google.android.apps.nexuslauncher.NexusLauncherActivity"
KEYBOARD = "com.google.android.inputmethod.latin"
PERMISSIONS = "com.google.android.permissioncontroller"
PERMISSION_IDS = "com.android.permissioncontroller:id/"
PERMISSION_ACTIVITY = "com.android.permissioncontroller.permission.ui.GrantPermissionsActivity"
KEYBOARD_TOP = 1400


def navigation_bar(language: str, back: Action, home: Action) -> Node:
    """The window with the three buttons, named as in no app but the system's."""
    root = Node("Frame", (0, NAVIGATION_BAR, WIDTH, HEIGHT), id="navigation_bar_frame", look="bar")
    spots: tuple[tuple[str, int, Action | None], ...] = (("back", 129, back), ("home_button", 430, home))
    for ident, left, action in spots:
        desc = say(ANDROID, language, "home" if ident == "home_button" else "back")
        box = (left, NAVIGATION_BAR, left + 220, HEIGHT)
        root.add(Node("Image", box, desc=desc, id=ident, action=action, look=ident))
    return stamp(root, SYSTEM_UI)


def status_bar(language: str, battery: int) -> Node:
    """The window with clock and battery."""
    charge = say(ANDROID, language, "battery", battery)
    root = Node("Frame", (0, 0, WIDTH, STATUS_BAR), id="status_bar", look="status")
    root.add(
        Node("Text", (50, 0, 146, STATUS_BAR), text="12:00", desc="12:00", id="clock", look="status_text"),
        Node("Linear", (950, 18, 1003, 48), desc=charge, id="battery", look="battery"),
    )
    return stamp(root, SYSTEM_UI)


def keyboard() -> Node:
    """The keyboard's window; its keys carry descriptions, as a real one's do."""
    root = Node("Frame", (0, KEYBOARD_TOP, WIDTH, NAVIGATION_BAR), look="keyboard", clickable=True)
    for row, letters in enumerate(("qwertyuiop", "asdfghjkl", "zxcvbnm")):
        for column, letter in enumerate(letters):
            left, top = 10 + row * 50 + column * 106, KEYBOARD_TOP + 60 + row * 150
            root.add(Node("Frame", (left, top, left + 96, top + 130), desc=letter, look="key"))
    return stamp(root, KEYBOARD)


def launcher(apps: list[tuple[str, Action]]) -> Node:
    """The home screen with an icon per app."""
    root = Node("Frame", (0, 0, WIDTH, NAVIGATION_BAR), id="launcher", look="wallpaper")
    for number, (label, action) in enumerate(apps):
        left, top = 60 + number % 4 * 250, 1500 + number // 4 * 260
        box = (left, top, left + 210, top + 230)
        root.add(Node("Text", box, text=label, desc=label, id="icon", action=action, look="icon"))
    return stamp(root, LAUNCHER)


def permission_dialog(language: str, label: str, close: Action) -> Node:
    """The runtime permission dialog: its ids name another package than its nodes, as on Google phones."""
    page = Page(top=900, left=138, right=942)
    page.text(
        say(ANDROID, language, "permission", label), height=180, id=PERMISSION_IDS + "permission_message"
    )
    for key in ("allow", "deny"):
        ident = f"{PERMISSION_IDS}permission_{key}_button"
        page.place("Button", 140, text=say(ANDROID, language, key), id=ident, action=close, look="plain")
    box = (28, 860, 1052, page.y + 40)
    dialog = Node("Linear", box, id=PERMISSION_IDS + "grant_dialog", look="card", clickable=True)
    return stamp(Node("Frame", box).add(dialog.add(*page.nodes)), PERMISSIONS)


def crash_dialog(language: str, label: str, close: Action, restart: Action) -> Node:
    """The dialog "X keeps stopping"."""
    page = Page(top=900, left=138, right=942)
    page.title(say(ANDROID, language, "stopping", label), id="android:id/alertTitle")
    buttons: tuple[tuple[str, str, Action | None], ...] = (
        ("app_info", "aerr_app_info", None),
        ("restart", "aerr_restart", restart),
        ("close_app", "aerr_close", close),
    )
    for key, ident, action in buttons:
        text = say(ANDROID, language, key)
        page.place(
            "Button", 120, text=text, id="android:id/" + ident, action=action, look="plain", clickable=True
        )
    box = (28, 860, 1052, page.y + 40)
    return stamp(Node("Frame", box, look="card", clickable=True).add(*page.nodes), "android")
