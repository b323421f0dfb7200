"""Dumps made by hand, and dumps of every screen that the simulated apps can draw."""

from __future__ import annotations

from html import escape
from typing import Any

from devices.simulator.gallery import Nowhere, drawn, screens_of, xml_of
from devices.simulator.ui import NAVIGATION_BAR, WIDTH

__all__ = ["FULL", "IG", "TT", "Nowhere", "drawn", "dump", "node", "screens_of", "xml_of"]

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


FULL = f"[0,0][{WIDTH},{NAVIGATION_BAR}]"
