"""Remember what was told of each person, so that it is not written again."""

from __future__ import annotations

from importlib import import_module

from django.db import migrations, models

compare_bytes = import_module("rekindle.ledger.migrations.0007_one_order").compare_bytes


class Migration(migrations.Migration):
    """Add the column; what is there counts as never told, and is read once more."""

    dependencies = [("ledger", "0013_own_words")]

    operations = [
        migrations.AddField("person", "told", models.CharField(max_length=40, db_default="")),
        migrations.RunPython(compare_bytes, migrations.RunPython.noop),
    ]
