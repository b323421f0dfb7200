"""Pages that say why they go no further: a wrong address, something that one may not do."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page of 404."""
    return stop(
        request, 404, _("There is nothing here"), _("The address is wrong, or what it led to is gone.")
    )


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page of 403."""
    return stop(request, 403, _("You may not do this"), _("Ask an owner to give your group the permission."))


def stop(request: HttpRequest, status: int, title: str, sentence: str) -> HttpResponse:
    """A page with one sentence and a way back."""
    context = {**admin.site.each_context(request), "title": title, "sentence": sentence}
    return TemplateResponse(request, "stopped.html", context, status=status).render()
