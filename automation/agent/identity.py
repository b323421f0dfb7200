"""Who this agent is: its state folder, its lock, its key, and the controller it trusts."""

from __future__ import annotations

import fcntl
import functools
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from nacl.exceptions import CryptoError
from nacl.public import Box, PrivateKey, PublicKey

from automation.protocol import Ticket


class CannotStart(Exception):
    """The agent cannot start; the message says what to do."""


class BadTicket(Exception):
    """A ticket that is not for this agent, or not from its controller."""


class Identity:
    """The agent's state folder, held alone as long as the process lives."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = self._lock_folder()
        self.key = self._own_key()

    @property
    def public_key(self) -> str:
        return bytes(self.key.public_key).hex()

    def _lock_folder(self) -> IO[str]:
        file = (self.folder / "agent.lock").open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise CannotStart(
                f"An agent named {self.name} is already at work on this machine "
                f"(process {file.read().strip() or '?'}). Stop it, or give this one another name with --name."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        return file

    def _own_key(self) -> PrivateKey:
        path = self.folder / "agent.key"
        if not path.exists():
            _write_whole(path, bytes(PrivateKey.generate()).hex())
        return PrivateKey(bytes.fromhex(path.read_text().strip()))

    def trust(self, controller_key: str) -> None:
        """Pin the controller's public key at its first word; a later, other one is refused. Raises CannotStart."""
        path = self.folder / "controller.pub"
        if not path.exists():
            _write_whole(path, controller_key)
        if path.read_text().strip() != controller_key:
            raise CannotStart(
                f"The controller speaks with another key than before. If it was set up anew on purpose, "
                f"delete {path} and start this agent again."
            )

    @property
    def knows_controller(self) -> bool:
        return "_box" in self.__dict__ or (self.folder / "controller.pub").exists()

    @functools.cached_property
    def _box(self) -> Box:
        """The shared key with the controller, which is pinned once for the life of this process."""
        pinned = (self.folder / "controller.pub").read_text().strip()
        return Box(self.key, PublicKey(bytes.fromhex(pinned)))

    def open_sealed(self, sealed: bytes) -> bytes:
        """What the controller sealed for this agent. Raises CryptoError when it did not."""
        return bytes(self._box.decrypt(sealed))

    def open_ticket(self, sealed: bytes) -> Ticket:
        """The ticket, if it is for this agent. Raises BadTicket."""
        if not self.knows_controller:
            raise BadTicket("the controller's key is not known yet")
        try:
            ticket = Ticket.from_json(self.open_sealed(sealed))
        except (CryptoError, ValueError) as error:
            raise BadTicket(f"it does not open: {type(error).__name__}") from None
        if ticket.host != self.name:
            raise BadTicket("it is for another host")
        return ticket


def _write_whole(path: Path, text: str) -> None:
    """All of it or, on a full disk, no file at all."""
    fresh = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)


@contextmanager
def written_in(folder: Path) -> Iterator[None]:
    """Raises CannotStart where that folder cannot be written."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise CannotStart(
            f"The state folder {folder} cannot be written ({error}): free space on its disk, or give it to this user."
        ) from None
