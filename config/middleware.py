"""What a page does with an error that is no defect, and that the person who clicked must know of."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from accounts.services import NotDeleted, RunsMayStart

log = logging.getLogger(__name__)

LEVELS = {RunsMayStart: messages.WARNING, NotDeleted: messages.ERROR, IntegrityError: messages.ERROR}


class NotWhollyDoneMiddleware:
    """What was asked for could not be done, or not wholly: say so on the page before.

    So where Redis is away, where what is to be deleted still has runs in hand, and where somebody else changed the
    same rows meanwhile.
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
        messages.add_message(request, level, _sentence(error))
        back = request.META.get("HTTP_REFERER", "")
        return redirect(
            back if url_has_allowed_host_and_scheme(back, {request.get_host()}) else "admin:index"
        )


def _sentence(error: Exception) -> str:
    if not isinstance(error, IntegrityError):
        return str(error)
    log.error("nothing was changed: the database refused it", exc_info=error)
    return _(
        "Nothing was changed: somebody else changed or deleted it at that moment, or a campaign started. Look at it "
        "again and try once more."
    )
