"""The operator's screen files on this host: fetched from the controller when a ticket names others than are here."""

from __future__ import annotations

import logging
import threading
from typing import Any

import redis
from nacl.exceptions import CryptoError

from automation.agent.identity import BadTicket, Identity
from automation.protocol import screens_key
from automation.screens import schema
from automation.screens.parcel import NOTHING, BadParcel, Parcel
from devices.phones.deadline import Deadline

log = logging.getLogger(__name__)

FETCH_SECONDS = 15.0  #: how long a parcel that Redis lost is waited for; the controller sends it again
POLL_SECONDS = 0.5
FOLDER = "screens"  #: of the agent's state folder


class ScreensAway(Exception):
    """The screen files of the operator did not arrive."""


class OwnScreens:
    """What the controller sent. A host with a PHONERACK_SCREENS of its own goes by that folder alone."""

    def __init__(self, client: Any, identity: Identity) -> None:
        self._client, self._identity = client, identity
        self.folder = identity.folder / FOLDER
        self._lock, self._digest = threading.Lock(), ""

    @property
    def is_ours(self) -> bool:
        """Whether this host goes by what the controller sends."""
        return schema.own_folder() == self.folder

    def bring(self, digest: str, deadline: Deadline) -> None:
        """Go by the files with this digest from now on. Raises ScreensAway."""
        if not digest or not self.is_ours or digest == self._here():
            return
        self._put(Parcel() if digest == NOTHING else self._fetch(digest, deadline))
        deadline.sleep(schema.LOOK_SECONDS)  # until they count

    def _here(self) -> str:
        """The digest of what is gone by now."""
        with self._lock:
            self._digest = self._digest or Parcel.of(self.folder).digest
            return self._digest

    def _put(self, parcel: Parcel) -> None:
        with self._lock:  # never while something is waited for: others stand before it, deaf to a cancel
            if parcel.digest != self._digest:
                parcel.put(self.folder)
                self._digest = parcel.digest
                log.info("screen files of the operator: %s", ", ".join(parcel.files) or "none any more")

    def _fetch(self, digest: str, deadline: Deadline) -> Parcel:
        for _ in range(int(FETCH_SECONDS / POLL_SECONDS)):
            parcel = self._look(digest)
            if parcel is not None and parcel.digest == digest:
                return parcel
            deadline.sleep(POLL_SECONDS)
        raise ScreensAway

    def _look(self, digest: str) -> Parcel | None:
        """What lies there now, if it is the controller's."""
        try:
            sealed = self._client.get(screens_key(self._identity.name, digest))
            return Parcel.from_json(self._identity.open_sealed(sealed)) if sealed else None
        except (redis.RedisError, OSError, CryptoError, BadTicket, BadParcel) as error:
            log.warning("the operator's screen files: %s", type(error).__name__)
            return None
