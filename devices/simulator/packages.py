"""The package and activity managers of a simulated phone."""

from __future__ import annotations

import io
import zipfile

from devices.simulator.device import ADB_KEYBOARD, SimulatedPhone
from devices.simulator.shell import Result

KEYBOARD_PACKAGE = ADB_KEYBOARD.split("/")[0]
SYSTEM_PACKAGES = ("android", "com.android.systemui", "com.google.android.permissioncontroller")


def text(output: str, code: int = 0) -> Result:
    """A result of some lines."""
    return Result(output.encode(), code)


def known(phone: SimulatedPhone) -> list[str]:
    """The packages that a person has installed."""
    extra = [KEYBOARD_PACKAGE] if ADB_KEYBOARD in phone.input_methods else []
    return [*phone.installed, *extra]


def pm(phone: SimulatedPhone, words: list[str]) -> Result:
    """What `pm` answers."""
    verb, rest = (words[:1] or [""])[0], words[1:]
    if verb == "list":
        own = known(phone) if "-3" in rest else [*SYSTEM_PACKAGES, *known(phone)]
        return text("".join(f"package:{one}\n" for one in own))
    if verb == "path":
        found = rest[-1:] and rest[-1] in known(phone)
        return text(f"package:/data/app/{rest[-1]}-1/base.apk\n") if found else Result(code=1)
    if verb == "clear":
        done = phone.clear_app(rest[-1])
        return text("Success\n" if done else "Failed\n", 0 if done else 1)
    if verb == "install":
        return install(phone, rest[-1])
    if verb == "uninstall":
        return uninstall(phone, rest[-1])
    return Result()


def install(phone: SimulatedPhone, path: str) -> Result:
    """Install a pushed file; only AdbKeyboard has an effect."""
    file = phone.files.get(path)
    if file is None:
        return text(f"Error: failed to open {path}\n", 1)
    if names_keyboard(file.read()) and ADB_KEYBOARD not in phone.input_methods:
        phone.input_methods.append(ADB_KEYBOARD)
    return text("Success\n")


def names_keyboard(apk: bytes) -> bool:
    """Whether the manifest in an APK carries the package of AdbKeyboard."""
    try:
        manifest = zipfile.ZipFile(io.BytesIO(apk)).read("AndroidManifest.xml")
    except (zipfile.BadZipFile, KeyError):
        return False
    return KEYBOARD_PACKAGE.encode() in manifest or KEYBOARD_PACKAGE.encode("utf-16-le") in manifest


def uninstall(phone: SimulatedPhone, package: str) -> Result:
    """Take AdbKeyboard away; the apps stay, as they belong to the description."""
    if package != KEYBOARD_PACKAGE or ADB_KEYBOARD not in phone.input_methods:
        return text("Failure [DELETE_FAILED_INTERNAL_ERROR]\n", 1)
    phone.input_methods.remove(ADB_KEYBOARD)
    return text("Success\n")


def am_start(phone: SimulatedPhone, component: str) -> Result:
    """Start an app by its activity."""
    if phone.start_app(component.split("/")[0]):
        return text(f"Starting: Intent {{ cmp={component} }}\n")
    return text(f"Error type 3\nError: Activity class {{{component}}} does not exist.\n", 1)


def app_locales(phone: SimulatedPhone, package: str) -> Result:
    """What `cmd locale` says of an app: the language that it has for itself, where it is not the phone's."""
    app = phone.installed.get(package)
    own = "" if app is None or app.language == phone.spec.language else app.language
    return text(f"Locales for {package} for user 0 are [{own}]\n")
