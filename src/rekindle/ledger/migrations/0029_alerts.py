"""Remember what the team was told of."""

from __future__ import annotations

from importlib import import_module

from django.db import migrations, models

compare_bytes = import_module("rekindle.ledger.migrations.0007_one_order").compare_bytes


class Migration(migrations.Migration):
    """Add the table; nobody was told anything before there was one."""

    dependencies = [("ledger", "0028_noticed")]

    operations = [
        migrations.CreateModel(
            "Alert",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("cause", models.CharField(max_length=300)),
                ("words", models.TextField()),
                ("at", models.DateTimeField()),
                ("is_event", models.BooleanField()),
                ("told_at", models.DateTimeField(null=True)),
                ("over_at", models.DateTimeField(null=True)),
                ("claimed_until", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "ledger_alert",
                "constraints": [
                    models.UniqueConstraint(fields=["cause"], name="ledger_alert_once")
                ],
            },
        ),
        migrations.RunPython(compare_bytes, migrations.RunPython.noop),
    ]
