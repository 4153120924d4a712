"""Keep accesses that are to be restored until the business's own system took them."""

from __future__ import annotations

from importlib import import_module

from django.db import migrations, models
from django.db.models import Q

compare_bytes = import_module("rekindle.ledger.migrations.0007_one_order").compare_bytes


class Migration(migrations.Migration):
    """Add their table."""

    dependencies = [("ledger", "0034_chance")]

    operations = [
        migrations.CreateModel(
            "AccessNote",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=64)),
                ("provider", models.CharField(max_length=63)),
                ("subscription", models.CharField(max_length=200)),
                ("customer", models.CharField(max_length=200)),
                ("because", models.CharField(max_length=16)),
                ("paid_at", models.DateTimeField()),
                ("noted_at", models.DateTimeField()),
                ("next_at", models.DateTimeField()),
                ("failures", models.PositiveIntegerField(default=0)),
                ("claimed_until", models.DateTimeField(null=True)),
                ("told_at", models.DateTimeField(null=True)),
                ("last_error", models.TextField(db_default="")),
            ],
            options={
                "db_table": "ledger_access_note",
                "constraints": [
                    models.UniqueConstraint(fields=["key"], name="ledger_access_note_once")
                ],
                "indexes": [
                    models.Index(
                        fields=["next_at"],
                        condition=Q(told_at__isnull=True),
                        name="ledger_access_due",
                    ),
                    models.Index(fields=["told_at"], name="ledger_access_told"),
                ],
            },
        ),
        migrations.RunPython(compare_bytes, migrations.RunPython.noop),
    ]
