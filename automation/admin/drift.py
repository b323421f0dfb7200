"""The page of drift: which alternatives of the screens still work, the ones that stopped working first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from automation.drift import Line, lines
from automation.models import Sighting
from automation.screens.explain import written
from automation.screens.schema import library
from devices.admin.kit import WrittenByNobody

SHOWN = 400  #: lines on the page; who looks for others types a part of their name
DRIFTS, ENOUGH = 0.2, 3  #: it drifts when it worked in so much fewer of at least so many runs


@dataclass(frozen=True)
class Row:
    """A line as the page shows it."""

    line: Line
    written: str  #: the alternative as the screen file has it
    rate: int  #: percent
    before: int | None  #: percent
    drifts: bool


@admin.register(Sighting)
class SightingAdmin(WrittenByNobody, ModelAdmin):
    """Written by the system, read by people."""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The table of alternatives instead of a list of rows."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = request.GET.get("q", "").strip()
        found = [line for line in lines(timezone.now()) if _fits(line, asked)]
        context = {
            **self.admin_site.each_context(request),
            "title": _("Screens and drift"),
            "rows": [_row(line) for line in found[:SHOWN]],
            "more": max(0, len(found) - SHOWN),
            "asked": asked,
            "faults": library().faults,
            "screens_hash": library().hash,
        }
        return TemplateResponse(request, "console/drift.html", context)


def _fits(line: Line, asked: str) -> bool:
    text = f"{line.app} {line.screen} {line.alternative} {line.app_version}"
    return all(word in text for word in asked.split())


def _row(line: Line) -> Row:
    before = None if line.before is None else round(100 * line.before)
    drifts = line.drop >= DRIFTS and line.tries >= ENOUGH
    text = written(library().apps, line.app, line.screen, line.alternative)
    return Row(line, text, round(100 * line.rate), before, drifts)
