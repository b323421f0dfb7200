"""The four groups that an installation begins with. An owner may change them, an update only adds what is new."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import apps as global_apps
from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import QuerySet

APPS = ("auth", "accounts", "devices", "automation")

#: Each has also what those before it have. Owner: everything there is.
ROLES: dict[str, tuple[str, ...]] = {
    "Viewer": ("view_account", "view_device", "view_host", "view_run", "view_campaign", "view_sighting"),
    "Operator": (
        "change_account", "view_totp_code", "change_device", "add_run", "change_run", "view_evidence",
        "control_campaign", "label_screen",
    ),
    "Manager": (
        "add_account", "delete_account", "import_accounts", "export_passwords", "view_password", "add_campaign",
        "change_campaign", "delete_campaign", "delete_device", "change_host",
    ),
    "Owner": (),
}  # fmt: skip


def make_groups() -> list[str]:
    """Make the groups that are not there; returns their names. One that is there stays as somebody left it."""
    _make_permissions()
    made = []
    for name, permissions in permissions_of_roles().items():
        group, is_new = Group.objects.get_or_create(name=name)
        if is_new:
            group.permissions.set(permissions)
            made.append(name)
    return made


def give_new_permissions(apps: Apps = global_apps, **_kwargs: Any) -> None:
    """After each migrate: a group is given what its role never had. What somebody took away stays away."""
    if "givenpermission" not in apps.all_models["config"]:
        return  # migrated back to before there was a note of what was given
    groups = list(Group.objects.filter(name__in=ROLES))
    if groups:
        _make_permissions()
    for group in groups:
        _give_new(group)


def _give_new(group: Group) -> None:
    from config.models import GivenPermission

    given = GivenPermission.objects.filter(role=group.name).values("permission")
    new = list(permissions_of_roles()[group.name].exclude(pk__in=given))
    with transaction.atomic():
        group.permissions.add(*new)
        GivenPermission.objects.bulk_create(GivenPermission(role=group.name, permission=one) for one in new)


def permissions_of_roles() -> dict[str, QuerySet[Permission]]:
    """Role -> what it has by ROLES, as far as it is in the database."""
    found, codenames = {}, list[str]()
    for name, more in ROLES.items():
        codenames += more
        found[name] = _all() if name == "Owner" else _all(codenames)
    return found


def _make_permissions() -> None:
    """Their rows, which Django itself makes only after all migrations, app by app."""
    for name in APPS:
        create_permissions(global_apps.get_app_config(name), verbosity=0, interactive=False)


def _all(codenames: Iterable[str] | None = None) -> QuerySet[Permission]:
    """Permissions of ours and of users and groups. Permission itself is nobody's to change."""
    found = Permission.objects.filter(content_type__app_label__in=APPS).exclude(
        content_type__model="permission"
    )
    return found if codenames is None else found.filter(codename__in=list(codenames))
