"""The state machine takes minutes of CPU: it begins with the session, behind all others, and ends in its tests."""

from __future__ import annotations

import pytest

from tests.faults import machine_start


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Last, so that nothing waits for what takes longest."""
    items.sort(key=lambda item: item.name in machine_start.PLAYED)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin where its tests were chosen; nothing of it is in the way of a list of the tests."""
    chosen = {item.name for item in session.items}
    for test in machine_start.PLAYED.keys() & chosen:
        if not session.config.option.collectonly:
            machine_start.begin(test)


def pytest_unconfigure() -> None:
    """None is left behind, such as after Ctrl-C or -x."""
    machine_start.end()
