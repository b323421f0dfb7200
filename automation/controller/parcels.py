"""The operator's screen files on their way to the hosts: sealed like tickets, sent when they change.

A ticket names the digest that its run is to go by; an agent that has another one fetches the parcel first. So a run
that was made after a screen was described never meets a host that does not know it yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from automation.controller.wire import wire
from automation.protocol import SCREENS, key
from automation.screens.parcel import NOTHING, Parcel
from automation.screens.schema import files_in, own_folder
from devices.models import Host

KEEP_SECONDS = 24 * 3600


class _Current:
    """The files as they are now, read again when one has changed."""

    def __init__(self) -> None:
        self._seen: object = None
        self._parcel = Parcel()

    def get(self) -> Parcel:
        own = own_folder()
        seen = (own, [_stamp(path) for path in files_in(own)] if own else [])
        if seen != self._seen:
            self._parcel, self._seen = Parcel.of(own), seen
        return self._parcel


def _stamp(path: Path) -> tuple[str, int, int]:
    try:
        stat = path.stat()
    except OSError:
        return path.name, 0, 0
    return path.name, stat.st_mtime_ns, stat.st_size


_current = _Current()


def current() -> Parcel:
    """What the hosts are to go by."""
    return _current.get()


class Post:
    """Sends to each host what it has not got; again when Redis has lost it."""

    def __init__(self) -> None:
        self._sent: dict[str, str] = {}  #: host -> digest

    def send(self, hosts: Iterable[Host]) -> int:
        """Put the parcel where each of these hosts fetches it; returns how many were sent. Raises redis errors."""
        parcel, known = current(), [host for host in hosts if host.is_trusted and host.public_key]
        if not known or parcel.digest == NOTHING:
            return 0
        pipeline = wire().pipeline(transaction=False)
        for host in known:
            pipeline.exists(key(host.name, SCREENS))
        there = dict(zip((host.name for host in known), pipeline.execute(), strict=True))
        wanted = [one for one in known if not there[one.name] or self._sent.get(one.name) != parcel.digest]
        for host in wanted:
            pipeline.set(key(host.name, SCREENS), _sealed(host, parcel), ex=KEEP_SECONDS)
            self._sent[host.name] = parcel.digest
        pipeline.execute()
        return len(wanted)


def _sealed(host: Host, parcel: Parcel) -> bytes:
    from automation.controller.tickets import seal_for  # tickets name the digest

    return seal_for(host, parcel.to_json())
