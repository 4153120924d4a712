"""Keep the notices of whoever bills the subscriptions."""

from __future__ import annotations

from importlib import import_module

from django.db import migrations, models
from django.db.models import Q

compare_bytes = import_module("rekindle.ledger.migrations.0007_one_order").compare_bytes


class Migration(migrations.Migration):
    """Add their table."""

    dependencies = [("ledger", "0031_holdout")]

    operations = [
        migrations.CreateModel(
            "BillerNotice",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("provider", models.CharField(max_length=63)),
                ("event", models.CharField(max_length=200)),
                ("kind", models.CharField(max_length=100)),
                ("thing", models.CharField(max_length=200)),
                ("customer", models.CharField(max_length=200)),
                ("at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                ("statements", models.TextField()),
                ("folded_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "ledger_biller_notice",
                "indexes": [
                    models.Index(
                        fields=["provider", "thing", "at"], name="ledger_biller_notice_thing"
                    ),
                    models.Index(fields=["customer"], name="ledger_biller_notice_whose"),
                    models.Index(
                        fields=["at", "id"],
                        condition=Q(folded_at__isnull=True),
                        name="ledger_biller_notice_spool",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["provider", "event"], name="ledger_biller_notice_once"
                    )
                ],
            },
        ),
        migrations.RunPython(compare_bytes, migrations.RunPython.noop),
    ]
