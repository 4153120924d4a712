"""Keep who was found to be one person, and under which key a touch is known outside."""

from __future__ import annotations

from importlib import import_module

from django.db import migrations, models

compare_bytes = import_module("rekindle.ledger.migrations.0007_one_order").compare_bytes


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0010_orders_known"),
    ]

    operations = [
        migrations.CreateModel(
            name="Settling",
            fields=[
                ("id", models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ("evidence", models.TextField()),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="person",
            name="joined_to",
            field=models.CharField(max_length=200, null=True),
        ),
        migrations.AddField(
            model_name="touch",
            name="key",
            field=models.CharField(db_default="", max_length=64),
        ),
        migrations.CreateModel(
            name="Join",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("gone", models.CharField(max_length=200)),
                ("kept", models.CharField(max_length=200)),
                ("reason", models.CharField(max_length=24)),
                ("evidence", models.TextField(db_default="")),
                ("at", models.DateTimeField()),
                ("by", models.TextField(db_default="")),
                ("moved", models.JSONField(default=dict)),
                ("undone_at", models.DateTimeField(null=True)),
                ("undone_by", models.TextField(db_default="")),
            ],
            options={
                "indexes": [
                    models.Index(fields=["gone"], name="ledger_join_gone"),
                    models.Index(fields=["kept"], name="ledger_join_kept"),
                ],
            },
        ),
        migrations.RunPython(compare_bytes, migrations.RunPython.noop),
    ]
