"""Who lives: the agents' heartbeats, and the hosts that fell silent."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils import timezone

from automation.controller import sweep
from automation.controller.wire import DATABASE_AWAY, wire
from automation.protocol import HOST_SILENT_SECONDS, Heartbeat, PhoneState, key
from devices import services as devices
from devices.models import Host

log = logging.getLogger(__name__)


@dataclass
class Hearing:
    """What this controller last heard of each host, and when, on its own clock (no clocks are compared)."""

    beats: dict[str, Heartbeat] = field(default_factory=dict)
    heard_at: dict[str, float] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)  #: hosts whose key changed -> the sentence
    listened_at: float = field(default_factory=time.monotonic)  #: when the last look at the heartbeats began
    left: set[str] = field(default_factory=set)  #: hosts whose new heartbeat waits for the next look

    def listen(self, seconds: float = float("inf")) -> list[Heartbeat]:
        """New heartbeats, already written to the database: as many as go into so many seconds, one at least, the
        longest unheard first. Raises redis errors.
        """
        self.listened_at = time.monotonic()
        waiting = deque(sorted(filter(self._is_new, _read_all()), key=self._last_heard))
        heard = list[Heartbeat]()
        while waiting:
            beat = waiting.popleft()
            if self._accept_or_say(beat):
                heard.append(beat)
            if time.monotonic() - self.listened_at > seconds:
                break
        self.left = {beat.host for beat in waiting}
        return heard

    def _last_heard(self, beat: Heartbeat) -> float:
        return self.heard_at.get(beat.host, 0.0)

    def _accept_or_say(self, beat: Heartbeat) -> bool:
        try:
            return self._accept(beat)
        except DATABASE_AWAY:
            raise
        except Exception:  # one host's heartbeat must not silence the others
            log.exception("the heartbeat of host %s was dropped", beat.host)
            return False

    def silent(self, alive: Iterable[Host]) -> list[Host]:
        """Those of these hosts not heard for HOST_SILENT_SECONDS. One not heard since this controller began has a full
        term.

        Judged by the time at which it last listened: while it was paused, or waited for the database, nobody was
        silent only because it did not listen.
        """
        now = time.monotonic()
        return [
            host
            for host in alive
            if self.listened_at - self.heard_at.setdefault(host.name, now) > HOST_SILENT_SECONDS
            and host.name not in self.left
        ]

    def one_more_term(self) -> None:
        """After an outage of Redis nobody could be heard: every host gets a new term."""
        self.heard_at = dict.fromkeys(self.heard_at, time.monotonic())

    def _is_new(self, beat: Heartbeat) -> bool:
        last = self.beats.get(beat.host)
        return last is None or (last.epoch, last.number) != (beat.epoch, beat.number)

    def _accept(self, beat: Heartbeat) -> bool:
        try:
            host = devices.register_host(beat.host, beat.public_key)
        except devices.HostKeyChanged as error:
            if self.refused.get(beat.host) != str(error):
                log.error("%s", error)
            self.refused[beat.host] = str(error)
            return False
        self.beats[beat.host], self.heard_at[beat.host] = beat, time.monotonic()
        _follow_outbox(host, beat)
        said = {
            "version": beat.version[:32], "lanes": min(beat.lanes, 1000), "dropped": beat.dropped,
            "screens_hash": beat.screens[:64], "screen_faults": beat.screen_faults[:1000],
        }  # fmt: skip
        devices.host_heard(host, timezone.now(), **said)
        devices.devices_seen(host, _phones(beat), timezone.now())
        return True


def _follow_outbox(host: Host, beat: Heartbeat) -> None:
    """Expect the reports from the oldest that the agent still has: after a new outbox, or a database put back.

    What ran under an outbox that is gone is in nobody's hand.
    """
    if host.outbox_epoch == beat.epoch and host.applied_seq >= beat.first_seq - 1:
        return
    if host.outbox_epoch != beat.epoch:
        sweep.lose_running(host, "not_in_hand")
    as_read = Host.objects.filter(pk=host.pk, outbox_epoch=host.outbox_epoch, applied_seq=host.applied_seq)
    as_read.update(outbox_epoch=beat.epoch[:32], applied_seq=beat.first_seq - 1)  # or another controller did


def _phones(beat: Heartbeat) -> list[dict[str, Any]]:
    """The phones of a heartbeat that make sense."""
    phones = []
    for phone in beat.phones:
        try:
            phones.append(asdict(PhoneState.from_dict(phone)))
        except ValueError as error:
            log.warning("host %s: a phone was left out: %s", beat.host, error)
    return phones


def _read_all() -> list[Heartbeat]:
    client = wire()
    keys = list(client.scan_iter(match=key("*", "beat"), count=1000))
    values = client.mget(keys) if keys else []
    return [
        beat for name, value in zip(keys, values, strict=True) if (beat := _parse(name, value)) is not None
    ]


def _parse(name: bytes, value: bytes | None) -> Heartbeat | None:
    """A heartbeat speaks for the host under whose key it lies, and for no other."""
    try:
        beat = Heartbeat.from_json(value or b"null")
        if len(bytes.fromhex(beat.public_key)) != 32:
            raise ValueError("no key")
    except ValueError:
        log.warning("%s: an unreadable heartbeat was dropped", name.decode())
        return None
    return beat if key(beat.host, "beat").encode() == name else None
