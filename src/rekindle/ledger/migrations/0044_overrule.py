"""Keep who let messages leave that had been stopped, why and until when."""

from __future__ import annotations

from importlib import import_module

from django.db import migrations, models

compare_bytes = import_module("rekindle.ledger.migrations.0007_one_order").compare_bytes


class Migration(migrations.Migration):
    """Add its table."""

    dependencies = [("ledger", "0043_journey_uplift")]

    operations = [
        migrations.CreateModel(
            "Overrule",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("journey", models.CharField(max_length=200)),
                ("subgroup", models.CharField(max_length=300, db_default="")),
                ("step", models.CharField(max_length=200, db_default="")),
                ("who", models.CharField(max_length=200)),
                ("why", models.TextField()),
                ("at", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_by", models.CharField(max_length=200, db_default="")),
            ],
            options={
                "db_table": "ledger_overrule",
                "indexes": (models.Index(fields=["journey", "at"], name="ledger_overrule_of"),),
            },
        ),
        migrations.RunPython(compare_bytes, migrations.RunPython.noop),
    ]
