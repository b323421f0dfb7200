"""Which fault comes when: made from the seed alone, so that it can be repeated."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from tests.faults import proxy

HOST_WINDOW = 75.0  #: faults of single hosts, while one host is left in peace
SHARED_WINDOW = 45.0  #: faults of what all hosts share
HOST_GAP = (1.2, 3.6)  #: between the beginnings of two faults
SHARED_GAP = (2.0, 5.0)
LONG = (44.0, 47.0)  #: longer than a host may be silent
SILENCING = ("agent_stop", "net_silent", "agent_kill", "net_deaf")

#: kind -> how long it lasts, in seconds
OF_HOST = {
    "agent_kill": (0.2, 3.0),
    "agent_stop": (2.0, 10.0),
    "agent_term": (0.2, 1.0),
    "agent_skew": (12.0, 20.0),
    "agent_disk_full": (1.0, 8.0),
    "adb_kill": (0.3, 3.0),
    "adb_stop": (3.0, 10.0),
    **{f"net_{mode}": (2.0, 12.0) for mode in proxy.MODES},
}
#: Such as leave the host's talk with the controller alone, so that they may strike any host.
OF_PHONE = {
    "phone_offline": (3.0, 8.0),
    "phone_reboot": (4.0, 6.0),
    "phone_unauthorized": (2.0, 5.0),
    "phone_u2_dead": (3.0, 8.0),
    "phone_app_crash": (2.0, 5.0),
    "phone_hang": (2.0, 6.0),
    "phone_hang_long": (31.0, 35.0),
    "message_poison": (0.0, 0.0),
    "message_twice": (0.0, 0.0),
    "message_old": (0.0, 0.0),
    "report_twice": (0.0, 0.0),
}
#: What starts campaigns; no host and no run needs it.
OF_TICKS = {
    "beat_kill": (0.2, 3.0),
    "beat_stop": (5.0, 20.0),
    "worker_kill": (0.2, 3.0),
    "worker_stop": (2.0, 10.0),
    "worker_stop_long": (62.0, 70.0),
    "worker_term": (0.2, 1.0),
    "worker_net_cut": (2.0, 12.0),
    "worker_net_silent": (2.0, 12.0),
    "worker_net_lost": (0.0, 0.0),
    "tick_twice": (0.0, 0.0),
    "tick_poison": (0.0, 0.0),
}
OF_ALL = {
    "controller_kill": (0.2, 3.0),
    "controller_stop": (2.0, 8.0),
    "controller_stop_long": (31.0, 35.0),
    "controller_term": (0.2, 1.0),
    "controller_both": (0.5, 3.0),
    "controller_skew": (10.0, 15.0),
    **{f"controller_net_{mode}": (2.0, 8.0) for mode in proxy.MODES if mode != proxy.RESET},
    "redis_kill": (0.2, 3.0),
    "redis_stop": (2.0, 8.0),
    "redis_wiped": (0.2, 2.0),
    "redis_old": (5.0, 15.0),
    "redis_flush": (0.0, 0.0),
    "redis_clients": (0.0, 0.0),
    "redis_full": (2.0, 6.0),
    "flood_messages": (0.0, 0.0),
}
OF_DATABASE = {
    "sqlite": {"database_locked": (2.0, 6.0), "database_locked_long": (21.0, 24.0)},
    "postgres": {
        "database_cut": (0.0, 0.0),
        "database_killed": (0.5, 3.0),
        "database_stop": (2.0, 8.0),
        "database_stop_long": (31.0, 35.0),
    },
}

SECONDS = {**OF_HOST, **OF_PHONE, **OF_TICKS, **OF_ALL, **OF_DATABASE["sqlite"], **OF_DATABASE["postgres"]}

Targets = Callable[[str], list[str]]  #: of a kind


@dataclass(frozen=True)
class Planned:
    """One fault to come: when (from the beginning), what, on whom and for how long."""

    at: float
    kind: str
    target: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.at:7.1f}  {self.kind:<20} {self.target:<14} {self.seconds:5.1f} s"


def make(
    rng: Random, seconds: float, hosts: tuple[str, ...], phones: list[str], database: str
) -> list[Planned]:
    """The faults of a test of this length, in order; windows of host faults and of shared faults take turns."""
    planned: list[Planned] = []
    decks = Decks(rng, database)
    begun, turn = 0.0, 0
    while begun < seconds:
        if turn % 2:
            planned += shared_window(rng, decks, begun)
            begun += SHARED_WINDOW
        else:
            silent, busy = rng.sample([one for one in hosts if one != hosts[turn // 2 % len(hosts)]], 2)
            planned += host_window(rng, decks, begun, silent, busy, functools.partial(targets, hosts, phones))
            begun += HOST_WINDOW
        turn += 1
    # none outlasts it by much: the others would wait for its end
    kept = (one for one in planned if one.at < seconds and one.at + one.seconds < seconds + LONG[1])
    return sorted(kept, key=lambda one: one.at)


def targets(hosts: tuple[str, ...], phones: list[str], kind: str) -> list[str]:
    """Whom a fault of this kind may strike."""
    family = kind.partition("_")[0]
    ones = {"phone": phones, "beat": ["1", "2"], "controller": ["1", "2"]}
    return ones.get(family, list(hosts) if family in ("message", "report") else [""])


class Decks:
    """Draws kinds as from packs of cards: each comes once before any comes again."""

    def __init__(self, rng: Random, database: str) -> None:
        self._rng = rng
        self._packs = {
            "host": list(OF_HOST),
            "phone": [*OF_PHONE, *OF_TICKS],
            "silencing": list(SILENCING),
            "all": [*OF_ALL, *OF_DATABASE[database]],
        }
        self._left: dict[str, list[str]] = {name: [] for name in self._packs}

    def draw(self, pack: str) -> str:
        """A kind."""
        if not self._left[pack]:
            self._left[pack] = self._rng.sample(self._packs[pack], len(self._packs[pack]))
        return self._left[pack].pop()

    def plan(self, at: float, pack: str, targets: Targets) -> Planned:
        """A fault of a kind of this pack, on one of its targets."""
        kind = self.draw(pack)
        seconds = LONG if pack == "silencing" else SECONDS[kind]
        return Planned(at, kind, self._rng.choice(targets(kind)), self._rng.uniform(*seconds))


def host_window(
    rng: Random, decks: Decks, begun: float, silent: str, busy: str, targets: Targets
) -> Iterator[Planned]:
    """One host is silent for long, another suffers one thing after the other; phones, messages and ticks everywhere."""
    at = begun + 3
    yield decks.plan(at, "silencing", lambda _kind: [silent])
    free = at
    while at < begun + HOST_WINDOW - 10:
        at += rng.uniform(*HOST_GAP)
        if at < free:
            yield decks.plan(at, "phone", targets)
            continue
        planned = decks.plan(at, "host", lambda _kind: [busy])
        yield planned
        free = at + planned.seconds + 3


def shared_window(rng: Random, decks: Decks, begun: float) -> Iterator[Planned]:
    at = begun + 5
    while at < begun + SHARED_WINDOW - 8:
        yield decks.plan(at, "all", functools.partial(targets, (), []))
        at += rng.uniform(*SHARED_GAP)
