"""How much longer something may take because of a fault on its way; the reasons stand in docs/faults.md."""

from __future__ import annotations

from tests.faults.history import Fault

RECOVERY = 12.0  #: after a fault: a process is started again, connections are made anew

#: On everybody's way. A flood is among them: it takes the processor.
SHARED = ("redis", "controller", "database", "flood")
#: On the way of one host.
OF_HOST = ("agent", "net", "adb")
CENTER = "center"  #: in the place of a host: where campaigns are started
OF_CENTER = ("beat", "worker", "redis", "database", "flood")


def limit(faults: list[Fault], host: str, start: float, seconds: float) -> float:
    """`seconds` after `start`, counted anew from the end of every fault on the way of the host."""
    end = start + seconds
    for fault in sorted(faults, key=lambda one: one.begun):
        over = fault.ended + RECOVERY
        if is_on_the_way(fault, host) and fault.begun <= end and over >= start:
            end = max(end, over + seconds)
    return end


def is_on_the_way(fault: Fault, host: str) -> bool:
    """Without a host every fault counts: nobody knows which way it was."""
    kind = fault.kind.partition("_")[0]
    if host == CENTER:
        return kind in OF_CENTER
    return kind in SHARED or (kind in OF_HOST and (not host or fault.target in (host, "")))
