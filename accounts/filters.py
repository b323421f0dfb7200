"""The filters of the list, in the words of the list."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from accounts.querysets import AccountQuerySet
from accounts.text import split_tags


class YesNoFilter(SimpleListFilter):
    """Two answers, each a question of the queryset."""

    answers: ClassVar[dict[str, tuple[Any, Any]]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(value, label) for value, (label, _question) in self.answers.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Account]) -> QuerySet[Account] | None:
        answer = self.answers.get(self.value() or "")
        return answer[1](queryset) if answer else None


class StatusFilter(YesNoFilter):
    title = _("Status")
    parameter_name = "status"
    answers = {
        "enabled": (_("Enabled"), lambda rows: rows.enabled()),
        "disabled": (_("Disabled"), lambda rows: rows.filter(is_enabled=False)),
    }


class LoginFilter(YesNoFilter):
    title = _("Login Status")
    parameter_name = "login"
    answers = {
        "in": (_("Logged in"), lambda rows: rows.logged_in()),
        "out": (_("Not logged in"), lambda rows: rows.filter(is_logged_in=False)),
    }


class AttentionFilter(YesNoFilter):
    title = _("attention")
    parameter_name = "needs"
    answers = {
        "person": (_("Needs a person"), lambda rows: rows.needing_attention()),
        "nobody": (_("Needs nobody"), lambda rows: rows.filter(attention="")),
    }


class DeviceFilter(YesNoFilter):
    title = _("device")
    parameter_name = "assigned"
    answers = {
        "yes": (_("Assigned"), lambda rows: rows.exclude(device=None)),
        "no": (_("Unassigned"), lambda rows: rows.unassigned()),
    }


class TagFilter(SimpleListFilter):
    title = _("tag")
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        texts = Account.objects.exclude(tags="").order_by().values_list("tags", flat=True).distinct()
        tags = {tag.casefold(): tag for text in texts for tag in split_tags(text)}
        return [(tag, tag) for _folded, tag in sorted(tags.items())]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Account]) -> QuerySet[Account]:
        tag = self.value()
        return cast(AccountQuerySet, queryset).tagged(tag) if tag else queryset
