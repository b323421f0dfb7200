"""One phone layer at work, in a process of its own: `python -m bench._phones_client LAYER PLAN.json` prints JSON.

LAYER is `ours` or `stock`. The plan names the phones (serial, address, port of their adb server), the lanes, and how
many runs make up an hour.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil

from bench._phones_layers import LAYERS, Layer, Place


def main() -> None:
    layer, plan = LAYERS[sys.argv[1]](), json.loads(Path(sys.argv[2]).read_text())
    places = [Place(*one) for one in plan["phones"]]
    found = {**signed_in(layer, places, plan["lanes"]), **an_hour(layer, places, plan["lanes"], plan["runs"])}
    found["memory_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    layer.end()
    found["sockets_at_end"] = sockets()
    sys.stdout.write(json.dumps(found) + "\n")


def signed_in(layer: Layer, places: list[Place], lanes: int) -> dict[str, Any]:
    """Every phone signed in, so many at a time."""
    cpu, begun = time.process_time(), time.monotonic()
    with ThreadPoolExecutor(lanes) as pool:
        failed = [said for said in pool.map(layer.sign_in, places) if said]
    seconds = time.monotonic() - begun
    return {"seconds": round(seconds, 2), "cpu": round(time.process_time() - cpu, 2), "failed": failed[:3]}


def an_hour(layer: Layer, places: list[Place], lanes: int, runs: int) -> dict[str, Any]:
    """Sockets that are open after so many more runs, beyond those that were open before them."""
    before = sockets()
    with ThreadPoolExecutor(lanes) as pool:
        list(pool.map(layer.short_run, [places[number % len(places)] for number in range(runs)]))
    return {"runs": runs, "sockets_more": sockets() - before}


def sockets() -> int:
    """Open sockets of this process, a moment after the last thread has let go."""
    time.sleep(0.5)
    return len(psutil.Process().net_connections(kind="tcp"))


if __name__ == "__main__":
    main()
