"""What a page does with an error that is no defect, and that the person who clicked must know of."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.services import NotDeleted, RunsMayStart

LEVELS = {RunsMayStart: messages.WARNING, NotDeleted: messages.ERROR}


class RedisAwayMiddleware:
    """Something was disabled, canceled or to be deleted while Redis did not answer, or what is to be deleted still
    has runs in hand: say so on the page before.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Its sentence and the page before; None leaves any other error alone."""
        level = next((level for kind, level in LEVELS.items() if isinstance(error, kind)), None)
        if level is None:
            return None
        messages.add_message(request, level, str(error))
        back = request.META.get("HTTP_REFERER", "")
        return redirect(
            back if url_has_allowed_host_and_scheme(back, {request.get_host()}) else "admin:index"
        )
