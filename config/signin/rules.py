"""Who needs a second factor, and when a session ends."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from config.models import SecondFactor

#: Who has one of these sees secrets.
SECRET_PERMISSIONS = (
    "accounts.view_password",
    "accounts.export_passwords",
    "accounts.view_totp_code",
)  # fmt: skip
STARTED, SEEN = "session_started", "session_seen"  #: epoch seconds in the session
SEEN_EVERY = 60  #: seconds between two notes of the last click


def lacks_second_factor(request: HttpRequest) -> bool:
    """Whether the user must show, or first set up, a second factor before they see any page."""
    user: Any = request.user
    if settings.PHONERACK_SECOND_FACTOR == "off" or not user.is_authenticated or user.is_verified():
        return False
    return must_have(user) or SecondFactor.objects.filter(user=user, confirmed=True).exists()


def must_have(user: Any) -> bool:
    return settings.PHONERACK_SECOND_FACTOR == "all" or any(map(user.has_perm, SECRET_PERMISSIONS))


def start_session(request: HttpRequest, **_kwargs: Any) -> None:
    """On sign-in; sessions that have expired are forgotten, for nothing else does so."""
    request.session.clear_expired()
    request.session[STARTED] = request.session[SEEN] = int(time.time())


def is_over(request: HttpRequest) -> bool:
    """Whether this session is too old, or nobody has clicked for too long."""
    now, session = time.time(), request.session
    started, seen = session.get(STARTED, 0), session.get(SEEN, 0)
    idle = settings.PHONERACK_IDLE_MINUTES * 60
    return bool(now - started >= settings.SESSION_COOKIE_AGE or (idle and now - seen >= idle))


def note_click(request: HttpRequest) -> None:
    """Pages that bring themselves up to date are no clicks, or a forgotten tab would be signed in for ever."""
    by_itself = request.method == "GET" and ("HX-Request" in request.headers or "X-Live" in request.headers)
    if not by_itself and time.time() - request.session.get(SEEN, 0) >= SEEN_EVERY:
        request.session[SEEN] = int(time.time())
