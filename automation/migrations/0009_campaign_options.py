from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("automation", "0007_screens_of_runs_and_drift"),
    ]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="options",
            field=models.JSONField(blank=True, default=dict, verbose_name="options"),
        ),
    ]
