"""The four groups that a new installation begins with. An owner may change them afterwards."""

from __future__ import annotations

from collections.abc import Iterable

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
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
    for name in APPS:  # a migration runs before Django itself makes the rows of the permissions
        create_permissions(apps.get_app_config(name), verbosity=0, interactive=False)
    made, codenames = [], list[str]()
    for name, more in ROLES.items():
        codenames += more
        group, is_new = Group.objects.get_or_create(name=name)
        if is_new:
            group.permissions.set(_all() if name == "Owner" else _all(codenames))
            made.append(name)
    return made


def _all(codenames: Iterable[str] | None = None) -> QuerySet[Permission]:
    """Permissions of ours and of users and groups. Permission itself is nobody's to change."""
    found = Permission.objects.filter(content_type__app_label__in=APPS).exclude(
        content_type__model="permission"
    )
    return found if codenames is None else found.filter(codename__in=list(codenames))
