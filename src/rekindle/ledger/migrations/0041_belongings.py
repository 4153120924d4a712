"""Keep for whom the business keeps what, until when, and what became of it."""

from __future__ import annotations

from importlib import import_module

from django.db import migrations, models
from django.db.models import Q

compare_bytes = import_module("rekindle.ledger.migrations.0007_one_order").compare_bytes


class Migration(migrations.Migration):
    """Add its table."""

    dependencies = [("ledger", "0040_worth_by_subgroup")]

    operations = [
        migrations.CreateModel(
            "Belongings",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("person", models.CharField(max_length=200)),
                ("number", models.PositiveIntegerField()),
                ("what", models.TextField()),
                ("ended_on", models.DateField()),
                ("days", models.PositiveIntegerField()),
                ("kept_until", models.DateField()),
                ("noted_at", models.DateTimeField()),
                ("warned_until", models.DateField(null=True)),
                ("told", models.CharField(max_length=16)),
                ("told_at", models.DateTimeField(null=True)),
                ("answer", models.CharField(max_length=16)),
                ("answered_at", models.DateTimeField(null=True)),
                ("closed", models.CharField(max_length=16)),
                ("closed_on", models.DateField(null=True)),
                ("next_at", models.DateTimeField()),
                ("claimed_until", models.DateTimeField(null=True)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("last_error", models.TextField(db_default="")),
            ],
            options={
                "db_table": "ledger_belongings",
                "constraints": [
                    models.UniqueConstraint(
                        fields=["person", "number"], name="ledger_belongings_once"
                    )
                ],
                "indexes": [
                    models.Index(
                        fields=["kept_until"],
                        condition=Q(closed=""),
                        name="ledger_belongings_open",
                    )
                ],
            },
        ),
        migrations.RunPython(compare_bytes, migrations.RunPython.noop),
    ]
