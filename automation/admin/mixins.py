"""What the admin classes of this floor share."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin import actions
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from automation.console.why import Why
from automation.models import Run


class OrderPermissions:
    """Who may order runs, and who may cancel them: named `order` and `cancel` in the actions."""

    def has_order_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("automation.add_run")

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("automation.change_run")


class DeletesWhole:
    """Ticked rows are deleted and noted together, or, where one must stay (automation/receivers.py), none is."""

    @admin.action(permissions=["delete"], description=actions.delete_selected.short_description)  # type: ignore[attr-defined]
    def delete_selected(self, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponse | None:
        with transaction.atomic():
            return actions.delete_selected(self, request, chosen)  # type: ignore[arg-type]

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, set[str], list[Any]]:
        """The rows by name; what goes with them only as numbers: an account may have a figure for each day of years."""
        opts = self.opts  # type: ignore[attr-defined]
        numbers = {opts.verbose_name_plural: len(objs)}
        for link in opts.related_objects:
            if link.on_delete is models.CASCADE:
                rows = link.related_model._default_manager.filter(**{f"{link.field.name}__in": objs})
                numbers[link.related_model._meta.verbose_name_plural] = rows.count()
        numbers = {name: number for name, number in numbers.items() if number}
        may = self.has_delete_permission(request)  # type: ignore[attr-defined]
        return list(map(str, objs)), numbers, set() if may else {str(opts.verbose_name)}, []


class ReasonsInList:
    """A list whose rows share one reading of what is in hand, as `row.reasons`."""

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)  # type: ignore[misc]
        reasons = Why(row for row in changelist.result_list if isinstance(row, Run))
        for row in changelist.result_list:
            row.reasons = reasons
        return changelist
