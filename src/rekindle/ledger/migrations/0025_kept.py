"""Keep messages until their person asks for them, and what became of them then."""

from __future__ import annotations

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

compare_bytes = import_module("rekindle.ledger.migrations.0007_one_order").compare_bytes

KINDS = [
    "accepted",
    "delivered",
    "bounced",
    "complained",
    "opened",
    "clicked",
    "replied",
    "unsubscribed",
    "resubscribed",
    "failed",
    "shown",
    "dismissed",
]


class Migration(migrations.Migration):
    """Add their table, and widen what is taken."""

    dependencies = [("ledger", "0024_pending")]

    operations = [
        migrations.CreateModel(
            name="Kept",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("touch", models.BigIntegerField(unique=True)),
                ("parts", models.TextField()),
                ("until", models.DateTimeField()),
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
                    models.Index(fields=["person", "touch"], name="ledger_kept_person"),
                    models.Index(fields=["until"], name="ledger_kept_until"),
                ],
            },
        ),
        migrations.RemoveConstraint("delivery", "ledger_delivery_kind"),
        migrations.AlterField(
            "delivery",
            "kind",
            models.CharField(choices=[(kind, kind) for kind in KINDS], max_length=24),
        ),
        migrations.AddConstraint(
            "delivery",
            models.CheckConstraint(condition=Q(kind__in=KINDS), name="ledger_delivery_kind"),
        ),
        migrations.RunPython(compare_bytes, migrations.RunPython.noop),
    ]
