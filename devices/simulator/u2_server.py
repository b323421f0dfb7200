"""The uiautomator2 server of a simulated phone: JSON-RPC over HTTP on its port 9008.

The methods bear the names and the arguments of the real server, which also say what they do.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable
from typing import Any

from devices.simulator import faults, http
from devices.simulator.device import SimulatedPhone
from devices.simulator.journal import toucher
from devices.simulator.selectors import Selector, find
from devices.simulator.transport import Stream
from devices.simulator.ui import HEIGHT, WIDTH, Node, dump

PORT = 9008
#: all that a server which has lost its connection to the windows still shows
STUCK = Node("Frame", (0, 0, WIDTH, HEIGHT), package="android")

Method = Callable[..., Any]
METHODS: dict[str, Method] = {}
WAITS: dict[str, Callable[..., Awaitable[Any]]] = {}


class RpcError(Exception):
    """The call failed on the phone; the message goes back as it is."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class ServerDied(Exception):
    """The server was ended while it had not yet begun with a call."""


def not_found(selector: Selector) -> RpcError:
    """The error of the real server, without a text that was looked for."""
    fields = sorted(
        name for name in selector if name not in ("mask", "childOrSibling", "childOrSiblingSelector")
    )
    return RpcError(
        -32001, f"androidx.test.uiautomator.UiObjectNotFoundException: UiSelector[{','.join(fields)}]"
    )


async def serve(phone: SimulatedPhone, stream: Stream) -> None:
    """Answer requests until the stream ends, or the server that it was made to: a later one hears nothing of it."""
    owner = phone.u2_owner
    while True:
        try:
            request = await http.read_request(stream)
        except ValueError:
            return
        if phone.u2_owner is not owner:
            return
        if request.path == "/ping":
            await stream.write(http.response(200, b"pong", "text/plain"))
            continue
        try:
            answer = await answer_rpc(phone, request, owner)
        except ServerDied:
            return
        if not phone.u2_running:
            return  # the server died during the call: no answer, as on a real phone
        await stream.write(answer)


async def answer_rpc(phone: SimulatedPhone, request: http.Request, owner: Stream | None) -> bytes:
    """The response to one JSON-RPC call to the server of this owner. Raises ServerDied."""
    try:
        call = request.json()
        method, params = call["method"], call.get("params") or []
    except (ValueError, KeyError, TypeError):
        return http.response(400, b"")
    await suffer(phone, owner)
    toucher.set(call["id"] if isinstance(call.get("id"), str) else "")
    try:
        result = await invoke(phone, method, params)
    except RpcError as error:
        failure = {"code": error.code, "message": str(error), "data": ""}
        return http.json_response(200, {"jsonrpc": "2.0", "id": call.get("id"), "error": failure})
    return http.json_response(200, {"jsonrpc": "2.0", "id": call.get("id"), "result": result})


async def suffer(phone: SimulatedPhone, owner: Stream | None) -> None:
    """Whatever a fault does to a call before it runs. Raises ServerDied: then it never does."""
    if phone.fault == faults.SLOW:
        await asyncio.sleep(phone.seconds)
    while phone.fault == faults.HANG:
        await phone.wait_change()
    if phone.u2_owner is not owner:
        raise ServerDied


async def invoke(phone: SimulatedPhone, method: str, params: list[Any]) -> Any:
    """The result of one method. Raises RpcError."""
    try:
        if method in WAITS:
            return await WAITS[method](phone, *params)
        if method in METHODS:
            return METHODS[method](phone, *params)
    except (TypeError, ValueError, IndexError) as error:
        raise RpcError(-32602, f"method parameters invalid: {method}") from error
    raise RpcError(-32601, f"method not found: {method}")


def method(function: Method) -> Method:
    """Make a function callable under its own name, without the trailing underscore."""
    METHODS[function.__name__.rstrip("_")] = function
    return function


