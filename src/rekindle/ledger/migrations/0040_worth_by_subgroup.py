"""Keep what messages earn by subgroup, and what those written to still were shown to earn."""

from __future__ import annotations

from importlib import import_module

from django.db import migrations, models

compare_bytes = import_module("rekindle.ledger.migrations.0007_one_order").compare_bytes


class Migration(migrations.Migration):
    """Add both columns; what was found before was of everybody."""

    dependencies = [("ledger", "0039_charge_payments")]

    operations = [
        migrations.AddField(
            "MessageWorth", "subgroup", models.CharField(max_length=300, db_default="")
        ),
        migrations.AddField("MessageWorth", "again_micros", models.BigIntegerField(null=True)),
        migrations.RemoveConstraint("MessageWorth", "ledger_worth_once"),
        migrations.AddConstraint(
            "MessageWorth",
            models.UniqueConstraint(
                fields=["journey", "subgroup", "found_on"], name="ledger_worth_once"
            ),
        ),
        migrations.RunPython(compare_bytes, migrations.RunPython.noop),
    ]
