"""What fingers and keys do to a simulated phone."""

from __future__ import annotations

from devices.simulator import faults, ui
from devices.simulator.apps.base import App
from devices.simulator.description import PhoneSpec
from devices.simulator.ui import Action, Node


class Touchable:
    """The half of a phone that is touched; `SimulatedPhone` is the whole."""

    spec: PhoneSpec
    fault: str | None
    screen_on: bool
    locked: bool
    lock: str
    front: App | None
    overlay: str
    overlay_app: App | None
    keyboard_up: bool

    def windows(self) -> list[Node]:
        """All windows in the order of a dump."""
        raise NotImplementedError

    def changed(self) -> None:
        """Wake whoever waits for the screen or a fault to change."""
        raise NotImplementedError

    def close_overlay(self) -> None:
        """Take the dialog of the system away."""
        raise NotImplementedError

    def leave_app(self) -> None:
        """Show the launcher."""
        raise NotImplementedError

    def note(self, kind: str, detail: str = "", length: int = 0) -> None:
        """Write a touch down."""
        raise NotImplementedError

    # --- touches ---

    def tap(self, x: float, y: float) -> None:
        """A finger on the screen."""
        self.note("click", f"{round(x)},{round(y)}")
        if not self.screen_on:
            return
        for window in self.windows():
            node = ui.hit(window, x, y)
            if node is not None:
                self._act(node)
                break
        self.changed()

    def _act(self, node: Node) -> None:
        if self.fault == faults.APP_HANG and self.front and not self.overlay:
            return  # it does not respond
        if node.entry and self.front:
            self.focus(node.entry)
        elif node.action:
            node.action()
            if not (self.front and self.front.focus):
                self.keyboard_up = False

    def focus(self, entry: str) -> None:
        """Put the cursor into a field."""
        if self.front:
            self.front.focus = entry
            self.keyboard_up = self.spec.keyboard

    def swipe(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """A finger over the screen; one that hardly moves is a tap."""
        if abs(x1 - x2) + abs(y1 - y2) < 20:
            self.tap(x1, y1)
        else:
            self.note("swipe", f"{round(x1)},{round(y1)} {round(x2)},{round(y2)}")
            if self.front and not self.overlay and not self.locked:
                self.front.scroll(up=y2 < y1)
            self.changed()

    # --- text ---

    @property
    def focused_text(self) -> str | None:
        """What the focused field holds, or None without one."""
        if self.front and self.front.focus and not self.overlay:
            return self.front.field(self.front.focus)
        return None

    def type_text(self, text: str, replace: bool = False) -> bool:
        """Text into the focused field; False without one."""
        held = self.focused_text
        self.note("type", length=len(text))
        if held is None or self.front is None:
            return False
        self.front.write(self.front.focus, text if replace else held + text)
        return True

    def set_text(self, node: Node, text: str) -> bool:
        """Text into the field that `node` shows, as the accessibility action does."""
        self.note("type", length=len(text))
        if not node.entry or self.front is None:
            return False
        self.front.write(node.entry, text)
        return True

    # --- keys ---

    def press(self, key: str) -> bool:
        """A key by its name in small letters; False for one that does nothing here."""
        self.note("key", key)
        keys: dict[str, Action] = {
            "back": self.back,
            "home": self.home,
            "enter": self.enter,
            "power": self.toggle_screen,
            "wakeup": self.wake,
            "sleep": self.sleep,
            "del": self.delete,
            "delete": self.delete,
        }
        action = keys.get(key)
        if action is None:
            return False
        action()
        self.changed()
        return True

    def back(self) -> None:
        """The back key: first the keyboard, then the dialog, then the app."""
        if self.locked:
            return
        if self.keyboard_up:
            self.keyboard_up = False
        elif self.overlay:
            self.close_overlay()
        elif self.front:
            self.front.back()

    def home(self) -> None:
        """The home key."""
        if not self.locked:
            self.overlay, self.overlay_app = "", None
            self.leave_app()

    def enter(self) -> None:
        """The enter key."""
        if self.front and not self.overlay:
            self.front.enter()

    def delete(self) -> None:
        """The key that takes the last letter away."""
        if self.front and (held := self.focused_text):
            self.front.write(self.front.focus, held[:-1])

    def toggle_screen(self) -> None:
        """The power key."""
        if self.screen_on:
            self.sleep()
        else:
            self.wake()

    def wake(self) -> None:
        """Switch the screen on."""
        self.screen_on = True

    def sleep(self) -> None:
        """Switch the screen off; with a lock, it is locked from now on."""
        self.screen_on = False
        self.locked = self.lock != ""
        self.changed()

    def unlock(self) -> None:
        """Take a lock away that asks for nothing, as `wm dismiss-keyguard` does."""
        self.locked = self.locked and self.lock == "pin"
        self.changed()
