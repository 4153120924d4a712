"""Keep the models of whom a journey moves, as they were learned."""

from __future__ import annotations

from importlib import import_module

from django.db import migrations, models

compare_bytes = import_module("rekindle.ledger.migrations.0007_one_order").compare_bytes


class Migration(migrations.Migration):
    """Add its table."""

    dependencies = [("ledger", "0042_stays_by_turn")]

    operations = [
        migrations.CreateModel(
            "JourneyUplift",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("journey", models.CharField(max_length=200)),
                ("version", models.PositiveIntegerField()),
                ("found_at", models.DateTimeField()),
                ("content", models.CharField(max_length=64)),
                ("scored_at", models.DateTimeField(null=True)),
                ("good_until_on", models.DateField(null=True)),
                ("people", models.PositiveIntegerField(db_default=0)),
                ("scored", models.PositiveIntegerField(db_default=0)),
                ("messages", models.FloatField(null=True)),
                ("qini", models.FloatField(null=True)),
                ("qini_low", models.FloatField(null=True)),
                ("qini_high", models.FloatField(null=True)),
                ("trouble", models.TextField(db_default="")),
            ],
            options={
                "db_table": "ledger_journey_uplift",
                "indexes": (
                    models.Index(fields=["journey", "found_at"], name="ledger_uplift_newest"),
                ),
            },
        ),
        migrations.RunPython(compare_bytes, migrations.RunPython.noop),
    ]
