"""Keep as what the biller numbers each retry, so that its own record of it counts once."""

from __future__ import annotations

from importlib import import_module

from django.db import migrations, models

compare_bytes = import_module("rekindle.ledger.migrations.0007_one_order").compare_bytes


class Migration(migrations.Migration):
    """Add the column; of earlier retries nothing is known."""

    dependencies = [("ledger", "0038_instructions")]

    operations = [
        migrations.AddField(
            "BillerCharge", "payment", models.CharField(max_length=200, db_default="")
        ),
        migrations.RunPython(compare_bytes, migrations.RunPython.noop),
    ]
