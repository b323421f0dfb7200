"""What the lists and pages of all floors share: pills, buttons on a row's own page, lists that refresh themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.admin.utils import quote
from django.db.models import QuerySet
from django.db.models.functions import Length
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

#: As phones stand in the rack; ports are texts, so that the shorter goes first: 2 before 10.
POSITION = ("host__name", Length("hub"), "hub", Length("port"), "port", "serial")
GOOD, BUSY, WARN, BAD, PLAIN = "good", "busy", "warn", "bad", "plain"


def pill(text: object, look: str = PLAIN, title: object = "") -> SafeString:
    """A word on a coloured ground; `look` is one of the five above."""
    return format_html('<span class="pr-pill pr-{}" title="{}">{}</span>', look, title, text)


def two_lines(first: object, second: object) -> SafeString:
    """What matters over what explains it."""
    return format_html('<span class="pr-two"><span>{}</span><small>{}</small></span>', first, second)


def when(moment: datetime | None) -> str:
    """The time of today, else day and time; a dash for never."""
    if moment is None:
        return "–"
    local = timezone.localtime(moment)
    today = local.date() == timezone.localdate()
    return formats.date_format(local, "H:i:s" if today else "j M H:i")


class PageButtons(ModelAdmin):
    """Shows some of the list's actions on each row's own page, as buttons that post and come back to it."""

    change_form_outer_before_template = "console/buttons.html"
    page_buttons: tuple[str, ...] = ()

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id) if object_id else None
        extra = {"page_buttons": self._buttons(request, row) if row else [], **(extra_context or {})}
        page: HttpResponse = super().changeform_view(request, object_id, form_url, extra)
        return page

    def buttons_for(self, row: Any) -> tuple[str, ...]:
        """The actions that make sense for this row as it is."""
        return self.page_buttons

    def _buttons(self, request: HttpRequest, row: Any) -> list[tuple[str, str]]:
        """(action, label) of those that this user may do."""
        offered = self.get_actions(request)
        return [(name, offered[name][2]) for name in self.buttons_for(row) if name in offered]

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        response: HttpResponse | None = super().response_action(request, queryset)
        if request.POST.get("from_page") and isinstance(response, HttpResponseRedirect):
            name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
            return HttpResponseRedirect(reverse(name, args=[quote(request.POST["from_page"])]))
        return response


class WrittenByNobody:
    """Rows that only the program writes: no person adds, changes or deletes one."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class LiveList(ModelAdmin):
    """A list that brings itself up to date while it is open (config/static/phonerack/live.js)."""

    list_before_template = "console/list_head.html"
    live_seconds = 5
    #: (label, query) of the views that are wanted most
    chips: tuple[tuple[Any, str], ...] = ()

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page; only its rows where the page itself asks for them."""
        extra = {"chips": self.chips, "chip": request.GET.urlencode(), **(extra_context or {})}
        response: HttpResponse = super().changelist_view(request, extra)
        if request.headers.get("X-Live") and isinstance(response, TemplateResponse):
            response.template_name = "console/list_rows.html"
        return response
