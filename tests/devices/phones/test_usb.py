"""Where a phone hangs."""

from __future__ import annotations

import pytest

from devices.phones.usb import hub_and_port


@pytest.mark.parametrize(
    ("path", "hub", "port"),
    [
        ("1-4.3", "1-4", "3"),
        ("2-1.4.2", "2-1.4", "2"),
        ("1-4", "1", "4"),
        ("10-12", "10", "12"),
        ("usb:1-4.3", "1-4", "3"),
        (" 1-4.3\n", "1-4", "3"),
        ("", "", ""),
        ("127.0.0.1:5555", "", ""),
        ("1-", "", ""),
        ("1-4..3", "", ""),
        ("usb", "", ""),
    ],
)
def test_the_hub_and_the_port_are_read_out_of_the_path(path: str, hub: str, port: str) -> None:
    assert hub_and_port(path) == (hub, port)
