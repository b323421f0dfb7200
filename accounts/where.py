"""From where a request comes, for the audit."""

from __future__ import annotations

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str | None:
    """The address of the browser; None when it cannot be told.

    Behind TLS the proxy's word counts: what it put last into X-Forwarded-For (docs/operating.md).
    """
    said = request.headers.get("X-Forwarded-For", "").split(",")[-1].strip() if settings.USE_TLS else ""
    try:
        return str(ip_address(said or request.META.get("REMOTE_ADDR", "")))
    except ValueError:
        return None
