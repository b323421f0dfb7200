"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import translation

pytest_plugins = ["tests.phones", "tests.redis", "tests.own_scripts"]


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """A Dutch page leaves its language behind in the thread; the next test begins in English."""
    with translation.override("en"):
        yield
