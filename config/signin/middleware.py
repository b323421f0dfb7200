"""What stands between a signed-in browser and every page: session limits, the second factor, the content policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from config.signin.rules import is_over, lacks_second_factor, note_click

#: Pages that somebody without the second factor may see: the one that asks for it, and the way out.
OPEN_PAGES = {"second_factor", "admin:login", "admin:logout", "admin:jsi18n", "set_language"}

GetResponse = Callable[[HttpRequest], HttpResponse]


class SessionLimitMiddleware:
    """Signs out whoever is signed in for too long or has not clicked for too long."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            if is_over(request):
                logout(request)
                messages.info(request, _("Your session has ended: sign in again."))
            else:
                note_click(request)
        return self.get_response(request)


class SecondFactorMiddleware:
    """Leads to the page of the second factor, whatever page was asked for."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, _view: Any, _args: Any, _kwargs: Any) -> HttpResponse | None:
        """None goes on to the page."""
        match = request.resolver_match
        if (match is not None and match.view_name in OPEN_PAGES) or not lacks_second_factor(request):
            return None
        if "HX-Request" in request.headers:
            return HttpResponse(status=204, headers={"HX-Refresh": "true"})
        wanted = request.get_full_path() if request.method == "GET" else reverse("admin:index")
        return redirect(f"{reverse('second_factor')}?{urlencode({'next': wanted})}")


class ContentPolicyMiddleware:
    """Says what a page may load: nothing from elsewhere, and no script that stands in the page itself."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", settings.PHONERACK_CONTENT_POLICY)
        return response
