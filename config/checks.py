"""System checks: each bad combination of settings has an id and says what to do."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004 - Django's names
from redis.connection import parse_url

from automation.scripts import plugins


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
