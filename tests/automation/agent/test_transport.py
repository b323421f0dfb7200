"""Poison on the queue is dropped, and the agent takes the next offer."""

from __future__ import annotations

import base64
import contextlib
import json
import threading

import pytest
from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

from automation.agent.transport import envelope, offer_in
from automation.agent.worker import celery_app
from automation.protocol import RUN_TASK, key
from tests.phones import wait_for


def message(body: object = None, raw: str | None = None, **over: object) -> bytes:
    made = envelope([1, 1, "S"])
    if body is not None:
        made["body"] = base64.b64encode(json.dumps(body).encode()).decode()
    if raw is not None:
        made["body"] = raw
    return json.dumps({**made, **over}).encode()


POISON = [
    b"garbage", b"5", b"null", b"{}", b"[]", b"\xff\xfe", b'{"body": "x"}', message(raw="%%%"), message(raw="e3t7"),
    message(body=5), message(body=[5]), message(body=[[1], {}, {}]), message(body=[[None, None, None], {}, {}]),
    message(body=[[2**70, 1, "S"], {}, {}]), message(body=[[True, 1, "S"], {}, {}]), message(headers={"task": "other"}),
    message(headers=None),
]  # fmt: skip


@pytest.mark.parametrize("poison", POISON)
def test_poison_is_no_offer(poison: bytes) -> None:
    with contextlib.suppress(ValueError):  # no JSON at all
        assert offer_in(json.loads(poison)) is None


@pytest.mark.parametrize(
    "over", [{"headers": {"task": RUN_TASK, "timelimit": 5, "eta": "x", "expires": "x"}}, {"properties": 5}]
)
def test_nothing_of_a_strange_envelope_but_the_offer_is_used(over: dict[str, object]) -> None:
    assert offer_in(json.loads(message(**over))) == [1, 1, "S"]


@pytest.fixture
def agents_own_transport(monkeypatch) -> None:
    """An agent's process has no other connection; here the controller's stock one must come back afterwards."""
    monkeypatch.setattr("kombu.transport._transport_cache", {})
    for scheme in ("redis", "rediss"):
        monkeypatch.setitem(TRANSPORT_ALIASES, scheme, TRANSPORT_ALIASES[scheme])


@pytest.mark.usefixtures("agents_own_transport")
def test_a_real_worker_outlives_all_poison_and_takes_the_next_offer(redis_client, redis_url: str) -> None:
    taken: list[tuple[int, int, str]] = []

    class Work:
        def do(self, run: int, fence: int, serial: str) -> None:
            taken.append((run, fence, serial))

    app: Celery = celery_app("pc1", redis_url, Work())
    worker = app.WorkController(
        pool="threads", concurrency=4, queues=["runs"], hostname="agent@pc1",
        without_gossip=True, without_mingle=True, without_heartbeat=True,
    )  # fmt: skip
    thread = threading.Thread(target=worker.start, daemon=True)
    thread.start()
    try:
        for poison in [
            *POISON,
            message(headers={"task": RUN_TASK, "timelimit": 5}),
            message(body=[[7, 2, "SIM"], {}, {}]),
        ]:
            redis_client.lpush(key("pc1", "runs"), poison)
        wait_for(lambda: (7, 2, "SIM") in taken, 20, "the offer behind the poison")
        assert sorted(set(taken)) == [(1, 1, "S"), (7, 2, "SIM")]
    finally:
        worker.stop()
        thread.join(10)
