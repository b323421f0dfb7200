"""Our phone layer beside stock uiautomator2, on simulated phones behind real adb servers, in one run.

./run bench phones [--small] [--json]

The whole takes about five minutes; --small has fewer phones. Exit code 1 when something broke.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from automation.screens.sightings import Sightings, Versions
from automation.scripts.base import run_script
from bench import _machine
from bench._phones_farm import PACKAGE, addresses, made
from bench._phones_layers import LAYERS, Ours, Place, Stock, our_step, stock_step
from config.processes import free_port
from devices.phones.adb import AdbServer, start_server
from devices.phones.deadline import Deadline
from devices.phones.errors import PhoneError
from devices.phones.u2_phone import open_phone
from devices.phones.u2_server import let_go_of_all
from devices.simulator.farm import Farm

FULL, SMALL = (50, 200, 500), (20,)
LANES = 20
PHONES_PER_SERVER = 250  #: an adb server dies at about 1,000 open files
REPEATS = 40
HOUR = 1200  #: runs of an hour, when each of 20 lanes does one a minute
DELAYS = (0.5, 1.0, 2.0)  #: seconds that the app takes for each answer

#: What is to be reached.
GOALS = {"call_ms": 4.0, "connect_ms": 5.0, "signed_in": 0.5, "sockets": 0, "overhead": 0.15}


class Bench:
    """All measurements; says on stderr what it is at."""

    def __init__(self, sizes: tuple[int, ...], folder: Path) -> None:
        self.sizes, self.folder = sizes, folder
        self.console = Console(stderr=True, highlight=False)
        self.found: dict[str, Any] = {"goals": GOALS, "calls": {}, "signed_in": [], "overhead": []}

    def run(self) -> dict[str, Any]:
        self.found["machine"] = _machine.describe()
        self._say("one call, one connect, one step")
        self.found["calls"] = calls(self.folder)
        for delay in DELAYS:
            self._say(f"a login on a warm phone whose app takes {delay} s for each answer")
            self.found["overhead"].append(overhead(self.folder, delay))
        for count in self.sizes:
            for layer in LAYERS:
                self._say(f"{count} phones signed in, {LANES} at a time: {layer}")
                self.found["signed_in"].append(
                    signed_in(self.folder, layer, count, hour=count == max(self.sizes))
                )
        return self.found

    def _say(self, what: str) -> None:
        self.console.print(f"[dim]{time.strftime('%H:%M:%S')}[/dim]  {what}")


# --- the stage


@contextmanager
def adb(folder: Path) -> Iterator[AdbServer]:
    """A real adb server."""
    port = free_port()
    process = start_server(port, folder / f"adb-{port}")
    try:
        server = AdbServer(port=port)
        until(lambda: answers(server))
        yield server
    finally:
        process.terminate()
        process.wait(10)


def answers(server: AdbServer) -> bool:
    try:
        server.phones()
    except PhoneError:
        return False
    return True


def until(is_true: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > end:
            raise TimeoutError("it did not come up")
        time.sleep(0.05)


def connect(server: AdbServer, places: list[str]) -> None:
    """Have the server know these phones."""
    for address in places:
        server.connect(address)
    until(lambda: set(places) <= {one.address for one in server.phones() if one.state == "device"})


@contextmanager
def one_phone(folder: Path, delay: float = 0.0) -> Iterator[tuple[Farm, AdbServer, Place]]:
    """A phone of this process."""
    with made(1, delay).running() as farm, adb(folder) as server:
        address = farm.phone("B0").address
        connect(server, [address])
        yield farm, server, Place("B0", address, server.port)
        let_go_of_all()


# --- what is measured


def calls(folder: Path) -> dict[str, dict[str, float]]:
    """Milliseconds of one call each, the middle one of many: ours and stock's."""
    with one_phone(folder) as (farm, server, place):
        farm.set("B0", signed_in={PACKAGE: ["bench.0"]})
        with open_phone(server, place.address, Deadline(300)) as phone:
            phone.start_app(PACKAGE)
            ours = {
                "info": middle(lambda: phone._rpc("deviceInfo")), "dump": middle(phone.dump),
                "shell": middle(lambda: phone._shell("echo", "x")), "step": middle(lambda: our_step(phone)),
            }  # fmt: skip
        ours["connect"] = middle(lambda: open_and_close(server, place))
        let_go_of_all()
        stock_layer = Stock()
        device = stock_layer.connect(place)
        device.app_start(PACKAGE)
        stock = {
            "info": middle(lambda: device.info), "dump": middle(device.dump_hierarchy),
            "shell": middle(lambda: device.shell("echo x")), "step": middle(lambda: stock_step(device)),
            "connect": middle(lambda: stock_layer.connect(place)),
        }  # fmt: skip
        device.stop_uiautomator(wait=False)
    return {"ours": ours, "stock": stock}


