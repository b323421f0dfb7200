"""Where a phone hangs, read out of adb's USB path."""

from __future__ import annotations


def hub_and_port(usb_path: str) -> tuple[str, str]:
    """The hub's own path and the port on it: `1-4.3` is port 3 of hub `1-4`; `1-4` is port 4 of root hub `1`.

    Two empty strings for a phone over TCP, or for a path that is no USB path.
    """
    path = usb_path.strip().removeprefix("usb:")
    bus, dash, ports = path.partition("-")
    if not dash or not bus.isdigit() or not all(port.isdigit() for port in ports.split(".")):
        return "", ""
    hub, dot, port = path.rpartition(".")
    return (hub, port) if dot else (bus, ports)
