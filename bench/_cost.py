"""CPU and memory of processes, their children included, and what the rest of the machine used meanwhile."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil


def tree(pid: int) -> list[psutil.Process]:
    """The process and all below it that live now."""
    with suppress(psutil.NoSuchProcess):
        top = psutil.Process(pid)
        return [top, *top.children(recursive=True)]
    return []


def cpu_seconds(pid: int) -> float:
    """CPU used by the process, its children, and those of its children that have ended."""
    used = 0.0
    for process in tree(pid):
        with suppress(psutil.NoSuchProcess):
            used += sum(process.cpu_times()[:4])
    return used


def pss_mb(pid: int) -> float:
    """Proportional set size of the process and its children, MB: what it costs on this machine beside the others."""
    total = 0
    for process in tree(pid):
        with suppress(OSError):
            lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return round(total / 1024, 1)


class Meter:
    """What named processes use between its start and `stop`, and what all others used meanwhile."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids, self._begun, self._machine = dict(pids), time.monotonic(), _machine_busy()
        self._before, self._me = self._used(), _own_cpu()

    def stop(self) -> dict[str, Any]:
        """{"cpu": seconds by name, "seconds": how long, "others": share of all CPUs used by others than we}."""
        used = {name: seconds - self._before[name] for name, seconds in self._used().items()}
        seconds = time.monotonic() - self._begun
        others = _machine_busy() - self._machine - sum(used.values()) - (_own_cpu() - self._me)
        return {
            "cpu": {name: round(one, 3) for name, one in used.items()}, "seconds": round(seconds, 2),
            "others": round(max(0.0, others) / seconds / (os.cpu_count() or 1), 3),
        }  # fmt: skip

    def _used(self) -> dict[str, float]:
        return {name: cpu_seconds(pid) for name, pid in self._pids.items()}


def _machine_busy() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - times.iowait - getattr(times, "guest", 0.0))


def _own_cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
