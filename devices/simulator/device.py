"""One simulated phone: its state, its windows and its apps. What touches do to it: touch.py."""

from __future__ import annotations

import asyncio

from devices.simulator import faults
from devices.simulator.apps import android
from devices.simulator.apps.base import App
from devices.simulator.apps.instagram import Instagram
from devices.simulator.apps.tiktok import TikTok
from devices.simulator.description import PhoneSpec
from devices.simulator.files import Files
from devices.simulator.journal import Journal
from devices.simulator.logins import Logins
from devices.simulator.touch import Touchable
from devices.simulator.transport import Listener, Stream
from devices.simulator.ui import Action, Node

KINDS: dict[str, type[App]] = {"instagram": Instagram, "tiktok": TikTok}
GBOARD = "com.google.android.inputmethod.latin/com.android.inputmethod.latin.LatinIME"
ADB_KEYBOARD = "com.github.uiautomator/.AdbKeyboard"
RUN_PROPERTY = "debug.phonerack.run"
USB_PROPERTY = "debug.phonerack.usb"
SDKS = {"9": "28", "10": "29", "11": "30", "12": "31", "13": "33", "14": "34", "15": "35", "16": "36"}
FIRST_PID = 2000
LOCALES = {"fr": "fr-FR", "nl": "nl-NL", "de": "de-DE", "es": "es-ES", "pt": "pt-BR", "ja": "ja-JP"}
TLS_SECONDS = 86_400  #: a clock that is off by more makes every certificate invalid


