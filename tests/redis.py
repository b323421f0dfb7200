"""A Redis-compatible server of the tests' own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from automation.controller.wire import wire
from config import redis_server


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real server with AOF, started for this session."""
    process, url = redis_server.start(Path(tmp_path_factory.mktemp("redis")))
    yield url
    process.stop()


@pytest.fixture
def redis_client(redis_url: str, settings: Any) -> Iterator[Any]:
    """An empty database on it, which the controller's side uses too."""
    from config.celery import app

    settings.REDIS_URL = redis_url
    app.conf.broker_url = redis_url
    wire.cache_clear()
    wire().flushdb()
    yield wire()
    wire.cache_clear()
