"""System checks: each bad combination of settings has an id and says what to do."""

from __future__ import annotations

import base64
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004 - Django's names
from django.core.exceptions import ImproperlyConfigured
from redis.connection import parse_url

from accounts.keyring import key_ring
from automation.scripts import plugins

MODES = ("off", "secrets", "all")  #: of PHONERACK_SECOND_FACTOR
EXAMPLES = ("changeme", "change-me", "change_me", "django-insecure", "example", "secret-key", "your-")


@register()
def check_secrets(**_kwargs: Any) -> list[CheckMessage]:
    """phonerack.E001-E003: every secret is set; nothing starts on a default."""
    wanted = [
        ("E001", "SECRET_KEY", settings.SECRET_KEY != settings.NO_SECRET_KEY),
        ("E002", "PHONERACK_FIELD_KEYS", bool(settings.PHONERACK_FIELD_KEYS)),
        ("E003", "PHONERACK_CONTROLLER_KEY", bool(settings.PHONERACK_CONTROLLER_KEY)),
    ]
    hint = "`./run setup` makes one for this machine; or set {0}, or {0}_FILE to a file that holds it."
    return [
        Error(f"{name} is not set.", hint=hint.format(name), id=f"phonerack.{code}")
        for code, name, is_set in wanted
        if not is_set
    ]


@register()
def check_strength(**_kwargs: Any) -> list[CheckMessage]:
    """phonerack.E005-E007: a secret that is set is one, and no example out of a book."""
    wanted = [
        ("E005", "SECRET_KEY", settings.SECRET_KEY == settings.NO_SECRET_KEY or _is_cookie_key()),
        ("E006", "PHONERACK_FIELD_KEYS", not settings.PHONERACK_FIELD_KEYS or _is_key_ring()),
        ("E007", "PHONERACK_CONTROLLER_KEY", not settings.PHONERACK_CONTROLLER_KEY or _is_private_key()),
    ]
    says, hint = "is no secret: too short, an example, or not in its form.", "`./run setup` makes good ones."
    return [
        Error(f"{name} {says}", hint=hint, id=f"phonerack.{code}")
        for code, name, is_good in wanted
        if not is_good
    ]  # fmt: skip


def _is_cookie_key() -> bool:
    key = settings.SECRET_KEY
    is_example = any(word in key.casefold() for word in EXAMPLES)
    return len(key) >= 32 and len(set(key)) >= 8 and not is_example


def _is_key_ring() -> bool:
    try:
        key_ring()
    except ImproperlyConfigured:
        return False
    keys = [
        entry.strip().partition(":")[2] for entry in settings.PHONERACK_FIELD_KEYS.split(",") if entry.strip()
    ]
    return all(_is_random(base64.b64decode(key)) for key in keys)


def _is_private_key() -> bool:
    try:
        key = bytes.fromhex(settings.PHONERACK_CONTROLLER_KEY)
    except ValueError:
        return False
    return len(key) == 32 and _is_random(key)


def _is_random(key: bytes) -> bool:
    """32 random bytes have fewer than 16 different ones once in the life of the universe."""
    return len(set(key)) >= 16 or (len(key) < 32 and len(set(key)) >= 8)


@register()
def check_second_factor(**_kwargs: Any) -> list[CheckMessage]:
    """phonerack.E008: PHONERACK_SECOND_FACTOR is one of its words, so that a slip of the pen turns nothing off."""
    if settings.PHONERACK_SECOND_FACTOR in MODES:
        return []
    words = ", ".join(MODES)
    return [Error(f"PHONERACK_SECOND_FACTOR is none of {words}.", id="phonerack.E008")]


@register()
def check_redis_url(**_kwargs: Any) -> list[CheckMessage]:
    """phonerack.E004: REDIS_URL is an address."""
    try:
        parse_url(settings.REDIS_URL)  # type: ignore[no-untyped-call]
    except ValueError:
        hint = "redis://HOST:PORT/0, rediss:// with TLS, unix:///path/to/socket"
        return [Error("REDIS_URL is no Redis address.", hint=hint, id="phonerack.E004")]
    return []


@register()
def check_scripts(**_kwargs: Any) -> list[CheckMessage]:
    """phonerack.W001: a module of the user's own scripts is of no use. Everything else works without it."""
    hint = f"Correct the module, or take it out of {plugins.SETTING}."
    return [Warning(problem, hint=hint, id="phonerack.W001") for problem in plugins.problems]
