"""The pages of unknown screens: the list, and one screen, where somebody says what it is."""

from __future__ import annotations

import contextlib
import logging
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.choices import app_of_package
from automation import labels, solving
from automation.console import unknown, unknown_form
from automation.console.attention_views import tell
from automation.console.live import part
from automation.console.live import view as live_view
from automation.console.unknown import Stopped
from automation.controller.parcels import Post
from automation.controller.wire import WIRE_ERRORS
from automation.labels import Label
from automation.screens.schema import library
from automation.trial import try_out
from devices.models import Host

log = logging.getLogger(__name__)

LABEL = "automation.label_screen"


@never_cache
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """The screens at which phones stopped."""
    must_see(request)
    context = {
        **admin.site.each_context(request), "title": _("Unknown screens"), "live": live_part(request)[0],
        "labels": labels.written() if request.user.has_perm(LABEL) else [],
    }  # fmt: skip
    return TemplateResponse(request, "console/unknown.html", context)


def live_part(request: HttpRequest) -> tuple[SafeString, str]:
    context = {"screens": unknown.screens()}
    return part(request, "console/unknown_part.html", context, reverse("console:unknown_live"))


def must_see(request: HttpRequest) -> None:
    """Raises PermissionDenied for those who may not see evidence."""
    if not admin.site.has_permission(request) or not request.user.has_perm("automation.view_evidence"):
        raise PermissionDenied


live = live_view(must_see, live_part)  #: the part of it that changes


@never_cache
@require_http_methods(["GET", "POST"])
def screen(request: HttpRequest, fingerprint: str) -> HttpResponse:
    """One screen: its picture beside its tree; a POST tries a label out, and writes it when that is wanted."""
    must_see(request)
    stopped = unknown.newest(fingerprint, request.POST.get("run", ""))
    if stopped is None:
        messages.info(request, _("No phone waits at that screen any more."))
        return HttpResponseRedirect(reverse("console:unknown"))
    found: dict[str, Any] = {}
    if request.method == "POST":
        if not request.user.has_perm(LABEL):
            raise PermissionDenied
        found = _label(request, stopped)
        if found.get("written"):
            return HttpResponseRedirect(reverse("console:unknown"))
    context = {**admin.site.each_context(request), **_context(request, stopped, found.get("label")), **found}
    return TemplateResponse(request, "console/unknown_screen.html", context)


def _context(request: HttpRequest, stopped: Stopped, label: Label | None) -> dict[str, Any]:
    package = stopped.row.package
    return {
        "title": _("What is this screen?"),
        "stopped": stopped,
        "screen": next(iter(unknown.screens(stopped.row.fingerprint)), None),
        "lines": list(unknown_form.lines(stopped.dump, package, label)),
        "may_label": request.user.has_perm(LABEL) and request.user.has_perm("automation.add_run"),
        "label": label,
        **unknown_form.choices(library().apps.get(app_of_package(package))),
    }


def _label(request: HttpRequest, stopped: Stopped) -> dict[str, Any]:
    """What came of it, for the page: the file and its trial, or why there is none."""
    row, actor = stopped.row, request.user.get_username()
    label = unknown_form.read(request.POST, row.fingerprint, app_of_package(row.package))
    try:
        text = labels.as_yaml(label, stopped.dump, library().apps, actor)
        trial = try_out(label, text)
        if request.POST.get("do") != "write" or not trial.is_good:
            return {"label": label, "text": text, "trial": trial}
        file = labels.write(label, text, stopped.xml)
    except labels.BadLabel as why:
        return {"label": label, "problem": str(why)}
    _send()
    log.info("screens: %s wrote %s", actor, label.file)
    messages.success(request, _("%(file)s is written: %(screen)s.") % {"file": file, "screen": label.screen})
    tell(request, solving.go_on(trial.rows, actor))
    return {"written": True}


def _send() -> None:
    """Have the hosts go by the files as they are now."""
    with contextlib.suppress(*WIRE_ERRORS):  # else the controller sends them, a second later
        Post().send(Host.objects.alive())


@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Take a label back: its file goes, or the label before it returns."""
    must_see(request)
    if not request.user.has_perm(LABEL):
        raise PermissionDenied
    file = request.POST.get("file", "")
    try:
        is_back = labels.undo(file)
    except labels.BadLabel as why:
        messages.error(request, str(why))
        return HttpResponseRedirect(reverse("console:unknown"))
    _send()
    log.info("screens: %s took %s back", request.user.get_username(), file)
    said = (
        _("%(file)s is as it was before.") if is_back else _("%(file)s is gone: the screen is unknown again.")
    )
    messages.success(request, said % {"file": file})
    return HttpResponseRedirect(reverse("console:unknown"))
