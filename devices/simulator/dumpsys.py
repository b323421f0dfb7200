"""What `dumpsys` of a simulated phone says: as much of it as adbutils and uiautomator2 read."""

from __future__ import annotations

from devices.simulator import faults
from devices.simulator.device import SimulatedPhone
from devices.simulator.ui import HEIGHT, WIDTH


def dumpsys(phone: SimulatedPhone, words: list[str]) -> str:
    """The report of one service."""
    name, rest = (words[:1] or [""])[0], words[1:]
    reports = {
        "battery": battery,
        "window": window,
        "activity": activity,
        "display": display,
        "power": power,
        "connectivity": connectivity,
        "SurfaceFlinger": surface_flinger,
    }
    if name == "package":
        return package(phone, rest[-1] if rest else "")
    report = reports.get(name)
    return report(phone) if report else f"Can't find service: {name}\n"


def battery(phone: SimulatedPhone) -> str:
    """Charge and temperature, in tenths of a degree."""
    return (
        "Current Battery Service state:\n  AC powered: false\n  USB powered: true\n  Wireless powered: false\n"
        f"  status: 2\n  health: 2\n  present: true\n  level: {phone.battery}\n  scale: 100\n  voltage: 4200\n"
        f"  temperature: {round(phone.temperature * 10)}\n  technology: Li-ion\n"
    )


def window(phone: SimulatedPhone) -> str:
    """The window that has the focus."""
    focus = "/".join(phone.front_activity)
    if phone.overlay == "os.crash" and phone.overlay_app:
        focus = f"Application Error: {phone.overlay_app.package}"
    return (
        f"WINDOW MANAGER WINDOWS (dumpsys window windows)\n  mCurrentFocus=Window{{3f1c2a u0 {focus}}}\n"
        f"  mFocusedApp=ActivityRecord{{9a8b7c u0 {'/'.join(phone.front_activity)} t12}}\n"
        f"  isKeyguardShowing={str(phone.locked).lower()}\n"
    )


def activity(phone: SimulatedPhone) -> str:
    """The activity in front."""
    component = "/".join(phone.front_activity)
    pid = phone.front.pid if phone.front else 1500
    return (
        f"  mResumedActivity: ActivityRecord{{9a8b7c u0 {component} t12}}\n"
        f"  ACTIVITY {component} 9a8b7c pid={pid}\n"
    )


def display(phone: SimulatedPhone) -> str:
    """The size of the display."""
    size = f"deviceWidth={WIDTH}, deviceHeight={HEIGHT}"
    return f"  DisplayViewport{{valid=true, orientation=0, logicalFrame=Rect(0, 0 - {WIDTH}, {HEIGHT}), {size}}}\n"


def power(phone: SimulatedPhone) -> str:
    """Whether the screen is on."""
    awake = "Awake" if phone.screen_on else "Asleep"
    return f"  mWakefulness={awake}\n  mHoldingDisplaySuspendBlocker={str(phone.screen_on).lower()}\n"


def connectivity(phone: SimulatedPhone) -> str:
    """Whether there is a network to use."""
    network = "none" if phone.fault == faults.NO_INTERNET else "101"
    return f"NetworkProviders for:\n\nActive default network: {network}\n"


def surface_flinger(phone: SimulatedPhone) -> str:
    """The id of the display."""
    return 'Display 4619827259835644672 (HWC display 0): port=0 pnpId=GGL displayName="screen"\n'


def package(phone: SimulatedPhone, name: str) -> str:
    """Version and flags of an installed app."""
    app = phone.installed.get(name)
    if app is None:
        return f"Unable to find package: {name}\n"
    code = "".join(part.zfill(2) for part in app.version.split(".")[:3] if part.isdigit())
    return (
        f"Packages:\n  Package [{name}] (1a2b3c):\n    versionCode={int(code or 1)} minSdk=28 targetSdk=34\n"
        f"    versionName={app.version}\n    signatures=PackageSignatures{{5f6e7d version:2, signatures:[1234abcd]}}\n"
        "    pkgFlags=[ HAS_CODE ALLOW_CLEAR_USER_DATA ]\n"
        "    firstInstallTime=2026-01-02 03:04:05\n    lastUpdateTime=2026-02-03 04:05:06\n"
    )
