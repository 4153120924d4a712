"""Remember which fields of a card people gave themselves."""

from __future__ import annotations

from importlib import import_module

from django.db import migrations, models

compare_bytes = import_module("rekindle.ledger.migrations.0007_one_order").compare_bytes


class Migration(migrations.Migration):
    """Add the column; of what was given before nobody remembers what it took the place of."""

    dependencies = [("ledger", "0012_deliveries")]

    operations = [
        migrations.AddField("person", "said", models.TextField(db_default="")),
        migrations.RunPython(compare_bytes, migrations.RunPython.noop),
    ]
