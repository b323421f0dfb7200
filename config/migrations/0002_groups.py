from typing import Any

from django.db import migrations

from config.roles import make_groups


def forwards(_apps: Any, _editor: Any) -> None:
    make_groups()


class Migration(migrations.Migration):
    """Viewer, Operator, Manager, Owner: made once. What somebody changes in them later stays."""

    dependencies = [
        ("config", "0001_second_factor"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
