"""Every screen that the simulated apps can draw, as dumps: to check screen files against, without a phone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from devices.simulator.apps.instagram import Instagram
from devices.simulator.apps.tiktok import TikTok
from devices.simulator.description import Login, read_farm
from devices.simulator.logins import Logins
from devices.simulator.ui import node_xml

APPS: dict[str, Any] = {"instagram": Instagram, "tiktok": TikTok}
LANGUAGES = ("en", "fr")


class Nowhere:
    """The surroundings of an app that is only drawn."""

    def __init__(self) -> None:
        login = {"username": "alice", "totp_secret": "A" * 32, "nickname": "Alice A"}
        self.logins = Logins(
            [Login(app="instagram", **login), Login(app="tiktok", followers=12345, **login)]  # type: ignore[arg-type]
        )

    def later(self, seconds: float, action: Any) -> None:
        """Never."""

    def changed(self) -> None:
        """Nobody looks."""

    def leave_app(self) -> None:
        """Nobody leaves."""


def drawn(app: str, screen: str, language: str = "en", **changes: Any) -> str:
    """The dump of a simulated app that shows `screen`, as drawn by `draw_<screen>`."""
    version = changes.pop("version", "")
    described = {"app": app, "language": language, "version": version, "saved": ["alice", "bob"]}
    spec = read_farm({"phones": [{"serial": "P1", "apps": [described]}]}).phones[0].apps[0]
    one = APPS[app](spec, Nowhere())
    one.accounts, one.active = ["alice", "bob"], "alice"
    one.login = one.phone.logins.find(app, "alice")
    one.fields = {"user": "alice"}
    for name, value in changes.items():
        setattr(one, name, value)
    one.go(screen, one.note)
    return xml_of(one.build())


def xml_of(root: Any) -> str:
    """The XML of a drawn tree."""
    out: list[str] = []
    node_xml(root, 0, 50, out)
    return f"<?xml version='1.0' encoding='UTF-8'?><hierarchy rotation=\"0\">{''.join(out)}</hierarchy>"


def screens_of(app: str) -> list[str]:
    """Every screen that a simulated app can draw."""
    return sorted(name.removeprefix("draw_") for name in dir(APPS[app]) if name.startswith("draw_"))


def gallery() -> Iterator[tuple[str, str]]:
    """(name, dump) of all of them, in each language."""
    for app in APPS:
        for screen in screens_of(app):
            for language in LANGUAGES:
                yield f"{app} {screen} {language}", drawn(app, screen, language)
