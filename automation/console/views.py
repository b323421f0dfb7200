"""The overview, its live part, what matches found, and the evidence of a run."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from automation import matches
from automation.console import figures, wall
from automation.console.attention import waiting
from automation.console.live import answer, ended_session, part
from automation.console.match_page import match_page, may_add
from automation.console.pages import may_view
from automation.console.rows import rows
from automation.console.why import Why
from automation.models import Evidence, Run

log = logging.getLogger(__name__)

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
def match_results(request: HttpRequest) -> HttpResponse:
    """What the matches found: of every phone the last one, or of a campaign's last start."""
    _must_see(request, ("automation", "run"), ("accounts", "account"), ("devices", "device"))
    context = {**admin.site.each_context(request), "title": _("Match results"), **match_page(request)}
    return TemplateResponse(request, "console/match.html", context)


@require_POST
def match_add(request: HttpRequest) -> HttpResponse:
    """Put what matches found into the list: of the posted runs, and nothing that they did not find."""
    _must_see(request, ("automation", "run"))
    if not may_add(request):
        raise PermissionDenied
    wanted = [int(number) for number in request.POST.getlist("run") if number.isdigit()]
    added = matches.add_found(Run.objects.filter(pk__in=wanted).select_related("device"))
    log.info("%s accounts added from matches by %s", len(added), request.user.get_username())
    text = ngettext("%(n)s account added.", "%(n)s accounts added.", len(added)) % {"n": len(added)}
    (messages.success if added else messages.warning)(request, text)
    back = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()})
    return redirect(back if is_ours else "console:matches")


def _must_see(request: HttpRequest, *models: tuple[str, str]) -> None:
    if not admin.site.has_permission(request) or not all(may_view(request, *one) for one in models):
        raise PermissionDenied


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
