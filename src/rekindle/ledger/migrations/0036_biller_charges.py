"""Keep retries of failed payments, each written down before it is asked for."""

from __future__ import annotations

from importlib import import_module

from django.db import migrations, models
from django.db.models import Q

compare_bytes = import_module("rekindle.ledger.migrations.0007_one_order").compare_bytes


class Migration(migrations.Migration):
    """Add their table."""

    dependencies = [("ledger", "0035_access_notes")]

    operations = [
        migrations.CreateModel(
            "BillerCharge",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("provider", models.CharField(max_length=63)),
                ("invoice", models.CharField(max_length=200)),
                ("number", models.PositiveIntegerField()),
                ("state", models.CharField(max_length=16)),
                ("asked_at", models.DateTimeField()),
                ("claimed_until", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
                ("decline_code", models.CharField(max_length=200, db_default="")),
                ("advice_code", models.CharField(max_length=200, db_default="")),
                ("network_advice_code", models.CharField(max_length=200, db_default="")),
            ],
            options={
                "db_table": "ledger_biller_charge",
                "indexes": [
                    models.Index(
                        fields=["claimed_until"],
                        condition=Q(state="asked"),
                        name="ledger_biller_charge_asked",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["provider", "invoice", "number"], name="ledger_biller_charge_once"
                    )
                ],
            },
        ),
        migrations.RunPython(compare_bytes, migrations.RunPython.noop),
    ]
