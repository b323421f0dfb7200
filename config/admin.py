"""The pages of users and groups, in the look of all the others."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as StockGroupAdmin
from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy, ngettext
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts.audit import Who
from config.models import SecondFactor
from config.signin.views import reset

admin.site.unregister([User, Group])


@admin.register(User)
class UserAdmin(StockUserAdmin, ModelAdmin):  # type: ignore[type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "in_groups", "is_active", "is_superuser", "has_factor", "last_login")
    actions = ["take_factor_away"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        factors = SecondFactor.objects.filter(user=OuterRef("pk"), confirmed=True)
        users: QuerySet[User] = super().get_queryset(request)
        return users.annotate(has_factor=Exists(factors)).prefetch_related("groups")

    @admin.display(description=gettext_lazy("groups"))
    def in_groups(self, user: User) -> str:
        return ", ".join(group.name for group in user.groups.all())

    @admin.display(description=gettext_lazy("second factor"), boolean=True)
    def has_factor(self, user: Any) -> bool:
        return bool(user.has_factor)

    # Only a superuser makes or changes one: whoever may change users must not raise themselves

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        known = super().get_readonly_fields(request, obj)
        return known if request.user.is_superuser else (*known, "is_superuser", "user_permissions")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_touch(request, obj)

    @admin.action(description=gettext_lazy("Take away the second factor"), permissions=["change"])
    def take_factor_away(self, request: HttpRequest, users: QuerySet[User]) -> None:
        count = sum(reset(user, Who.of(request)) for user in users if _may_touch(request, user))
        text = ngettext("%(n)s second factor taken away.", "%(n)s second factors taken away.", count)
        messages.success(request, text % {"n": count})


def _may_touch(request: HttpRequest, user: User | None) -> bool:
    return user is None or bool(request.user.is_superuser) or not user.is_superuser


@admin.register(Group)
class GroupAdmin(StockGroupAdmin, ModelAdmin):
    pass
