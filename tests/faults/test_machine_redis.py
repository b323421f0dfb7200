"""The Redis of the state machine gives the answers of the real server."""

from __future__ import annotations

from typing import Any

import pytest

from automation.controller.wire import wire
from automation.protocol import moment_of, take
from tests.faults.machine_redis import Client, Server

Call = tuple[str, tuple[Any, ...], dict[str, Any]]

STRINGS: list[Call] = [
    ("set", ("a", "1"), {}), ("get", ("a",), {}), ("get", ("none",), {}),
    ("set", ("a", "2"), {"nx": True}), ("set", ("b", b"\x00\xff"), {"nx": True, "ex": 60}), ("get", ("b",), {}),
    ("mget", (["a", "b", "none"],), {}), ("exists", ("a", "b", "none"), {}), ("expire", ("a", 60), {}),
    ("expire", ("none", 60), {}), ("getdel", ("a",), {}), ("getdel", ("a",), {}), ("get", ("a",), {}),
    ("delete", ("a", "b", "none"), {}), ("set", ("n", 7), {}), ("get", ("n",), {}),
]  # fmt: skip
HASHES: list[Call] = [
    ("hset", ("h", "x", "1"), {}), ("hset", ("h", "x", "2"), {}), ("hset", ("h",), {"mapping": {"y": 3, "z": "é"}}),
    ("hget", ("h", "x"), {}), ("hget", ("h", "none"), {}), ("hget", ("none", "x"), {}), ("hgetall", ("h",), {}),
    ("hgetall", ("none",), {}), ("hdel", ("h", "x", "none"), {}), ("hdel", ("h", "y", "z"), {}), ("exists", ("h",), {}),
]  # fmt: skip
LISTS: list[Call] = [
    ("lpush", ("l", "1"), {}), ("lpush", ("l", "2", "3"), {}), ("rpush", ("l", "0"), {}), ("lrange", ("l", 0, -1), {}),
    ("llen", ("l",), {}), ("llen", ("none",), {}), ("rpop", ("l",), {}), ("rpop", ("none",), {}),
    ("ltrim", ("l", 0, 1), {}), ("lrange", ("l", 0, -1), {}), ("ltrim", ("l", 5, 9), {}), ("exists", ("l",), {}),
    ("ltrim", ("none", 0, 1), {}),
]  # fmt: skip


@pytest.fixture
def fake() -> Client:
    return Client(Server(), lambda _when, _name: None, lambda _name, _args, _answer: None)


def test_each_start_is_another_life(fake: Client, redis_client: Any) -> None:
    kept = fake.server.keep()
    lives = [moment_of(fake).life, moment_of(fake).life]
    kept()
    assert lives[0] == lives[1] != moment_of(fake).life
    assert moment_of(redis_client).life == moment_of(redis_client).life


def test_a_ticket_is_taken_once_and_comes_with_the_life_of_the_server(
    fake: Client, redis_client: Any
) -> None:
    for client in (fake, redis_client):
        client.set("ticket", "sealed")
        taken = [take(client, "ticket"), take(client, "ticket")]
        assert [sealed for sealed, _now in taken] == [b"sealed", None]
        assert {now.life for _sealed, now in taken} == {moment_of(client).life}


def answers(client: Any, calls: list[Call]) -> list[Any]:
    return [getattr(client, name)(*args, **options) for name, args, options in calls]


@pytest.mark.parametrize("calls", [STRINGS, HASHES, LISTS], ids=["strings", "hashes", "lists"])
def test_it_answers_as_the_real_one(calls: list[Call], fake: Client, redis_client: Any) -> None:
    assert answers(fake, calls) == answers(redis_client, calls)


def test_a_stream_is_read_deleted_and_trimmed_as_in_the_real_one(fake: Client, redis_client: Any) -> None:
    assert streamed(fake) == streamed(redis_client)


def streamed(client: Any) -> list[Any]:
    """All answers about a stream; its ids, which are times, are replaced by their order."""
    ids = [client.xadd("s", {"n": number, "é": b"\xff"}) for number in range(5)]
    order = {entry: number for number, entry in enumerate(ids)}

    def plain(entries: Any) -> list[Any]:
        return [(order[entry], fields) for entry, fields in entries]

    said: list[Any] = [
        client.xlen("s"),
        client.xlen("none"),
        plain(client.xrange("s")),
        plain(client.xrange("s", count=2)),
    ]
    read = client.xread({"s": ids[2], "none": "0"}, count=1)
    said += [
        [(name, plain(entries)) for name, entries in read],
        client.xread({"s": ids[4]}),
        client.xread({"none": "0"}),
    ]
    said += [client.xdel("s", ids[0], ids[1], "0-1"), client.xlen("s"), plain(client.xrange("s"))]
    order[client.xadd("s", {"n": 9}, maxlen=1, approximate=False)] = 5
    return [*said, plain(client.xrange("s")), client.xdel("s", *order), client.exists("s"), client.xlen("s")]


def test_a_pipeline_answers_all_at_once(fake: Client, redis_client: Any) -> None:
    said = []
    for client in (fake, redis_client):
        pipeline = client.pipeline(transaction=False)
        pipeline.lpush("q", "1", "2")
        pipeline.hset("h", "x", "1")
        pipeline.ltrim("q", 0, 0)
        pipeline.set("t", "1", ex=60)
        said.append((pipeline.execute(), pipeline.execute(), client.lrange("q", 0, -1)))
    assert said[0] == said[1]


def test_keys_are_found_by_pattern_and_gone_after_their_time(fake: Client, redis_client: Any) -> None:
    for client in (fake, redis_client):
        for name in ("h:a:beat", "h:b:beat", "h:a:runs"):
            client.set(name, "1", ex=30)
        assert sorted(client.scan_iter(match="h:*:beat", count=100)) == [b"h:a:beat", b"h:b:beat"]
        assert client.flushdb() if client is redis_client else client.flushall()
        assert list(client.scan_iter(match="*")) == []


def test_a_key_is_gone_after_its_time(fake: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the clock of the test; the real one has its own."""
    monkeypatch.setattr("time.time", lambda: 1000.0)
    fake.set("a", "1", ex=30)
    monkeypatch.setattr("time.time", lambda: 1029.9)
    assert fake.get("a") == b"1"
    monkeypatch.setattr("time.time", lambda: 1030.0)
    assert (fake.get("a"), fake.exists("a"), list(fake.scan_iter(match="*"))) == (None, 0, [])


def test_old_data_come_back_whole(fake: Client) -> None:
    fake.hset("h", "x", "1")
    put_back = fake.server.keep()
    fake.hset("h", "x", "2")
    fake.flushall()
    put_back()
    fake.hset("h", "y", "2")
    put_back()
    assert fake.hgetall("h") == {b"x": b"1"}


def test_the_controller_s_client_is_a_real_one_outside_of_the_state_machine(redis_client: Any) -> None:
    assert type(wire()).__module__.startswith("redis")
