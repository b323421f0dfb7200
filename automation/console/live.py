"""A part of a page that brings itself up to date."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe


def part(request: HttpRequest, template: str, context: dict[str, Any], url: str) -> tuple[SafeString, str]:
    """(HTML, digest of it). The HTML asks `url` for news every few seconds; no token may stand in the template."""
    body = render_to_string(template, context, request)
    digest = blake2b(body.encode(), digest_size=8).hexdigest()
    words = {"body": mark_safe(body), "url": f"{url}{'&' if '?' in url else '?'}seen={digest}"}  # noqa: S308 - a template's output
    return render_to_string("console/live_part.html", words), digest


def answer(request: HttpRequest, found: tuple[SafeString, str]) -> HttpResponse:
    """The part; 204 when it is still as the page has it, so that nothing is swapped."""
    html, digest = found
    if request.GET.get("seen") == digest:
        return HttpResponse(status=204)
    return HttpResponse(html, headers={"Cache-Control": "no-store"})


def ended_session(request: HttpRequest) -> HttpResponse | None:
    """To the login page, when the session has ended."""
    if admin.site.has_permission(request):
        return None
    return HttpResponse(status=204, headers={"HX-Refresh": "true"})
