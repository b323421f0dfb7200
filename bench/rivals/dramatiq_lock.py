"""dramatiq: one queue per host, a Redis lock per phone, and a retry when it is taken."""

from __future__ import annotations

from functools import cache

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import Retry
from dramatiq.middleware import Middleware

from bench.rivals._common import HOST, REDIS_URL, RETRY_SECONDS, STAGED, Phones, Taken, fill, say_ready

phones = cache(Phones)


class SayReady(Middleware):
    def after_worker_boot(self, broker: RedisBroker, worker: dramatiq.Worker) -> None:
        say_ready()


broker = RedisBroker(url=REDIS_URL, namespace="dramatiq" if HOST else f"{STAGED}dramatiq")
broker.add_middleware(SayReady())
dramatiq.set_broker(broker)


@dramatiq.actor(queue_name=HOST or "unused", max_retries=10**6)
def visit(serial: str, run: int, seconds: float) -> None:
    try:
        with phones().lock(serial):
            phones().visit(serial, run, seconds)
    except Taken:
        raise Retry("the phone is taken", delay=int(RETRY_SECONDS * 1000)) from None


def worker_command(host: str, serials: list[str]) -> list[str]:
    """One process with one thread per phone."""
    return [
        "-m", "dramatiq", "bench.rivals.dramatiq_lock", "--processes", "1", "--threads", str(len(serials)),
        "--queues", host,
    ]  # fmt: skip


if __name__ == "__main__":
    fill(lambda item: broker.enqueue(visit.message(*item[1:]).copy(queue_name=item[0])))
