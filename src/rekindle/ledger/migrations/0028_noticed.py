"""Keep that messages were opened, apart from everything that a person did."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """Add their table."""

    dependencies = [("ledger", "0027_looks")]

    operations = [
        migrations.CreateModel(
            name="NoticedOpen",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("touch", models.BigIntegerField()),
                ("is_machine", models.BooleanField()),
                ("at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["touch", "is_machine"], name="ledger_open_once")
                ]
            },
        ),
    ]
