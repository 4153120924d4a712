"""Keep with the country of a card the state, which may have laws of its own."""

from __future__ import annotations

from importlib import import_module

from django.db import migrations, models

compare_bytes = import_module("rekindle.ledger.migrations.0007_one_order").compare_bytes


class Migration(migrations.Migration):
    """Make room for ``US-TX``; the next pass tells of everybody again, with their state."""

    dependencies = [("ledger", "0017_stopped")]

    operations = [
        migrations.AlterField("person", "country", models.CharField(max_length=6, null=True)),
        migrations.RunPython(compare_bytes, migrations.RunPython.noop),
    ]
