from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def close(apps: Apps, _schema: BaseDatabaseSchemaEditor) -> None:
    """Their runs do not know them, so nothing can be carried on."""
    apps.get_model("automation", "Occurrence").objects.update(state="over", stage=3)


class Migration(migrations.Migration):
    dependencies = [("automation", "0004_starts_of_campaigns")]

    operations = [migrations.RunPython(close, migrations.RunPython.noop)]
