"""Keep who is on a list of another system, and what was asked to end it."""

from __future__ import annotations

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

compare_bytes = import_module("rekindle.ledger.migrations.0007_one_order").compare_bytes


class Migration(migrations.Migration):
    """Add their table."""

    dependencies = [("ledger", "0025_kept")]

    operations = [
        migrations.CreateModel(
            name="Stay",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("touch", models.BigIntegerField(unique=True)),
                ("channel", models.CharField(max_length=24)),
                ("outlet", models.TextField()),
                ("destination", models.TextField()),
                ("member", models.TextField()),
                ("at", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("judged_at", models.DateTimeField(null=True)),
                ("told_at", models.DateTimeField(null=True)),
                ("added_at", models.DateTimeField(null=True)),
                ("requested_at", models.DateTimeField(null=True)),
                ("reason", models.TextField(db_default="")),
                ("taken_at", models.DateTimeField(null=True)),
                ("request", models.TextField(db_default="")),
                ("effective_at", models.DateTimeField(null=True)),
                ("not_before", models.DateTimeField()),
                ("lease_until", models.DateTimeField(null=True)),
                ("attempts", models.PositiveIntegerField(db_default=0)),
                ("last_error", models.TextField(db_default="")),
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
                "indexes": [
                    models.Index(fields=["person"], name="ledger_stay_person"),
                    models.Index(
                        fields=["outlet", "destination", "member"],
                        condition=Q(effective_at__isnull=True),
                        name="ledger_stay_member",
                    ),
                    models.Index(
                        fields=["until"],
                        condition=Q(requested_at__isnull=True),
                        name="ledger_stay_live",
                    ),
                    models.Index(
                        fields=["requested_at"],
                        condition=Q(requested_at__isnull=False, effective_at__isnull=True),
                        name="ledger_stay_leaving",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(requested_at__isnull=False)
                        | Q(taken_at__isnull=True, effective_at__isnull=True),
                        name="ledger_stay_ends_on_request",
                    )
                ],
            },
        ),
        migrations.RunPython(compare_bytes, migrations.RunPython.noop),
    ]
