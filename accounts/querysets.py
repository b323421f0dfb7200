"""Named questions about accounts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from django.core.exceptions import FieldError
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Concat, Lower

from accounts.text import normal_username
from devices.models import Device
from devices.querysets import InOrder


class AccountQuerySet(InOrder):  # type: ignore[type-arg]
    def enabled(self) -> Self:
        """Those that may take part in runs."""
        return self.filter(is_enabled=True)

    def logged_in(self) -> Self:
        return self.filter(is_logged_in=True)

    def of_app(self, app: str) -> Self:
        return self.filter(app=app)

    def on_device(self, device: Device) -> Self:
        return self.filter(device=device)

    def unassigned(self) -> Self:
        return self.filter(device=None)

    def needing_attention(self) -> Self:
        return self.exclude(attention="")

    def tagged(self, tag: str) -> Self:
        """Those with this whole tag, whatever its case."""
        fence = Concat(Value(", "), "tags", Value(","), output_field=models.CharField())
        fenced = self.alias(fenced_tags=fence)
        return fenced.filter(fenced_tags__icontains=f", {tag.strip()},")

    def named(self, username: str) -> Self:
        return self.filter(username__iexact=normal_username(username))

    def named_any(self, usernames: Iterable[str]) -> Self:
        """Those with one of these usernames, whatever its case."""
        lowered = [normal_username(username).lower() for username in usernames]
        return self.alias(lower_username=Lower("username")).filter(lower_username__in=lowered)

    def matching_search(self, text: str) -> Self:
        """Those in which each word of the text is found: username, email, tags, device serial or label."""
        found = self
        for word in text.split():
            bare = normal_username(word) or word
            found = found.filter(
                Q(username__icontains=bare)
                | Q(email__icontains=word)
                | Q(tags__icontains=word)
                | Q(device__serial__icontains=word)
                | Q(device__label__icontains=word)
            )
        return found

    def order_by(self, *names: Any) -> Self:
        """As ever; but a sealed column has no order."""
        sealed = {f.name for f in self.model._meta.get_fields() if getattr(f, "bound_to", None)}
        if any(str(name).lstrip("-+") in sealed for name in names):
            raise FieldError("a secret has no order")
        return super().order_by(*names)


class AuditQuerySet(models.QuerySet):  # type: ignore[type-arg]
    """Rows that are only ever added."""

    def update(self, **_values: Any) -> int:
        raise TypeError("an audit event is never changed")

    def bulk_create(self, objs: Any, *args: Any, **kwargs: Any) -> Any:
        """As ever, but it replaces nothing."""
        if kwargs.get("update_conflicts"):
            raise TypeError("an audit event is never changed")
        return super().bulk_create(objs, *args, **kwargs)

    def delete(self) -> Any:
        raise TypeError("an audit event is never deleted")
