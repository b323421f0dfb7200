from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def to_state(apps: Apps, _schema: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("automation", "Campaign").objects.filter(is_active=False).update(state="paused")


def to_flag(apps: Apps, _schema: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("automation", "Campaign").objects.exclude(state="active").update(is_active=False)


class Migration(migrations.Migration):
    dependencies = [("automation", "0002_lines_and_limits")]

    operations = [
        migrations.RunPython(to_state, to_flag),
        migrations.RemoveField(model_name="campaign", name="is_active"),
    ]
