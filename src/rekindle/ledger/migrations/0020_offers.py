"""Add the tables of offers: codes, what is given, and what is set aside."""

from __future__ import annotations

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models

compare_bytes = import_module("rekindle.ledger.migrations.0007_one_order").compare_bytes


class Migration(migrations.Migration):
    """Add the tables."""

    dependencies = [
        ("ledger", "0019_addresses"),
    ]

    operations = [
        migrations.CreateModel(
            name="OfferCode",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("offer", models.CharField(max_length=64)),
                ("code", models.TextField()),
                ("key", models.TextField()),
                ("touch", models.BigIntegerField(null=True)),
                ("loaded_at", models.DateTimeField()),
            ],
            options={
                "db_table": "ledger_offer_code",
                "indexes": [
                    models.Index(
                        condition=models.Q(("touch__isnull", True)),
                        fields=["offer", "id"],
                        name="ledger_offer_code_free",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("key",), name="ledger_offer_code_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("touch__isnull", False)),
                        fields=("touch",),
                        name="ledger_offer_code_touch",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OfferStock",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("offer", models.CharField(max_length=64)),
                ("reserved_micros", models.BigIntegerField(db_default=0)),
            ],
            options={
                "db_table": "ledger_offer_stock",
                "constraints": [
                    models.UniqueConstraint(fields=("offer",), name="ledger_offer_stock_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="GivenOffer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("touch", models.BigIntegerField(unique=True)),
                ("journey", models.CharField(max_length=200)),
                ("rotation", models.PositiveIntegerField()),
                ("offer", models.CharField(max_length=64)),
                ("kind", models.CharField(max_length=64)),
                ("ladder", models.CharField(db_default="", max_length=64)),
                ("rung", models.PositiveSmallIntegerField(db_default=0)),
                ("text", models.TextField()),
                ("tied_to", models.CharField(db_default="", max_length=64)),
                ("code", models.TextField(db_default="")),
                ("at", models.DateTimeField()),
                ("ends_on", models.DateField()),
                ("ends_at", models.DateTimeField()),
                ("cost_micros", models.BigIntegerField()),
                ("most_micros", models.BigIntegerField()),
                ("expected_micros", models.BigIntegerField()),
                ("minimum_micros", models.BigIntegerField(db_default=0)),
                ("state", models.CharField(max_length=10)),
                ("is_settled", models.BooleanField(db_default=False)),
                ("is_doubtful", models.BooleanField(db_default=False)),
                ("redeemed_at", models.DateTimeField(null=True)),
                ("is_by_other", models.BooleanField(db_default=False)),
                ("source", models.TextField(db_default="")),
                ("order", models.TextField(db_default="")),
                ("discount_micros", models.BigIntegerField(null=True)),
                (
                    "person",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.person",
                    ),
                ),
            ],
            options={
                "db_table": "ledger_given_offer",
                "indexes": [
                    models.Index(fields=["person", "ends_at"], name="ledger_given_offer_person"),
                    models.Index(
                        condition=models.Q(("is_settled", False), ("state", "open")),
                        fields=["ends_at"],
                        name="ledger_given_offer_ends",
                    ),
                    models.Index(fields=["offer", "state"], name="ledger_given_offer_offer"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ("open", "released", "redeemed", "ghost"))
                        ),
                        name="ledger_given_offer_state",
                    )
                ],
            },
        ),
        migrations.RunPython(compare_bytes, migrations.RunPython.noop),
    ]