def open_and_close(server: AdbServer, place: Place) -> None:
    with open_phone(server, place.address, Deadline(60)):
        pass


def middle(call: Callable[[], Any]) -> float:
    """Milliseconds of the call, the median of many."""
    seconds = []
    call()
    for _ in range(REPEATS):
        begun = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begun)
    return round(statistics.median(seconds) * 1000, 2)


def overhead(folder: Path, delay: float) -> dict[str, float]:
    """Wall time of a login on a warm phone, beside the time that the app itself kept it waiting."""
    with one_phone(folder, delay) as (farm, server, place):
        app, versions, ours = farm.phone("B0").apps[PACKAGE], Versions(), Ours()
        with open_phone(server, place.address, Deadline(60)) as phone:
            versions.of(phone, PACKAGE)
        before, begun = app.delayed, time.monotonic()
        with open_phone(server, place.address, Deadline(120)) as phone:
            result = run_script("login", phone, ours.ticket(place), sightings=Sightings(versions.of))
        wall = time.monotonic() - begun
        if result.outcome != "succeeded":
            raise RuntimeError(f"the login ended {result.reason}")
    own = app.delayed - before
    return {"delay": delay, "app": round(own, 2), "wall": round(wall, 2), "more": round(wall / own - 1, 3)}


def signed_in(folder: Path, layer: str, count: int, hour: bool) -> dict[str, Any]:
    """So many phones, signed in by a process of its own; the simulator says whether they are."""
    ready = folder / f"ready-{layer}-{count}.json"
    farm = subprocess.Popen([sys.executable, "-m", "bench._phones_farm", str(count), str(ready)])
    try:
        until(ready.exists)
        with ExitStack() as stack:
            places = placed(stack, folder, addresses(ready))
            plan = folder / "plan.json"
            plan.write_text(json.dumps({"phones": places, "lanes": LANES, "runs": HOUR if hour else 0}))
            done = subprocess.run(
                [sys.executable, "-m", "bench._phones_client", layer, str(plan)],
                stdout=subprocess.PIPE, check=True, text=True, timeout=900,
            )  # fmt: skip
        return {"layer": layer, "phones": count, **json.loads(done.stdout.splitlines()[-1])}
    finally:
        farm.terminate()
        farm.wait(20)


def placed(stack: ExitStack, folder: Path, found: dict[str, str]) -> list[Place]:
    """The phones, spread over as many adb servers as they need."""
    places, serials = [], list(found)
    for start in range(0, len(serials), PHONES_PER_SERVER):
        part = serials[start : start + PHONES_PER_SERVER]
        server = stack.enter_context(adb(folder))
        connect(server, [found[serial] for serial in part])
        places += [Place(serial, found[serial], server.port) for serial in part]
    return places


# --- what is shown


def show(found: dict[str, Any]) -> None:
    console = Console()
    calls_table = Table("one call, ms", "ours", "stock", "goal")
    goals = {"info": GOALS["call_ms"], "dump": GOALS["call_ms"], "connect": GOALS["connect_ms"]}
    for name, ours in found["calls"]["ours"].items():
        calls_table.add_row(name, str(ours), str(found["calls"]["stock"][name]), str(goals.get(name, "")))
    farm = Table(
        "phones", "layer", "seconds", "CPU s", "memory MB", "sockets more", "sockets at the end", "failed"
    )
    for row in found["signed_in"]:
        farm.add_row(
            str(row["phones"]), row["layer"], str(row["seconds"]), str(row["cpu"]), str(row["memory_mb"]),
            f"{row['sockets_more']} after {row['runs']} runs", str(row["sockets_at_end"]), str(len(row["failed"])),
        )  # fmt: skip
    warm = Table("app's delay, s", "app's delays together", "login", "more")
    for row in found["overhead"]:
        warm.add_row(str(row["delay"]), str(row["app"]), str(row["wall"]), f"{row['more']:.1%}")
    for table in (calls_table, warm, farm):
        console.print(table)


def main() -> int:
    """0; 1 when a login failed."""
    parser = argparse.ArgumentParser(prog="./run bench phones", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--json", action="store_true", help="one JSON object on stdout and nothing else there"
    )
    parser.add_argument("--small", action="store_true", help="20 phones only")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="phonerack-bench-") as folder:
        found = Bench(SMALL if options.small else FULL, Path(folder)).run()
    if options.json:
        sys.stdout.write(json.dumps(found) + "\n")
    else:
        show(found)
    return 1 if any(row["failed"] for row in found["signed_in"]) else 0


if __name__ == "__main__":
    sys.exit(main())
