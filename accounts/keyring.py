"""Keys that seal secrets. They come from the environment and never stand in the database."""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

NONCE_BYTES = 12
KEY_BYTES = (16, 24, 32)


class Unreadable(Exception):
    """A sealed value cannot be opened: its key is gone, or it was changed or moved."""


@dataclass(frozen=True, repr=False)
class KeyRing:
    """The first key seals; each of them opens what it sealed."""

    keys: dict[str, AESGCM]

    @property
    def newest(self) -> str:
        return next(iter(self.keys))

    def seal(self, plain: bytes, bound_to: str) -> bytes:
        """`keyid:` and then nonce and ciphertext, bound to the place that it stands in."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self.keys[self.newest].encrypt(nonce, plain, bound_to.encode())
        return self.newest.encode() + b":" + nonce + sealed

    def open(self, sealed: bytes, bound_to: str) -> bytes:
        """The plain bytes. Raises Unreadable for another key, place or content."""
        key_id, _colon, rest = sealed.partition(b":")
        key = self.keys.get(key_id.decode(errors="replace"))
        if key is None:
            raise Unreadable("The key that sealed this value is not in PHONERACK_FIELD_KEYS.")
        try:
            return key.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], bound_to.encode())
        except (InvalidTag, ValueError) as error:
            raise Unreadable(
                "A sealed value was changed, moved to another place, or has a wrong key."
            ) from error

    def seal_text(self, plain: str, bound_to: str) -> str:
        key_id, _colon, rest = self.seal(plain.encode(), bound_to).partition(b":")
        return f"{key_id.decode()}:{base64.b64encode(rest).decode()}"

    def is_newest(self, sealed: str) -> bool:
        """Whether the key that seals now has sealed this."""
        return key_id_of(sealed) == self.newest

    def open_text(self, sealed: str, bound_to: str) -> str:
        """The plain text. Raises Unreadable."""
        key_id, _colon, rest = sealed.partition(":")
        try:
            raw = base64.b64decode(rest, validate=True)
        except (binascii.Error, ValueError) as error:
            raise Unreadable("A sealed value is damaged.") from error
        return self.open(key_id.encode() + b":" + raw, bound_to).decode()


def key_id_of(sealed: str) -> str:
    """The id of the key that sealed it."""
    return sealed.partition(":")[0]


def key_ring() -> KeyRing:
    """The ring of the settings. Raises ImproperlyConfigured without a usable key."""
    return _ring_of(settings.PHONERACK_FIELD_KEYS)


@lru_cache(maxsize=4)
def _ring_of(text: str) -> KeyRing:
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    if not entries:
        raise ImproperlyConfigured("PHONERACK_FIELD_KEYS is not set: without it no password can be kept.")
    pairs = [_key_of(entry) for entry in entries]
    if len({key_id for key_id, _key in pairs}) < len(pairs):
        raise ImproperlyConfigured("PHONERACK_FIELD_KEYS names two keys alike.")
    return KeyRing(dict(pairs))


def _key_of(entry: str) -> tuple[str, AESGCM]:
    key_id, _colon, encoded = entry.partition(":")
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key_id.isalnum() or not key_id.isascii() or len(key) not in KEY_BYTES:
        # The entry itself is a secret: the message must not repeat it.
        raise ImproperlyConfigured(
            "PHONERACK_FIELD_KEYS must be id:base64key,id:base64key with keys of 32 bytes."
        )
    return key_id, AESGCM(key)
