"""Keep addresses of which people have several: push subscriptions, devices, homes."""

from __future__ import annotations

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

compare_bytes = import_module("rekindle.ledger.migrations.0007_one_order").compare_bytes


class Migration(migrations.Migration):
    """Add their table."""

    dependencies = [("ledger", "0018_place")]

    operations = [
        migrations.CreateModel(
            name="Address",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=24)),
                ("value", models.TextField()),
                ("hash", models.CharField(max_length=64)),
                ("first_seen_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                ("given", models.CharField(max_length=200, null=True)),
                ("retired_at", models.DateTimeField(null=True)),
                ("reason", models.TextField(db_default="")),
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
                    models.Index(fields=["person", "kind"], name="ledger_address_person"),
                    models.Index(
                        fields=["given"],
                        condition=Q(given__isnull=False),
                        name="ledger_address_given",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=["kind", "hash"], name="ledger_address_once")
                ],
            },
        ),
        migrations.RunPython(compare_bytes, migrations.RunPython.noop),
    ]