class SimulatedPhone(Touchable):
    """A phone without the network in front of it; every method runs on the farm's event loop."""

    def __init__(self, spec: PhoneSpec, logins: Logins) -> None:
        self.spec, self.logins = spec, logins
        self.serial = spec.serial
        self.battery, self.temperature = spec.battery, spec.temperature
        self.fault: str | None = None
        self.seconds = faults.SLOW_SECONDS
        self.apps: dict[str, App] = {one.package: KINDS[one.app](one, self) for one in spec.apps}
        self.journal = Journal(spec.serial)
        self.files = Files()
        self.properties = properties(spec)
        self.settings = {"secure default_input_method": ADB_KEYBOARD if spec.adb_keyboard else GBOARD}
        self.input_methods = [GBOARD, *([ADB_KEYBOARD] if spec.adb_keyboard else [])]
        self.clipboard = ""
        self.clock = spec.clock
        self.lock = spec.lock
        self.screen_on = self.lock == ""
        self.locked = self.lock != ""
        self.front: App | None = None
        self.overlay = ""  #: the id of a dialog of Android's over the app
        self.overlay_app: App | None = None
        self.keyboard_up = False
        self.u2_owner: Stream | None = None  #: the shell stream that the u2 server lives in
        self.listener: Listener | None = None
        self._next_pid = FIRST_PID
        self._change = asyncio.Event()

    # --- what it shows ---

    @property
    def address(self) -> str:
        """`127.0.0.1:port` of its adbd."""
        return f"127.0.0.1:{self.listener.port if self.listener else self.spec.port}"

    @property
    def screen(self) -> str:
        """The id of the screen it shows."""
        if self.locked:
            return "os.lock"
        return self.overlay or (self.front.screen if self.front else "os.launcher")

    def windows(self) -> list[Node]:
        """All windows in the order of a dump."""
        language = self.spec.language
        bars = [
            android.navigation_bar(language, self.back, self.home),
            android.status_bar(language, self.battery),
        ]
        keys = [android.keyboard()] if self.keyboard_up else []
        return [*keys, self._main_window(), *bars]

    def _main_window(self) -> Node:
        if self.locked:
            return android.keyguard(self.spec.language, self.lock)
        if self.overlay and self.overlay_app:
            return self._dialog(self.overlay_app)
        if self.front and self.fault in (faults.OPAQUE, faults.OPAQUE_APP):
            return android.opaque(self.front.package)
        if self.front:
            return self.front.build()
        return android.launcher([(app.label, self._opener(app.package)) for app in self.installed.values()])

    def _dialog(self, app: App) -> Node:
        """The dialog of Android's that is over the app."""
        language, close = self.spec.language, self.close_overlay
        if self.overlay == "os.crash":
            return android.crash_dialog(language, app.label, close, self._opener(app.package))
        if self.overlay == "os.anr":
            return android.hang_dialog(language, app.label, lambda: self.crash(app), self.wait_for_app)
        draw = android.PROMPTS[self.overlay]
        return draw(language, app.label, close)

    def _opener(self, package: str) -> Action:
        return lambda: self._open(package)

    @property
    def front_package(self) -> str:
        """The package that uiautomator would name as the current one."""
        if self.overlay:
            return android.OVERLAYS.get(self.overlay, "android")
        return self.front.package if self.front else android.LAUNCHER

    @property
    def front_activity(self) -> tuple[str, str]:
        """Package and activity that have the focus, a dialog of the system left aside."""
        if self.locked:
            return android.SYSTEM_UI, "NotificationShade"
        if self.overlay == "os.permission":
            return android.PERMISSIONS, android.PERMISSION_ACTIVITY
        if self.front and not self.overlay:
            return self.front.package, self.front.activity
        return android.LAUNCHER, android.LAUNCHER_ACTIVITY

    # --- change ---

    def changed(self) -> None:
        """Wake whoever waits for the screen or a fault to change."""
        event, self._change = self._change, asyncio.Event()
        event.set()

    async def wait_change(self, seconds: float | None = None) -> None:
        """Return when something has changed, or after `seconds`."""
        try:
            await asyncio.wait_for(self._change.wait(), seconds)
        except TimeoutError:
            return

    def later(self, seconds: float, action: Action) -> None:
        """Run `action` after some time."""
        asyncio.get_running_loop().call_later(seconds, action)

    def note(self, kind: str, detail: str = "", length: int = 0) -> None:
        """Write a touch down."""
        self.journal.note(kind, self.screen, self.properties.get(RUN_PROPERTY, ""), detail, length)

    # --- apps ---

    @property
    def installed(self) -> dict[str, App]:
        """The apps that are there, by package."""
        return {} if self.fault == faults.APP_MISSING else self.apps

    def start_app(self, package: str) -> bool:
        """Bring an app to the front; False when it is not installed."""
        if package not in self.installed:
            return False
        self.note("start_app", package)
        self._open(package)
        return True

    def _open(self, package: str) -> None:
        app = self.apps[package]
        self.overlay, self.overlay_app = "", None
        self.front, self.keyboard_up = app, False
        if not app.pid:
            app.pid, self._next_pid = self._next_pid, self._next_pid + 1
            app.start()
        if self.fault in (faults.APP_CRASH, faults.STORAGE_FULL) or "crash" in app.popups:
            app.popups.discard("crash")
            self.crash(app)
        elif self.fault == faults.APP_HANG or "anr" in app.popups:
            app.popups.discard("anr")
            self.cover(app, "os.anr")
        elif "permission" in app.popups:
            self.cover(app, "os.permission")
        self.changed()

    def cover(self, app: App, overlay: str) -> None:
        """Show a dialog of Android's over an app."""
        self.overlay, self.overlay_app = overlay, app
        self.changed()

    def wait_for_app(self) -> None:
        """The button "Wait" of an app that does not respond; while it goes on so, the dialog comes again."""
        app = self.overlay_app
        self.close_overlay()
        if self.fault == faults.APP_HANG and app is not None:
            self.later(faults.HANG_SECONDS, lambda: self._complain(app))

    def _complain(self, app: App) -> None:
        if self.fault == faults.APP_HANG and self.front is app:
            self.cover(app, "os.anr")

    def stop_app(self, package: str) -> None:
        """Force-stop: the process ends, the sign-ins stay."""
        self.note("stop_app", package)
        if package in self.apps:
            self.heal(faults.OPAQUE_APP)
            self.apps[package].popups.discard("survey_once")
            self._end(self.apps[package])

    def clear_app(self, package: str) -> bool:
        """What `pm clear` does: every account is signed out."""
        self.note("clear_app", package)
        app = self.installed.get(package)
        if app is None:
            return False
        self._end(app)
        app.clear()
        app.set_accounts([])
        return True

    def _end(self, app: App) -> None:
        app.pid = 0
        app.reset()
        if self.overlay_app is app:
            self.overlay, self.overlay_app = "", None
        if self.front is app:
            self.leave_app()
        self.changed()

    def leave_app(self) -> None:
        """Show the launcher; the app stays alive behind it."""
        self.front, self.keyboard_up = None, False

    def crash(self, app: App) -> None:
        """End the process of an app and say so on the screen."""
        self._end(app)
        self.overlay, self.overlay_app = "os.crash", app
        self.changed()

    def close_overlay(self) -> None:
        """Take the dialog of the system away; a permission is asked for only once."""
        if self.overlay_app:
            self.overlay_app.popups.discard(self.overlay.partition(".")[2].removesuffix("_save"))
        self.overlay, self.overlay_app = "", None

    @property
    def connected(self) -> bool:
        """Whether the services can be reached."""
        return self.fault != faults.NO_INTERNET and abs(self.clock) < TLS_SECONDS

    # --- the u2 server ---

    @property
    def u2_running(self) -> bool:
        """Whether the uiautomator server answers."""
        return self.u2_owner is not None and not self.u2_owner.closed

    def stop_u2(self) -> None:
        """End the uiautomator server, and the shell stream it lives in."""
        owner, self.u2_owner = self.u2_owner, None
        if owner is not None:
            owner.shut()

    # --- faults ---

    async def set_fault(self, fault: str | None) -> None:
        """Have the phone suffer from `fault`, or from nothing."""
        self.fault = fault
        if self.listener is not None:
            self.listener.trust(fault != faults.UNAUTHORIZED)
            if fault == faults.OFFLINE:
                self.listener.close()
            else:
                await self.listener.open()
        if fault == faults.LOCKED:
            self.lock = "pin"
            self.sleep()
        elif fault == faults.U2_DEAD:
            self.stop_u2()
        elif fault == faults.APP_MISSING:
            self._close_all()
        elif fault == faults.APP_CRASH and self.front:
            self.crash(self.front)
        self.changed()

    def heal(self, fault: str) -> None:
        """What was done helps against this fault."""
        if self.fault == fault:
            self.fault = None

    def _close_all(self) -> None:
        for app in self.apps.values():
            self._end(app)


def properties(spec: PhoneSpec) -> dict[str, str]:
    """The system properties of a new phone."""
    release = spec.android.split(".")[0]
    return {
        "ro.serialno": spec.serial,
        "ro.boot.serialno": spec.serial,
        "ro.product.model": spec.model,
        "ro.product.brand": "phonerack",
        "ro.product.manufacturer": "Phonerack",
        "ro.product.name": "simphone",
        "ro.product.device": "sim",
        "ro.product.cpu.abi": "arm64-v8a",
        "ro.build.version.release": spec.android,
        "ro.build.version.sdk": SDKS.get(release, "33"),
        "persist.sys.locale": LOCALES.get(spec.language, "en-US"),
        "sys.boot_completed": "1",
        USB_PROPERTY: spec.usb,
    }
