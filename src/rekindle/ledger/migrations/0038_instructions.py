"""Keep what subscribers told the biller to do, each written down before it is asked for."""

from __future__ import annotations

from importlib import import_module

from django.db import migrations, models
from django.db.models import Q

compare_bytes = import_module("rekindle.ledger.migrations.0007_one_order").compare_bytes


class Migration(migrations.Migration):
    """Add their table."""

    dependencies = [("ledger", "0037_covariates")]

    operations = [
        migrations.CreateModel(
            "Instruction",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("provider", models.CharField(max_length=63)),
                ("subscription", models.CharField(max_length=200)),
                ("number", models.PositiveIntegerField()),
                ("person", models.CharField(max_length=200)),
                ("kind", models.CharField(max_length=16)),
                ("argument", models.CharField(max_length=200)),
                ("reason", models.CharField(max_length=32)),
                ("words", models.TextField()),
                ("evidence", models.CharField(max_length=200)),
                ("state", models.CharField(max_length=16)),
                ("asked_at", models.DateTimeField()),
                ("claimed_until", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
                ("trouble", models.TextField(db_default="")),
            ],
            options={
                "db_table": "ledger_instruction",
                "indexes": [
                    models.Index(fields=["person"], name="ledger_instruction_whose"),
                    models.Index(
                        fields=["claimed_until"],
                        condition=Q(state="asked"),
                        name="ledger_instruction_asked",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["provider", "subscription", "number"],
                        name="ledger_instruction_once",
                    )
                ],
            },
        ),
        migrations.RunPython(compare_bytes, migrations.RunPython.noop),
    ]
