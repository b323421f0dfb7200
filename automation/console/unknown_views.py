"""The pages of unknown screens: the list, and one screen, where somebody says what it is."""

from __future__ import annotations

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from automation.console import unknown
from automation.console.live import answer, ended_session, part


@never_cache
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """The screens at which phones stopped."""
    must_see(request)
    context = {
        **admin.site.each_context(request), "title": _("Unknown screens"), "live": live_part(request)[0],
    }  # fmt: skip
    return TemplateResponse(request, "console/unknown.html", context)


@require_GET
def live(request: HttpRequest) -> HttpResponse:
    """The part of it that changes."""
    ended = ended_session(request)
    if ended is not None:
        return ended
    must_see(request)
    return answer(request, live_part(request))


def live_part(request: HttpRequest) -> tuple[SafeString, str]:
    context = {"screens": unknown.screens()}
    return part(request, "console/unknown_part.html", context, reverse("console:unknown_live"))


def must_see(request: HttpRequest) -> None:
    """Raises PermissionDenied for those who may not see evidence."""
    if not admin.site.has_permission(request) or not request.user.has_perm("automation.view_evidence"):
        raise PermissionDenied


def screen(request: HttpRequest, fingerprint: str) -> HttpResponse:
    must_see(request)
    return HttpResponse()
