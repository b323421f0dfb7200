"""What the admin classes of this floor share."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from automation.console.why import Why
from automation.models import Run


class OrderPermissions:
    """Who may order runs, and who may cancel them: named `order` and `cancel` in the actions."""

    def has_order_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("automation.add_run")

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("automation.change_run")


class ReasonsInList:
    """A list whose rows share one reading of what is in hand, as `row.reasons`."""

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)  # type: ignore[misc]
        reasons = Why(row for row in changelist.result_list if isinstance(row, Run))
        for row in changelist.result_list:
            row.reasons = reasons
        return changelist
