from django.db import migrations, models


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
                fields=["campaign", "priority"],
                condition=models.Q(("fence__gte", 0), ("state", "pending")),
                name="run_lines",
            ),
        ),
    ]
