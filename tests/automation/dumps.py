"""Dumps made by hand, and dumps of every screen that the simulated apps can draw."""

from __future__ import annotations

from html import escape
from typing import Any

from devices.simulator.apps.instagram import Instagram
from devices.simulator.apps.tiktok import TikTok
from devices.simulator.description import Login, read_farm
from devices.simulator.logins import Logins
from devices.simulator.ui import NAVIGATION_BAR, WIDTH

IG, TT = "com.instagram.android", "com.zhiliaoapp.musically"


def node(cls: str = "TextView", *children: str, package: str = IG, **attributes: Any) -> str:
    """One node; `id`, `desc`, `text` and flags as keywords."""
    names = {"id": "resource-id", "desc": "content-desc"}
    given = {"bounds": "[0,0][100,100]", "enabled": "true", **attributes}
    if "id" in given and ":" not in given["id"]:
        given["id"] = f"{package}:id/{given['id']}"
    shown = " ".join(
        f'{names.get(key, key)}="{escape(str(value).lower() if isinstance(value, bool) else str(value))}"'
        for key, value in given.items()
    )
    return f'<node class="android.widget.{cls}" package="{package}" {shown}>{"".join(children)}</node>'


def dump(*nodes: str) -> str:
    """A whole dump."""
    return f"<?xml version='1.0' encoding='UTF-8'?><hierarchy rotation=\"0\">{''.join(nodes)}</hierarchy>"


class Nowhere:
    """The surroundings of an app that is only drawn."""

    def __init__(self) -> None:
        login = {"app": "instagram", "username": "alice", "totp_secret": "A" * 32, "nickname": "Alice A"}
        self.logins = Logins([Login(**login), Login(**login | {"app": "tiktok", "followers": 12345})])

    def later(self, seconds: float, action: Any) -> None:
        """Never."""

    def changed(self) -> None:
        """Nobody looks."""

    def leave_app(self) -> None:
        """Nobody leaves."""


def drawn(app: str, screen: str, language: str = "en", **changes: Any) -> str:
    """The dump of a simulated app that shows `screen`, as drawn by `draw_<screen>`."""
    kind = {"instagram": Instagram, "tiktok": TikTok}[app]
    version = changes.pop("version", "")
    described = {"app": app, "language": language, "version": version, "saved": ["alice", "bob"]}
    spec = read_farm({"phones": [{"serial": "P1", "apps": [described]}]}).phones[0].apps[0]
    one = kind(spec, Nowhere())
    one.accounts, one.active = ["alice", "bob"], "alice"
    one.login = one.phone.logins.find(app, "alice")
    one.fields = {"user": "alice"}
    for name, value in changes.items():
        setattr(one, name, value)
    one.go(screen, one.note)
    return xml_of(one.build())


def xml_of(root: Any) -> str:
    """The XML of a drawn tree."""
    from devices.simulator.ui import node_xml

    out: list[str] = []
    node_xml(root, 0, 50, out)
    return dump("".join(out))


def screens_of(app: str) -> list[str]:
    """Every screen that a simulated app can draw."""
    kind = {"instagram": Instagram, "tiktok": TikTok}[app]
    return sorted(name.removeprefix("draw_") for name in dir(kind) if name.startswith("draw_"))


FULL = f"[0,0][{WIDTH},{NAVIGATION_BAR}]"
