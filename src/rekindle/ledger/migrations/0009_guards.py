"""Let the ledger recognise its secret and the files that remember how far it had come."""

from __future__ import annotations

from importlib import import_module

from django.db import migrations, models

one_order = import_module("rekindle.ledger.migrations.0007_one_order")


class Migration(migrations.Migration):
    """Add the two tables."""

    dependencies = [("ledger", "0008_suppression")]

    operations = [
        migrations.CreateModel(
            name="Seal",
            fields=[
                ("id", models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ("fingerprint", models.CharField(max_length=64)),
                ("at", models.DateTimeField()),
            ],
            options={"db_table": "ledger_seal"},
        ),
        migrations.CreateModel(
            name="Mark",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("number", models.PositiveBigIntegerField()),
                ("token", models.CharField(max_length=32)),
                ("at", models.DateTimeField()),
            ],
            options={"db_table": "ledger_mark"},
        ),
        migrations.RunPython(one_order.compare_bytes, migrations.RunPython.noop),
    ]
