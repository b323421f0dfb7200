"""Plain Celery: one queue per host, a Redis lock per phone, and a retry when it is taken."""

from __future__ import annotations

from functools import cache
from typing import Any

from bench.rivals._celery import make_app, worker
from bench.rivals._common import RETRY_SECONDS, STAGED, Phones, Taken, fill

app = make_app("celery_lock")
phones = cache(Phones)


@app.task(bind=True, name="visit", max_retries=None)
def visit(self: Any, serial: str, run: int, seconds: float) -> None:
    try:
        with phones().lock(serial):
            phones().visit(serial, run, seconds)
    except Taken:
        raise self.retry(countdown=RETRY_SECONDS) from None


def worker_command(host: str, serials: list[str]) -> list[str]:
    """One thread per phone."""
    return worker("celery_lock", host, [host], threads=len(serials))


if __name__ == "__main__":
    staged = make_app("celery_lock", prefix=STAGED)
    fill(lambda item: staged.send_task("visit", args=item[1:], queue=item[0]))
