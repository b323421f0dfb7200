"""Celery with one queue per phone, all of a host read by one worker, and a lock inside that process."""

from __future__ import annotations

import threading
from collections import defaultdict
from functools import cache

from bench.rivals._celery import make_app, worker
from bench.rivals._common import STAGED, Phones, fill

app = make_app("celery_queues")
phones = cache(Phones)
locks: dict[str, threading.Lock] = defaultdict(threading.Lock)


@app.task(name="visit")
def visit(serial: str, run: int, seconds: float) -> None:
    with locks[serial]:
        phones().visit(serial, run, seconds)


def worker_command(host: str, serials: list[str]) -> list[str]:
    """One thread per phone."""
    return worker("celery_queues", host, serials, threads=len(serials))


if __name__ == "__main__":
    staged = make_app("celery_queues", prefix=STAGED)
    fill(lambda item: staged.send_task("visit", args=item[1:], queue=item[1]))
