"""What the figures were taken on."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from config import postgres_server, redis_server

PACKAGES = ("Django", "celery", "kombu", "redis", "hiredis", "psycopg", "dramatiq")


def describe() -> dict[str, Any]:
    """Machine, versions, and how busy the machine is before anything is started."""
    return {
        "cpu": _cpu(), "cores": os.cpu_count(), "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "busy_before": round(psutil.cpu_percent(interval=2.0) / 100, 3), "versions": _versions(),
    }  # fmt: skip


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _versions() -> dict[str, str]:
    return {
        "Python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "Redis server": _said(redis_server.find_server(), "--version"),
        "SQLite": sqlite3.sqlite_version,
        "PostgreSQL": _postgres(),
    }


def _postgres() -> str:
    try:
        return _said(str(postgres_server.find_programs() / "postgres"), "--version")
    except postgres_server.NoServer:
        return "none"


def _said(*command: str) -> str:
    """The number in what the program says of its version."""
    words = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False).stdout.split()
    numbers = [word.removeprefix("v=") for word in words if word.removeprefix("v=")[:1].isdigit()]
    return numbers[0] if numbers else "unknown"
