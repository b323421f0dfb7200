"""Deleting rows as a person does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Model
from django.urls import reverse


def delete(client: Any, way: str, rows: Sequence[Model]) -> Any:
    """The answer to the confirmed deletion: "page", that of the first row, or "list", with all of them ticked."""
    name = f"admin:{rows[0]._meta.app_label}_{rows[0]._meta.model_name}"
    if way == "page":
        url, form = reverse(f"{name}_delete", args=[rows[0].pk]), {}
    else:
        ticked = [row.pk for row in rows]
        url, form = reverse(f"{name}_changelist"), {"action": "delete_selected", "_selected_action": ticked}
    return client.post(url, {**form, "post": "yes"}, follow=True, headers={"Referer": url})
