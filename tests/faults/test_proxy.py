"""The network in front of Redis does what the fault test says it does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis

from tests.faults import proxy
from tests.faults.proxy import Proxy


@pytest.fixture
def between(redis_url: str) -> Iterator[Proxy]:
    made = Proxy(urlsplit(redis_url).port or 0)
    yield made
    made.close()


def client(between: Proxy) -> Any:
    return redis.Redis(port=between.port, socket_timeout=1, socket_connect_timeout=1, retry=None)


def test_it_carries_what_is_said_and_answered(between: Proxy) -> None:
    one = client(between)
    one.set("name", b"x" * 200_000)
    assert one.get("name") == b"x" * 200_000


@pytest.mark.parametrize("mode", [proxy.CUT, proxy.RESET])
def test_a_cut_ends_old_and_new_connections_at_once(between: Proxy, mode: str) -> None:
    one = client(between)
    one.ping()
    between.set(mode)
    begun = time.monotonic()
    for asked in (one, client(between)):
        with pytest.raises(redis.ConnectionError):
            asked.ping()
    assert time.monotonic() - begun < 0.5
    between.set(proxy.PASS)
    assert client(between).ping()


def test_a_half_open_connection_hangs_until_its_timeout(between: Proxy, redis_url: str) -> None:
    one = client(between)
    one.ping()
    between.set(proxy.SILENT)
    with pytest.raises(redis.TimeoutError):
        one.set("silent", 1)
    assert not redis.Redis.from_url(redis_url).exists("silent")


def test_a_deaf_agent_has_its_command_done_and_never_learns_it(between: Proxy, redis_url: str) -> None:
    one = client(between)
    one.ping()
    between.set(proxy.DEAF)
    with pytest.raises(redis.TimeoutError):
        one.set("deaf", 1)
    assert redis.Redis.from_url(redis_url).get("deaf") == b"1"


def test_a_lost_connection_is_dead_for_good_and_a_new_one_well(between: Proxy) -> None:
    one, other = client(between), client(between)
    one.ping()
    between.set(proxy.LOST)
    between.set(proxy.PASS)
    with pytest.raises(redis.TimeoutError):
        one.ping()
    assert other.ping()


def test_a_slow_network_takes_its_time(between: Proxy) -> None:
    one = client(between)
    one.ping()
    between.set(proxy.SLOW)
    begun = time.monotonic()
    one.ping()
    assert time.monotonic() - begun >= 2 * proxy.SLOW_SECONDS
