import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_audit_of_all_secrets"),
    ]

    operations = [
        migrations.CreateModel(
            name="FiguresOfDay",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField(verbose_name="day")),
                ("followers", models.BigIntegerField(null=True, verbose_name="followers")),
                ("following", models.BigIntegerField(null=True, verbose_name="following")),
                ("hearts", models.BigIntegerField(null=True, verbose_name="hearts")),
                ("friends", models.BigIntegerField(null=True, verbose_name="friends")),
                ("videos", models.BigIntegerField(null=True, verbose_name="videos")),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="figures",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "verbose_name": "figures of a day",
                "verbose_name_plural": "figures of a day",
                "ordering": ["day"],
                "constraints": [
                    models.UniqueConstraint(fields=("account", "day"), name="figures_once_a_day")
                ],
            },
        ),
    ]
