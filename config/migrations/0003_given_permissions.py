from typing import Any

import django.db.models.deletion
from django.db import migrations, models

from config.roles import permissions_of_roles


def note_what_was_given(apps: Any, _editor: Any) -> None:
    """All there is by now: what a group lacks of it, somebody took away."""
    given = apps.get_model("config", "GivenPermission")
    for role, permissions in permissions_of_roles().items():
        ids = permissions.values_list("pk", flat=True)
        given.objects.bulk_create(given(role=role, permission_id=pk) for pk in ids)


class Migration(migrations.Migration):
    """A note of what each role was given, so that an update gives only what is new."""

    dependencies = [
        ("config", "0002_groups"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]
    operations = [
        migrations.CreateModel(
            name="GivenPermission",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("role", models.CharField(max_length=150)),
                (
                    "permission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="auth.permission"
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=("role", "permission"), name="given_once")],
            },
        ),
        migrations.RunPython(note_what_was_given, migrations.RunPython.noop),
    ]
