"""A part of a page that brings itself up to date."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_GET

View = Callable[[HttpRequest], HttpResponse]


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


def view(
    must_see: Callable[[HttpRequest], None], of: Callable[[HttpRequest], tuple[SafeString, str]]
) -> View:
    """The view of a live part; `must_see` raises PermissionDenied for those who may not."""

    @require_GET
    def live(request: HttpRequest) -> HttpResponse:
        ended = ended_session(request)
        if ended is not None:
            return ended
        must_see(request)
        return answer(request, of(request))

    return live
