from django.db import migrations, models

from devices.renumbered import AddFieldOnce


class Migration(migrations.Migration):
    dependencies = [
        ("automation", "0008_attention"),
    ]

    operations = [
        AddFieldOnce(
            model_name="campaign",
            name="options",
            field=models.JSONField(blank=True, default=dict, verbose_name="options"),
        ),
    ]
