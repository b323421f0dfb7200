"""What the admin classes of this floor share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.contrib import admin
from django.contrib.admin import actions
from django.contrib.admin.utils import unquote
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from accounts.services import RunsMayStart
from automation.console.why import Why
from automation.controller.cancels import StillInHand, cancel
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


class EndsItsRuns(DeletesWhole):
    """A host or a device that stays because it has runs in hand: they are told to end, for the next attempt."""

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        with self._told_to_end(request, [unquote(object_id)]):
            page: HttpResponse = super().delete_view(request, object_id, extra_context)  # type: ignore[misc]
            return page

    @admin.action(permissions=["delete"], description=actions.delete_selected.short_description)  # type: ignore[attr-defined]
    def delete_selected(self, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponse | None:
        with self._told_to_end(request, [row.pk for row in chosen]):
            return super().delete_selected(request, chosen)

    @contextmanager
    def _told_to_end(self, request: HttpRequest, rows: list[Any]) -> Iterator[None]:
        """Once the deletion is taken back, for that would take this back too."""
        try:
            yield
        except StillInHand:
            runs = Run.objects.active().filter(**{f"{self.opts.model_name}__in": rows})  # type: ignore[attr-defined]
            with suppress(RunsMayStart):  # it is written down: the controller goes on with it
                cancel(runs, request.user.get_username())
            raise


class ReasonsInList:
    """A list whose rows share one reading of what is in hand, as `row.reasons`."""

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)  # type: ignore[misc]
        reasons = Why(row for row in changelist.result_list if isinstance(row, Run))
        for row in changelist.result_list:
            row.reasons = reasons
        return changelist
