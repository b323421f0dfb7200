"""What this machine allows: a thread per phone, BLMOVE on its own list, XADD of what happened. No queue library."""

from __future__ import annotations

import json
import sys
import threading

import redis

from bench.rivals._common import HOST, REDIS_URL, STAGED, Phones, fill, say_ready


def worker_command(host: str, serials: list[str]) -> list[str]:
    return ["-m", "bench.rivals.bare_redis", "work", *serials]


def work(serials: list[str]) -> None:
    """Every phone by a thread of its own, until the process is ended."""
    phones = Phones()
    threads = [threading.Thread(target=_serve, args=(phones, serial), daemon=True) for serial in serials]
    for thread in threads:
        thread.start()
    say_ready()
    threading.Event().wait()


def _serve(phones: Phones, serial: str) -> None:
    client = redis.Redis.from_url(REDIS_URL)
    while True:
        found = client.blmove(serial, f"{serial}:in-hand", 0, "RIGHT", "LEFT")
        run, seconds = json.loads(found)
        client.xadd(f"reports:{HOST}", {"started": run})
        phones.visit(serial, run, seconds)
        client.xadd(f"reports:{HOST}", {"finished": run})
        client.lrem(f"{serial}:in-hand", 1, found)


if __name__ == "__main__":
    if sys.argv[1] == "work":
        work(sys.argv[2:])
    else:
        client = redis.Redis.from_url(REDIS_URL)
        fill(lambda item: client.lpush(f"{STAGED}{item[1]}", json.dumps(item[2:])))
