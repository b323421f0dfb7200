"""What a page does with an error that a person must know of, though what was asked is done."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.services import RunsMayStart


class RunsMayStartMiddleware:
    """Accounts were disabled or runs canceled while Redis did not answer: say so on the page one came from."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A warning and the page before; None leaves any other error alone."""
        if not isinstance(error, RunsMayStart):
            return None
        messages.warning(request, str(error))
        back = request.META.get("HTTP_REFERER", "")
        return redirect(
            back if url_has_allowed_host_and_scheme(back, {request.get_host()}) else "admin:index"
        )