def wait(function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """As `method`, for one that waits."""
    WAITS[function.__name__] = function
    return function


def first(phone: SimulatedPhone, selector: Selector) -> Node:
    """The node that is meant. Raises RpcError."""
    found = find(phone.windows(), selector)
    if not found:
        raise not_found(selector)
    return found[0]


def center(node: Node) -> tuple[float, float]:
    """The middle of a node."""
    left, top, right, bottom = node.box
    return (left + right) / 2, (top + bottom) / 2


# --- the phone ---


@method
def deviceInfo(phone: SimulatedPhone) -> dict[str, Any]:
    return {
        "currentPackageName": phone.front_package,
        "displayHeight": HEIGHT,
        "displayWidth": WIDTH,
        "displayRotation": 0,
        "displaySizeDpX": 411,
        "displaySizeDpY": 845,
        "naturalOrientation": True,
        "productName": phone.properties["ro.product.name"],
        "screenOn": phone.screen_on,
        "sdkInt": int(phone.properties["ro.build.version.sdk"]),
    }


@method
def dumpWindowHierarchy(
    phone: SimulatedPhone, compressed: bool = False, depth: int = 50, active: bool = False
) -> str:
    if phone.fault in (faults.U2_STUCK, faults.U2_BROKEN):
        return dump([STUCK], depth or 50)
    windows = phone.windows()
    if active:
        windows = [window for window in windows if window.package == phone.front_package]
    return dump(windows, depth or 50)


@method
def takeScreenshot(phone: SimulatedPhone, scale: float = 1, quality: int = 80) -> str:
    from devices.simulator.drawing import picture

    return base64.b64encode(picture(phone, "JPEG", scale, quality)).decode()


@method
def wakeUp(phone: SimulatedPhone) -> None:
    phone.wake()


@method
def sleep(phone: SimulatedPhone) -> None:
    phone.sleep()


@method
def setClipboard(phone: SimulatedPhone, label: str | None, text: str) -> None:
    phone.clipboard = text


@method
def getClipboard(phone: SimulatedPhone) -> str:
    return phone.clipboard


@method
def pasteClipboard(phone: SimulatedPhone) -> bool:
    return phone.type_text(phone.clipboard)


@method
def clearInputText(phone: SimulatedPhone) -> bool:
    return phone.type_text("", replace=True)


@method
def pressKey(phone: SimulatedPhone, key: str) -> bool:
    return phone.press(key)


@method
def pressKeyCode(phone: SimulatedPhone, code: int, meta: int = 0) -> bool:
    from devices.simulator.commands import KEY_CODES

    return phone.press(KEY_CODES.get(str(code), str(code)))


def nothing(result: Any) -> Method:
    """A method that does nothing here and answers always the same."""
    return lambda phone, *params: result


for name in (
    "getLastToast",
    "clearLastToast",
    "getLastTraversedText",
    "clearLastTraversedText",
    "setOrientation",
):
    METHODS[name] = nothing(None)
for name in ("freezeRotation", "injectInputEvent", "openNotification", "openQuickSettings", "gesture"):
    METHODS[name] = nothing(True)
for name in ("pinchIn", "pinchOut", "scrollTo", "scrollForward", "scrollBackward", "scrollToBeginning"):
    METHODS[name] = nothing(False)
for name in ("scrollToEnd", "flingForward", "flingBackward", "flingToBeginning", "flingToEnd"):
    METHODS[name] = nothing(False)


# --- touches ---


@method
def click(phone: SimulatedPhone, where: Any, y: Any = None, duration: int = 0) -> bool:
    x, y = center(first(phone, where)) if isinstance(where, dict) else (where, y)
    phone.tap(float(x), float(y))
    return True


@method
def swipe(phone: SimulatedPhone, where: Any, *rest: Any) -> bool:
    if isinstance(where, dict):
        x, y = center(first(phone, where))
        dx, dy = {"up": (0, -300), "down": (0, 300), "left": (-300, 0), "right": (300, 0)}[rest[0]]
        phone.swipe(x, y, x + dx, y + dy)
    else:
        phone.swipe(float(where), *(float(one) for one in rest[:3]))
    return True


@method
def swipePoints(phone: SimulatedPhone, points: list[float], steps: int = 0) -> bool:
    phone.swipe(points[0], points[1], points[-2], points[-1])
    return True


METHODS["drag"] = swipe


@method
def dragTo(phone: SimulatedPhone, selector: Selector, *target: Any) -> bool:
    x, y = center(first(phone, selector))
    to = (
        center(first(phone, target[0]))
        if isinstance(target[0], dict)
        else (float(target[0]), float(target[1]))
    )
    phone.swipe(x, y, *to)
    return True


# --- objects ---


@method
def exist(phone: SimulatedPhone, selector: Selector) -> bool:
    return bool(find(phone.windows(), selector))


@method
def count(phone: SimulatedPhone, selector: Selector) -> int:
    return len(find(phone.windows(), selector))


@method
def objInfo(phone: SimulatedPhone, selector: Selector) -> dict[str, Any]:
    return describe(first(phone, selector))


@method
def objInfoOfAllInstances(phone: SimulatedPhone, selector: Selector) -> list[dict[str, Any]]:
    return [describe(node) for node in find(phone.windows(), selector)]


def describe(node: Node) -> dict[str, Any]:
    """A node as the real server describes it."""
    bounds = dict(zip(("left", "top", "right", "bottom"), node.box, strict=True))
    return {
        "bounds": bounds,
        "visibleBounds": bounds,
        "checkable": node.can_check,
        "checked": node.checked,
        "childCount": len(node.children),
        "className": node.class_name,
        "clickable": node.can_click,
        "contentDescription": node.desc,
        "enabled": node.enabled,
        "focusable": node.can_click,
        "focused": node.focused,
        "longClickable": False,
        "packageName": node.package,
        "resourceName": node.id or None,
        "scrollable": node.scrollable,
        "selected": node.selected,
        "text": node.text,
    }


@method
def getText(phone: SimulatedPhone, selector: Selector) -> str:
    return first(phone, selector).text


@method
def setText(phone: SimulatedPhone, selector: Selector, text: str) -> bool:
    return phone.set_text(first(phone, selector), text)


@method
def clearTextField(phone: SimulatedPhone, selector: Selector) -> bool:
    return phone.set_text(first(phone, selector), "")


def inner(outer: Selector, child: Selector, **more: Any) -> Selector:
    """A selector for a child of what `outer` means."""
    return {
        **outer,
        "childOrSibling": [*outer.get("childOrSibling", []), "child"],
        "childOrSiblingSelector": [*outer.get("childOrSiblingSelector", []), {**child, **more}],
    }


async def wait_until(phone: SimulatedPhone, selector: Selector, there: bool, milliseconds: int) -> bool:
    """Whether the node was there (or gone) in time."""
    end = time.monotonic() + milliseconds / 1000
    while bool(find(phone.windows(), selector)) != there:
        left = end - time.monotonic()
        if left <= 0 or not phone.u2_running:
            return False
        await phone.wait_change(left)
    return True


@wait
async def waitForExists(phone: SimulatedPhone, selector: Selector, milliseconds: int) -> bool:
    return await wait_until(phone, selector, True, milliseconds)


@wait
async def waitUntilGone(phone: SimulatedPhone, selector: Selector, milliseconds: int) -> bool:
    return await wait_until(phone, selector, False, milliseconds)
