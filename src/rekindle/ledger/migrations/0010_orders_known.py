"""Keep a purchase by its order, and which versions of the facts passes looked at.

The key of a purchase joined source, order and person by colons, which ids may hold: two
orders could have one key. Who it was is in the row, so the old ones come apart again.
"""

from __future__ import annotations

import json
from importlib import import_module

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

CHUNK = 10_000
OLD = "order:"
compare_bytes = import_module("rekindle.ledger.migrations.0007_one_order").compare_bytes


def name_orders(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Write source, order and a key without doubt on every purchase on record."""
    model = apps.get_model("ledger", "Signal")
    rows = model.objects.using(editor.connection.alias).filter(kind="order", key__startswith=OLD)
    changed = []
    for row in rows.iterator(chunk_size=CHUNK):
        told = row.key[len(OLD) :].removesuffix(f":{row.person_id}")
        row.source, _, row.subject = told.partition(":")
        row.key = OLD + json.dumps([row.source, row.subject, row.person_id], ensure_ascii=False)
        changed.append(row)
    model.objects.using(editor.connection.alias).bulk_update(
        changed, ["source", "subject", "key"], batch_size=CHUNK // 20
    )


class Migration(migrations.Migration):
    """Add what is kept; bring what is there into its shape."""

    dependencies = [("ledger", "0009_guards")]

    operations = [
        migrations.CreateModel(
            "Observation",
            [
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("seen_at", models.DateTimeField()),
            ],
        ),
        migrations.AddField("signal", "arrived_at", models.DateTimeField(null=True)),
        migrations.AddField("signal", "is_void", models.BooleanField(db_default=False)),
        migrations.AddField("signal", "source", models.TextField(db_default="")),
        migrations.AddField("signal", "subject", models.TextField(db_default="")),
        migrations.RunPython(name_orders, migrations.RunPython.noop),
        migrations.AddIndex(
            "signal",
            models.Index(
                condition=~models.Q(subject=""),
                fields=["source", "subject"],
                name="ledger_signal_subject",
            ),
        ),
        migrations.RunPython(compare_bytes, migrations.RunPython.noop),
    ]
