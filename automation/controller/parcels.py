"""The operator's screen files on their way to the hosts: sealed like tickets, sent when they change.

A ticket names the digest that its run is to go by; an agent that has another one fetches the parcel first. So a run
that was made after a screen was described never meets a host that does not know it yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from automation.controller.wire import wire
from automation.protocol import screens_key
from automation.screens.parcel import NOTHING, Parcel
from automation.screens.schema import files_in, own_folder
from devices.models import Host

KEEP_SECONDS = 600  #: how long files that no controller goes by any more lie in Redis


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
    """Sends to each host what it has not got; again when Redis has lost it or the host has another key."""

    def __init__(self) -> None:
        self._sent: dict[str, tuple[str, str]] = {}  #: host -> its key, digest

    def send(self, hosts: Iterable[Host]) -> int:
        """Put the parcel where each of these hosts fetches it; returns how many were sent. Raises redis errors."""
        parcel, known = current(), [host for host in hosts if host.is_trusted and host.public_key]
        if not known or parcel.digest == NOTHING:
            return 0
        pipeline = wire().pipeline(transaction=False)
        for host in known:
            pipeline.expire(screens_key(host.name, parcel.digest), KEEP_SECONDS)
        there = dict(zip((host.name for host in known), pipeline.execute(), strict=True))
        wanted = [
            one for one in known if not there[one.name] or self._sent.get(one.name) != _what(one, parcel)
        ]
        for host in wanted:
            pipeline.set(screens_key(host.name, parcel.digest), _sealed(host, parcel), ex=KEEP_SECONDS)
        pipeline.execute()
        self._sent |= {host.name: _what(host, parcel) for host in wanted}
        return len(wanted)


def _what(host: Host, parcel: Parcel) -> tuple[str, str]:
    return host.public_key, parcel.digest


def _sealed(host: Host, parcel: Parcel) -> bytes:
    from automation.controller.tickets import seal_for  # tickets name the digest

    return seal_for(host, parcel.to_json())
