"""A Celery app with its defaults, but for what only costs here: results, and what the pool's threads prefetch."""

from __future__ import annotations

from celery import Celery
from celery.signals import worker_ready

from bench.rivals._common import REDIS_URL, say_ready


def make_app(name: str, prefix: str = "") -> Celery:
    app = Celery(name, broker=REDIS_URL, set_as_current=not prefix)
    app.conf.update(
        task_ignore_result=True,
        worker_prefetch_multiplier=1,
        broker_connection_retry_on_startup=True,
        broker_transport_options={"global_keyprefix": prefix} if prefix else {},
    )
    return app


def worker(module: str, host: str, queues: list[str], threads: int) -> list[str]:
    """Arguments of Python that start the worker of a host."""
    return [
        "-m", "celery", "-A", f"bench.rivals.{module}", "worker", "-P", "threads", "-c", str(threads),
        "-Q", ",".join(queues), "-n", f"{host}@bench", "--without-gossip", "--without-mingle", "-l", "WARNING",
    ]  # fmt: skip


@worker_ready.connect
def _ready(**_: object) -> None:
    say_ready()
