"""Remember what messages of journeys were found to earn."""

from __future__ import annotations

from importlib import import_module

from django.db import migrations, models

compare_bytes = import_module("rekindle.ledger.migrations.0007_one_order").compare_bytes


class Migration(migrations.Migration):
    """Add their table."""

    dependencies = [("ledger", "0032_biller_notices")]

    operations = [
        migrations.CreateModel(
            name="MessageWorth",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("journey", models.CharField(max_length=200)),
                ("found_on", models.DateField()),
                ("found_at", models.DateTimeField()),
                ("people", models.PositiveIntegerField(db_default=0)),
                ("micros", models.BigIntegerField(null=True)),
                ("low_micros", models.BigIntegerField(null=True)),
                ("high_micros", models.BigIntegerField(null=True)),
                ("trouble", models.TextField(db_default="")),
            ],
            options={
                "db_table": "ledger_message_worth",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("journey", "found_on"), name="ledger_worth_once"
                    )
                ],
            },
        ),
        migrations.RunPython(compare_bytes, migrations.RunPython.noop),
    ]
