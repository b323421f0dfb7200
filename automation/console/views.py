"""The overview, its live part, and the evidence of a run."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

from automation.console import figures, wall
from automation.console.attention import waiting
from automation.console.live import answer, ended_session, part
from automation.console.pages import may_view
from automation.console.rows import rows
from automation.console.why import Why
from automation.models import Evidence

PICTURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the first page shows."""
    return {**context, "live": live_part(request)[0]}


@require_GET
def live(request: HttpRequest) -> HttpResponse:
    """The live part of the overview."""
    return ended_session(request) or answer(request, live_part(request))


def live_part(request: HttpRequest) -> tuple[SafeString, str]:
    """(HTML, digest of it). What the user may not see is not read."""
    return part(request, "console/live.html", overview(request), reverse("console:live"))


def overview(request: HttpRequest) -> dict[str, Any]:
    """Phones, numbers, attention and last runs, as far as the user may see them."""
    why, context = Why(), dict[str, Any]()
    if may_view(request, "devices", "device"):
        context |= {"wall": wall.build(why), "hosts": figures.hosts()}
    if may_view(request, "accounts", "account"):
        context |= {"accounts": figures.accounts()}
    if may_view(request, "automation", "run"):
        context |= {"unfinished": figures.unfinished_runs(), "finished": figures.finished_today()}
        context |= {
            "runs": rows(figures.last_runs()),
            "needy": waiting(),
            "attention": figures.attention_list(),
        }
    return context


@require_GET
def screenshot(request: HttpRequest, run_id: int) -> HttpResponse:
    """The picture of the screen, for those who may see evidence."""
    picture = bytes(_evidence(request, run_id).screenshot)
    kind = next((kind for magic, kind in PICTURES.items() if picture.startswith(magic)), None)
    if kind is None:
        raise Http404("no picture")
    return _private(picture, kind)


@require_GET
def dump(request: HttpRequest, run_id: int) -> HttpResponse:
    """The screen dump as plain text."""
    return _private(_evidence(request, run_id).dump, "text/plain; charset=utf-8")


def _evidence(request: HttpRequest, run_id: int) -> Evidence:
    if not admin.site.has_permission(request) or not request.user.has_perm("automation.view_evidence"):
        raise PermissionDenied
    found = Evidence.objects.filter(run=run_id).first()
    if found is None:
        raise Http404("no evidence")
    return found


def _private(content: bytes | str, kind: str) -> HttpResponse:
    """Never stored by a browser or a proxy, never taken for anything but what it is."""
    headers = {
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return HttpResponse(content, content_type=kind, headers=headers)
