"""Keep each yes that waits for its confirmation."""

from __future__ import annotations

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models

compare_bytes = import_module("rekindle.ledger.migrations.0007_one_order").compare_bytes


class Migration(migrations.Migration):
    """Add their table."""

    dependencies = [("ledger", "0023_tasks")]

    operations = [
        migrations.CreateModel(
            name="PendingConsent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("channel", models.CharField(max_length=24)),
                ("at", models.DateTimeField()),
                ("source", models.TextField()),
                ("wording", models.TextField(db_default="")),
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
                "constraints": [
                    models.UniqueConstraint(
                        fields=("person", "channel", "at"), name="ledger_pending_once"
                    )
                ],
            },
        ),
        migrations.RunPython(compare_bytes, migrations.RunPython.noop),
    ]
