"""Keep of people with several e-mail addresses or phones the ones that are on no card."""

from __future__ import annotations

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models

compare_bytes = import_module("rekindle.ledger.migrations.0007_one_order").compare_bytes


class Migration(migrations.Migration):
    """Add its table, and let every card be read again, which fills it."""

    dependencies = [("ledger", "0044_overrule")]

    operations = [
        migrations.CreateModel(
            "SecondaryAddress",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=24)),
                ("hash", models.CharField(max_length=64)),
                (
                    "person",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.person",
                    ),
                ),
            ],
            options={
                "db_table": "ledger_secondary_address",
                "indexes": (models.Index(fields=["hash"], name="ledger_secondary_hash"),),
                "constraints": (
                    models.UniqueConstraint(
                        fields=("person", "kind", "hash"), name="ledger_secondary_once"
                    ),
                ),
            },
        ),
        migrations.RunPython(compare_bytes, migrations.RunPython.noop),
    ]
