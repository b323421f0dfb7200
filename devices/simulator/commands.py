"""The commands of the simulated shell: what adbutils, uiautomator2 and people at a prompt use.

Each function is the command of its name, with as much of the output as somebody reads.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Awaitable, Callable

from devices.simulator import dumpsys, faults, packages
from devices.simulator.device import ADB_KEYBOARD, SimulatedPhone
from devices.simulator.shell import NOT_FOUND, Call, Result
from devices.simulator.ui import HEIGHT, WIDTH, dump

Command = Callable[[Call], Awaitable[Result]]
COMMANDS: dict[str, Command] = {}

KEY_CODES = {
    "3": "home",
    "4": "back",
    "26": "power",
    "66": "enter",
    "67": "del",
    "223": "sleep",
    "224": "wakeup",
}
U2_JAR = "/data/local/tmp/u2.jar"
STARTED_AT = time.time()


def command(*names: str) -> Callable[[Command], Command]:
    """Make a function known under these names."""

    def keep(function: Command) -> Command:
        for name in names:
            COMMANDS[name] = function
        return function

    return keep


def text(output: str, code: int = 0) -> Result:
    """A result of some lines."""
    return Result(output.encode(), code)


def option(words: list[str], name: str) -> str:
    """The word that follows `name`, or nothing."""
    return words[words.index(name) + 1] if name in words[:-1] else ""


@command("echo")
async def echo(call: Call) -> Result:
    words = call.words[1:]
    quiet = words[:1] == ["-n"]
    return text(" ".join(words[quiet:]) + ("" if quiet else "\n"))


@command("true", ":")
async def true(call: Call) -> Result:
    return Result()


@command("false")
async def false(call: Call) -> Result:
    return Result(code=1)


@command("sleep")
async def sleep(call: Call) -> Result:
    """Wait, but not for a stream that is gone."""
    import asyncio

    try:
        await asyncio.wait_for(call.session.stream.wait_closed(), float(call.words[1]))
    except TimeoutError:
        return Result()
    return Result(code=1)


@command("getprop")
async def getprop(call: Call) -> Result:
    known = call.phone.properties
    if len(call.words) > 1:
        return text(known.get(call.words[1], "") + "\n")
    return text("".join(f"[{name}]: [{value}]\n" for name, value in sorted(known.items())))


@command("setprop")
async def setprop(call: Call) -> Result:
    if len(call.words) < 2:
        return text("usage: setprop NAME VALUE\n", 1)
    call.phone.properties[call.words[1]] = call.words[2] if len(call.words) > 2 else ""
    return Result()


@command("wm")
async def wm(call: Call) -> Result:
    if call.words[1:2] == ["dismiss-keyguard"]:
        call.phone.unlock()
        return Result()
    return text(
        "Physical density: 420\n" if call.words[1:2] == ["density"] else f"Physical size: {WIDTH}x{HEIGHT}\n"
    )


@command("dumpsys")
async def dumpsys_command(call: Call) -> Result:
    return text(dumpsys.dumpsys(call.phone, call.words[1:]))


@command("pm")
async def pm(call: Call) -> Result:
    return packages.pm(call.phone, call.words[1:])


@command("cmd")
async def cmd(call: Call) -> Result:
    if call.words[1:2] == ["package"]:
        return packages.pm(call.phone, call.words[2:])
    if call.words[1:3] == ["locale", "get-app-locales"] and len(call.words) > 3:
        return packages.app_locales(call.phone, call.words[3])
    return text(f"cmd: Can't find service: {' '.join(call.words[1:2])}\n", 20)


@command("monkey")
async def monkey(call: Call) -> Result:
    if call.phone.start_app(option(call.words, "-p")):
        return text("Events injected: 1\n")
    return text("** No activities found to run, monkey aborted.\n", 252)


@command("am")
async def am(call: Call) -> Result:
    verb, rest = (call.words[1:2] or [""])[0], call.words[2:]
    if verb in ("start", "start-activity"):
        return packages.am_start(call.phone, option(rest, "-n"))
    if verb == "force-stop" and rest:
        call.phone.stop_app(rest[-1])
        return Result()
    if verb == "broadcast":
        return broadcast(call.phone, option(rest, "-a"), option(rest, "text"))
    return Result() if verb in ("kill", "startservice") else text(f"Unknown command: {verb}\n", 255)


def broadcast(phone: SimulatedPhone, action: str, payload: str) -> Result:
    """What AdbKeyboard answers; without it nobody listens and the result is 0."""
    listens = phone.settings["secure default_input_method"] == ADB_KEYBOARD
    code = "-1" if listens and act_on_keyboard(phone, action, payload) else "0"
    return text(f"Broadcasting: Intent {{ act={action} flg=0x400000 }}\nBroadcast completed: result={code}\n")


def act_on_keyboard(phone: SimulatedPhone, action: str, payload: str) -> bool:
    """Do what was broadcast to AdbKeyboard; False when it does not know how."""
    if action == "ADB_KEYBOARD_INPUT_TEXT":
        return phone.type_text(base64.b64decode(payload).decode())
    if action == "ADB_KEYBOARD_CLEAR_TEXT":
        return phone.type_text("", replace=True)
    if action in ("ADB_KEYBOARD_SMART_ENTER", "ADB_KEYBOARD_EDITOR_CODE"):
        return phone.press("enter")
    phone.keyboard_up = False
    return action == "ADB_KEYBOARD_HIDE"


@command("ime")
async def ime(call: Call) -> Result:
    verb, phone = (call.words[1:2] or [""])[0], call.phone
    if verb == "list":
        return text("".join(f"{one}\n" for one in phone.input_methods))
    name = call.words[-1]
    if name not in phone.input_methods:
        return text(f"Unknown input method {name} cannot be {verb}d for user #0\n", 255)
    if verb == "set":
        phone.settings["secure default_input_method"] = name
    return text(f"Input method {name}: now {verb}d for user #0\n")


@command("settings")
async def settings(call: Call) -> Result:
    verb, space, name = (*call.words[1:4], "", "", "")[:3]
    held = call.phone.settings
    if verb == "put":
        held[f"{space} {name}"] = call.words[4] if len(call.words) > 4 else ""
        return Result()
    return text(held.get(f"{space} {name}", "null") + "\n")


@command("input")
async def input_command(call: Call) -> Result:
    words = [word for word in call.words[1:] if word not in ("touchscreen", "keyboard", "--longpress")]
    verb, rest, phone = (words[:1] or [""])[0], words[1:], call.phone
    if verb == "tap" and len(rest) == 2:
        phone.tap(float(rest[0]), float(rest[1]))
    elif verb in ("swipe", "draganddrop") and len(rest) >= 4:
        phone.swipe(*(float(one) for one in rest[:4]))
    elif verb == "text":
        phone.type_text(" ".join(rest).replace("%s", " "))
    elif verb == "keyevent":
        for key in rest:
            phone.press(KEY_CODES.get(key, key.removeprefix("KEYCODE_").lower()))
    else:
        return text("Error: Unknown command\n", 255)
    return Result()


@command("screencap")
async def screencap(call: Call) -> Result:
    from devices.simulator.drawing import picture

    image = picture(call.phone, "PNG")
    path = call.words[-1]
    if path.startswith("/"):
        return store(call.phone, path, image)
    return Result(image)


@command("uiautomator")
async def uiautomator(call: Call) -> Result:
    if call.words[1:2] != ["dump"]:
        return text("Unknown command\n", 1)
    path = call.words[-1] if call.words[-1].startswith("/") else "/sdcard/window_dump.xml"
    store(call.phone, path, dump(call.phone.windows()).encode())
    return text(f"UI hierchary dumped to: {path}\n")


def store(phone: SimulatedPhone, path: str, data: bytes) -> Result:
    """Write a file."""
    from devices.simulator.files import File

    phone.files.put(path, File(data))
    return Result()


@command("app_process")
async def app_process(call: Call) -> Result:
    """The uiautomator server: it lives as long as the stream that has started it."""
    phone, stream = call.phone, call.session.stream
    if "com.wetest.uia2.Main" not in call.words:
        return text("Error: no class given\n", 1)
    if phone.files.get(call.session.variables.get("CLASSPATH", U2_JAR)) is None:
        return text("Error: could not find class com.wetest.uia2.Main\n", 1)
    if phone.fault == faults.U2_DEAD:
        return text("[server] INFO: [UiAutomator2Server] Starting Server\nKilled\n", 137)
    if phone.u2_running:
        return text("java.lang.IllegalStateException: UiAutomationService already registered!\n", 1)
    phone.u2_owner = stream
    phone.heal(faults.U2_STUCK)
    await call.session.write(b"[server] INFO: [UiAutomator2Server] Starting Server\n")
    await stream.wait_closed()
    if phone.u2_owner is stream:
        phone.u2_owner = None
    return Result(code=129)


@command("ps")
async def ps(call: Call) -> Result:
    lines = ["USER           PID  PPID     VSZ    RSS WCHAN            ADDR S NAME"]
    lines += [
        f"u0_a{app.pid % 100:<9} {app.pid:>5}   700 1800000 220000 SyS_epoll_wait      0 S {app.package}"
        for app in call.phone.apps.values()
        if app.pid
    ]
    return text("\n".join(lines) + "\n")


@command("pidof")
async def pidof(call: Call) -> Result:
    app = call.phone.apps.get(call.words[-1])
    return text(f"{app.pid}\n") if app and app.pid else Result(code=1)


@command("md5sum", "md5")
async def md5sum(call: Call) -> Result:
    path = call.words[-1]
    file = call.phone.files.get(path)
    if file is None:
        return text(f"{call.words[0]}: {path}: No such file or directory\n", 1)
    return text(f"{file.md5}  {path}\n")


@command("toybox")
async def toybox(call: Call) -> Result:
    found = COMMANDS.get(call.words[1]) if len(call.words) > 1 else None
    if found is None:
        return text("toybox: Unknown command\n", NOT_FOUND)
    return await found(Call(call.phone, call.words[1:], call.session, call.given))


@command("cat")
async def cat(call: Call) -> Result:
    if len(call.words) == 1:
        return Result(call.given)
    file = call.phone.files.get(call.words[1])
    if file is None:
        return text(f"cat: {call.words[1]}: No such file or directory\n", 1)
    return Result(file.read())


@command("ls")
async def ls(call: Call) -> Result:
    paths = [word for word in call.words[1:] if not word.startswith("-")] or ["/"]
    files = call.phone.files
    if files.get(paths[0]):
        return text(paths[0] + "\n")
    if not files.is_folder(paths[0]):
        return text(f"ls: {paths[0]}: No such file or directory\n", 1)
    return text("".join(f"{name}\n" for name in files.names(paths[0])))


@command("rm")
async def rm(call: Call) -> Result:
    paths = [word for word in call.words[1:] if not word.startswith("-")]
    missing = [path for path in paths if not call.phone.files.remove(path)]
    if missing and not any("f" in word for word in call.words if word.startswith("-")):
        return text(f"rm: {missing[0]}: No such file or directory\n", 1)
    return Result()


@command("mkdir")
async def mkdir(call: Call) -> Result:
    for path in call.words[1:]:
        if not path.startswith("-"):
            call.phone.files.make_folder(path)
    return Result()


@command("grep")
async def grep(call: Call) -> Result:
    wanted = call.words[-1].encode()
    lines = [line for line in call.given.splitlines(keepends=True) if wanted in line]
    return Result(b"".join(lines), 0 if lines else 1)


@command("ip", "ifconfig")
async def ip(call: Call) -> Result:
    return text("wlan0: inet addr:127.0.0.1  Mask:255.0.0.0\n    inet 127.0.0.1/8 scope host wlan0\n")


@command("id")
async def id_command(call: Call) -> Result:
    return text("uid=2000(shell) gid=2000(shell) groups=2000(shell)\n")


@command("whoami")
async def whoami(call: Call) -> Result:
    return text("shell\n")


@command("date")
async def date(call: Call) -> Result:
    now = time.time() + call.phone.clock
    if "+%s" in call.words:
        return text(f"{int(now)}\n")
    return text(time.strftime("%a %b %e %H:%M:%S UTC %Y\n", time.gmtime(now)))


@command("uptime")
async def uptime(call: Call) -> Result:
    return text(f" up {int(time.time() - STARTED_AT) // 60} min,  0 users,  load average: 0.00, 0.00, 0.00\n")


@command("uname")
async def uname(call: Call) -> Result:
    return text("Linux\n" if len(call.words) == 1 else "Linux localhost 5.10.0 aarch64 Toybox\n")


@command("df")
async def df(call: Call) -> Result:
    free = 1000 if call.phone.fault == faults.STORAGE_FULL else 70_000_000
    line = f"/dev/block/dm-9  100000000 {100_000_000 - free} {free}  {100 - free // 1_000_000}% /data\n"
    return text("Filesystem     1K-blocks    Used Available Use% Mounted on\n" + line)


@command("logcat")
async def logcat(call: Call) -> Result:
    return Result()
