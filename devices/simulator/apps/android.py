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
GOOGLE = "com.google.android.gms"


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


def keyguard(language: str, lock: str) -> Node:
    """The lock screen: one that a swipe opens, or one that wants a PIN."""
    root = Node("Frame", (0, 0, WIDTH, NAVIGATION_BAR), id="keyguard_indication_area", look="wallpaper")
    if lock == "pin":
        pad = Node("Frame", (140, 900, 940, 1900), id="keyguard_pin_view", look="card")
        for number in range(9):
            left, top = 160 + number % 3 * 260, 920 + number // 3 * 240
            box = (left, top, left + 220, top + 200)
            pad.add(
                Node("Group", box, desc=str(number + 1), id=f"key{number + 1}", look="key", clickable=True)
            )
        return stamp(root.add(pad), SYSTEM_UI)
    hint = Node("Text", (140, 1800, 940, 1900), text=say(ANDROID, language, "swipe"), look="light")
    return stamp(root.add(hint), SYSTEM_UI)


def opaque(package: str) -> Node:
    """What a page that gives nothing away looks like in a dump."""
    inner = Node("Frame", id="android:id/content").add(Node("View", look="black"))
    return stamp(Node("Frame", (0, 0, WIDTH, NAVIGATION_BAR)).add(Node("Linear").add(inner)), package)


def buttons_dialog(
    title: str, buttons: list[tuple[str, str, Action | None]], package: str, title_id: str = ""
) -> Node:
    """A dialog of the system: a title and buttons (text, id, action) below it."""
    page = Page(top=900, left=138, right=942)
    page.title(title, id=title_id)
    for text, ident, action in buttons:
        page.place("Button", 120, text=text, id=ident, action=action, look="plain", clickable=True)
    box = (28, 860, 1052, page.y + 40)
    return stamp(Node("Frame", box, look="card", clickable=True).add(*page.nodes), package)


def hang_dialog(language: str, label: str, close: Action, wait: Action) -> Node:
    """The dialog "X isn't responding"."""
    return buttons_dialog(
        say(ANDROID, language, "hanging", label),
        [
            (say(ANDROID, language, "close_app"), "android:id/aerr_close", close),
            (say(ANDROID, language, "wait"), "android:id/aerr_wait", wait),
        ],
        "android",
        "android:id/alertTitle",
    )


def autofill_dialog(language: str, label: str, close: Action) -> Node:
    """Android's own offer to save a password."""
    return buttons_dialog(
        say(ANDROID, language, "save_password", label),
        [
            (say(ANDROID, language, "no_thanks"), "android:id/autofill_save_no", close),
            (say(ANDROID, language, "save"), "android:id/autofill_save_yes", None),
        ],
        "android",
        "android:id/autofill_save_title",
    )


def password_manager(language: str, label: str, close: Action) -> Node:
    """Google's offer to save a password."""
    return buttons_dialog(
        say(ANDROID, language, "save_password", label),
        [
            (say(ANDROID, language, "no_thanks"), "cancel", close),
            (say(ANDROID, language, "save"), "save_credential", None),
        ],
        GOOGLE,
    )


def crash_dialog(language: str, label: str, close: Action, restart: Action) -> Node:
    """The dialog "X keeps stopping"."""
    return buttons_dialog(
        say(ANDROID, language, "stopping", label),
        [
            (say(ANDROID, language, "app_info"), "android:id/aerr_app_info", None),
            (say(ANDROID, language, "restart"), "android:id/aerr_restart", restart),
            (say(ANDROID, language, "close_app"), "android:id/aerr_close", close),
        ],
        "android",
        "android:id/alertTitle",
    )


#: How each prompt is drawn, and the package that it belongs to where that is not `android`.
PROMPTS = {
    "os.permission": permission_dialog,
    "os.autofill_save": autofill_dialog,
    "os.password_manager": password_manager,
}
OVERLAYS = {"os.permission": PERMISSIONS, "os.password_manager": GOOGLE}
