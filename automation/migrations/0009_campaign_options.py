from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("automation", "0008_attention"),
    ]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="options",
            field=models.JSONField(blank=True, default=dict, verbose_name="options"),
        ),
    ]
