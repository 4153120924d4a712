"""Let a ledger know that it was moved, or is being moved, to another database."""

from __future__ import annotations

from importlib import import_module

from django.db import migrations, models

compare_bytes = import_module("rekindle.ledger.migrations.0007_one_order").compare_bytes


class Migration(migrations.Migration):
    """Add the table."""

    dependencies = [("ledger", "0014_told")]

    operations = [
        migrations.CreateModel(
            name="Move",
            fields=[
                ("id", models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ("is_out", models.BooleanField()),
                ("place", models.TextField()),
                ("token", models.CharField(max_length=32)),
                ("at", models.DateTimeField()),
                ("done_at", models.DateTimeField(null=True)),
            ],
            options={"db_table": "ledger_move"},
        ),
        migrations.RunPython(compare_bytes, migrations.RunPython.noop),
    ]
