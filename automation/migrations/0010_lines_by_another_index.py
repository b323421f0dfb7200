from django.db import migrations, models
from django.db.models.functions import Abs


class Migration(migrations.Migration):
    dependencies = [
        ("automation", "0009_campaign_options"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="run",
            name="run_lines",
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                Abs("campaign"),
                models.F("priority"),
                condition=models.Q(("state", "pending")),
                name="run_lines",
            ),
        ),
    ]
