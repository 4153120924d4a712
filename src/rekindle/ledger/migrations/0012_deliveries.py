"""Keep what providers say later of messages that left."""

from __future__ import annotations

from importlib import import_module

from django.db import migrations, models
from django.db.models import Q

compare_bytes = import_module("rekindle.ledger.migrations.0007_one_order").compare_bytes

KINDS = (
    "accepted",
    "delivered",
    "bounced",
    "complained",
    "opened",
    "clicked",
    "replied",
    "unsubscribed",
    "failed",
)


class Migration(migrations.Migration):
    """Add the table."""

    dependencies = [("ledger", "0011_persons")]

    operations = [
        migrations.CreateModel(
            "Delivery",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.TextField(unique=True)),
                ("channel", models.CharField(max_length=24)),
                ("outlet", models.TextField()),
                (
                    "kind",
                    models.CharField(max_length=24, choices=[(kind, kind) for kind in KINDS]),
                ),
                ("at", models.DateTimeField()),
                ("touch", models.BigIntegerField(null=True)),
                ("is_machine", models.BooleanField()),
                ("is_permanent", models.BooleanField()),
                ("reason", models.TextField(db_default="")),
                ("recorded_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(kind__in=list(KINDS)), name="ledger_delivery_kind"
                    )
                ],
                "indexes": [
                    models.Index(
                        fields=["touch"],
                        condition=Q(touch__isnull=False),
                        name="ledger_delivery_touch",
                    )
                ],
            },
        ),
        migrations.RunPython(compare_bytes, migrations.RunPython.noop),
    ]
