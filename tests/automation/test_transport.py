"""Poison on the queue is dropped, and the agent takes the next offer."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from automation.controller.wire import call_worker
from automation.protocol import (
    RUN_TASK,
    TICK_TASK,
    TICKS,
    Heartbeat,
    celery_message,
    key,
    offer_message,
    ticket_key,
)
from automation.transport import Offers, Ticks
from config import keys
from config.env import BASE
from config.processes import Process
from tests.phones import wait_for


def message(body: object = None, raw: str | None = None, **over: object) -> bytes:
    made = offer_message(1, 1, "S")
    if body is not None:
        made["body"] = base64.b64encode(json.dumps(body).encode()).decode()
    if raw is not None:
        made["body"] = raw
    return json.dumps({**made, **over}).encode()


NESTED = b"[" * 100_000  #: deeper than Python reads

POISON = [
    b"garbage", b"5", b"null", b"{}", b"[]", b"\xff\xfe", b'{"body": "x"}', message(raw="%%%"), message(raw="e3t7"),
    message(body=5), message(body=[5]), message(body=[[1], {}, {}]), message(body=[[None, None, None], {}, {}]),
    message(body=[[2**70, 1, "S"], {}, {}]), message(body=[[True, 1, "S"], {}, {}]), message(headers={"task": "other"}),
    message(headers=None), message(body=[[1, 1, ""], {}, {}]), message(body=[[1, 1, "S" * 300], {}, {}]),
    NESTED, message(raw=base64.b64encode(NESTED).decode()),
]  # fmt: skip


@pytest.mark.parametrize("poison", POISON)
def test_poison_is_no_offer(poison: bytes) -> None:
    with contextlib.suppress(ValueError, RecursionError):  # no JSON at all
        assert Offers.arguments_of(json.loads(poison)) is None


@pytest.mark.parametrize(
    "over", [{"headers": {"task": RUN_TASK, "timelimit": 5, "eta": "x", "expires": "x"}}, {"properties": 5}]
)
def test_nothing_of_a_strange_envelope_but_the_offer_is_used(over: dict[str, object]) -> None:
    assert Offers.arguments_of(json.loads(message(**over))) == [1, 1, "S"]


@pytest.mark.parametrize("poison", [*POISON, message()])
def test_what_is_no_tick_is_none_for_the_worker_of_ticks(poison: bytes) -> None:
    with contextlib.suppress(ValueError, RecursionError):
        assert Ticks.arguments_of(json.loads(poison)) is None


@pytest.mark.parametrize(("seconds", "expected"), [(5, []), (-5, None)])
def test_a_tick_is_good_until_it_expires(seconds: int, expected: list | None) -> None:
    expires = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
    assert Ticks.arguments_of({"headers": {"task": TICK_TASK, "expires": expires}}) == expected


@pytest.fixture
def agent(adb_server, redis_client, redis_url: str, tmp_path: Path) -> Iterator[Process]:
    """A real agent in a process of its own, named pc1."""
    command = [
        sys.executable, "-m", "automation.agent", "--name", "pc1", "--redis", redis_url,
        "--adb", f"127.0.0.1:{adb_server.port}", "--state", str(tmp_path), "--lanes", "4",
    ]  # fmt: skip
    env = {"PYTHONPATH": str(BASE), "PHONERACK_LOCKS": str(tmp_path / "locks")}
    process = Process("agent", command, tmp_path / "agent.log", env)
    wait_for(lambda: redis_client.exists(key("pc1", "beat")), 30, "the agent's first heartbeat")
    yield process
    process.stop()


def test_a_real_agent_outlives_all_poison_and_takes_the_next_offer(agent: Process, redis_client) -> None:
    strange = message(body=[[6, 1, "SIM"], {}, {}], headers={"task": RUN_TASK, "timelimit": 5})
    redis_client.hset(
        key("pc1", "control"), "key", "ab" * 32
    )  # it takes no ticket before it knows its controller
    for run in (6, 7):
        redis_client.set(ticket_key("pc1", run, 1), b"sealed by nobody")
    for one in [*POISON, strange, message(body=[[7, 1, "SIM"], {}, {}])]:
        redis_client.lpush(key("pc1", "runs"), one)
    for run in (6, 7):
        wait_for(
            lambda run=run: not redis_client.exists(ticket_key("pc1", run, 1)), 20, f"the start of run {run}"
        )
    assert agent.is_alive()
    assert redis_client.llen(key("pc1", "runs")) == 0
    wait_for(lambda: dropped(redis_client) == len(POISON), 10, "the count in its heartbeat")


def dropped(client) -> int:
    return Heartbeat.from_json(client.get(key("pc1", "beat"))).dropped


def test_an_agent_loads_no_django_even_where_django_is_configured() -> None:
    code = (
        "import sys; from automation.agent.worker import celery_app; "
        "from automation.agent.work import Work; work = Work.__new__(Work); "
        "celery_app('pc1', 'redis://127.0.0.1:1/0', work).finalize(); "
        "print([name for name in ('django.conf', 'django.db', 'django.core') if name in sys.modules])"
    )
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": str(BASE)}
    said = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_the_worker_of_ticks_outlives_all_poison_and_does_the_next_tick(
    redis_client, redis_url: str, tmp_path: Path
) -> None:
    env = {
        **keys.fresh(), "PYTHONPATH": str(BASE), "REDIS_URL": redis_url, "PHONERACK_STATE": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": f"sqlite:///{tmp_path / 'ticks.sqlite3'}",
    }  # fmt: skip
    worker = Process(
        "worker", [sys.executable, str(BASE / "manage.py"), "worker"], tmp_path / "worker.log", env
    )
    try:
        for one in [*POISON, json.dumps(celery_message(TICK_TASK, []))]:
            redis_client.lpush(TICKS, one)
        call_worker()
        for task in ("campaign_tick", "imports_tick"):  # there are no tables: it says so
            wait_for(lambda task=task: task in worker.log.read_text(), 30, task)
        assert worker.is_alive()
        assert redis_client.llen(TICKS) == 0
    finally:
        worker.stop()
