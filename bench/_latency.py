"""How soon a phone feels what an operator does: click, cancel, another host."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from automation import services
from automation.controller import cancels
from automation.models import Run
from bench._measures import accounts_for, until
from bench._records import Records, quantiles
from devices.choices import Connection
from devices.models import Device


class Phones:
    """Phones in turn, each with an account, and what they record."""

    def __init__(self, folder: str, serials: list[str]) -> None:
        devices = Device.objects.filter(serial__in=serials).order_by("serial")
        self._accounts = accounts_for(devices, 1)
        self.records = Records(Path(folder) / "records").follow()

    def click(self, number: int, seconds: float) -> tuple[Run, float]:
        """A run of so many seconds on the phone whose turn it is, and when it was asked for."""
        account = self._accounts[number % len(self._accounts)]
        asked = time.monotonic()
        (run,) = services.enqueue(
            "wait", [(account, account.device)], requested_by="bench", options={"seconds": seconds}
        )
        return run, asked

    def started(self, run: Run) -> float:
        """When the phone began; waits for it."""
        until(
            lambda: any(one == run.pk for _serial, one, _at in self.records.follow().starts[-20:]),
            every=0.005,
        )
        return next(at for _serial, one, at in self.records.starts if one == run.pk)

    def ended(self, run: Run) -> float:
        until(lambda: any(visit.run == run.pk for visit in self.records.follow().visits[-20:]), every=0.005)
        return next(visit.end for visit in self.records.visits if visit.run == run.pk)


def _pause() -> None:
    """Of uneven length, so that no sample falls into step with a loop of the product."""
    time.sleep(random.uniform(0.05, 0.25))


def clicks(folder: str, serials: list[str], samples: int) -> dict[str, Any]:
    """Milliseconds from the call of `enqueue` to the phone in hand."""
    phones = Phones(folder, serials)
    return quantiles(_clicks(phones, samples))


def _clicks(phones: Phones, samples: int) -> Iterator[float]:
    for number in range(samples):
        run, asked = phones.click(number, 0.02)
        yield (phones.started(run) - asked) * 1000
        _pause()


def cancel(folder: str, serials: list[str], samples: int) -> dict[str, Any]:
    """Milliseconds from the call of `cancel` to the end of the phone's step."""
    phones = Phones(folder, serials)
    return quantiles(_cancels(phones, samples))


def _cancels(phones: Phones, samples: int) -> Iterator[float]:
    for number in range(samples):
        run, _asked = phones.click(number, 30.0)
        phones.started(run)
        _pause()
        until(lambda run=run: Run.objects.running().filter(pk=run.pk).exists(), every=0.01)
        asked = time.monotonic()
        cancels.cancel([run], "bench")
        yield (phones.ended(run) - asked) * 1000


def moves(folder: str, serials: list[str], samples: int) -> dict[str, Any]:
    """Milliseconds from a phone's appearance on another host to its first run's start there.

    It was unplugged before, and its run waits. The other host looks at its adb server as it always does.
    """
    phones = Phones(folder, serials[:1])
    return quantiles(_moves(phones, Path(folder), serials[0], samples))


def _moves(phones: Phones, folder: Path, serial: str, samples: int) -> Iterator[float]:
    hosts = sorted(folder.glob("phones-*.json"))[:2]
    for number in range(samples):
        here, there = hosts if number % 2 == 0 else hosts[::-1]
        _hang(here, serial, False)
        until(
            lambda: Device.objects.filter(serial=serial, connection=Connection.OFFLINE).exists(), every=0.02
        )
        run, _asked = phones.click(0, 0.02)
        _pause()
        appeared = time.monotonic()
        _hang(there, serial, True)
        yield (phones.started(run) - appeared) * 1000
        until(lambda run=run: Run.objects.finished().filter(pk=run.pk).exists(), every=0.01)


def _hang(file: Path, serial: str, on: bool) -> None:
    serials = [one for one in json.loads(file.read_text()) if one != serial] + ([serial] if on else [])
    new = file.with_suffix(".new")
    new.write_text(json.dumps(serials))
    new.rename(file)
    with file.with_suffix(".bell").open("r+b", buffering=0) as bell:
        bell.write(b".")


MEASURES = {one.__name__: one for one in (clicks, cancel, moves)}
