"""Remember who took a task and what came of it."""

from __future__ import annotations

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

compare_bytes = import_module("rekindle.ledger.migrations.0007_one_order").compare_bytes


class Migration(migrations.Migration):
    """Add their table."""

    dependencies = [("ledger", "0022_doubt")]

    operations = [
        migrations.CreateModel(
            name="Task",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("touch", models.BigIntegerField(unique=True)),
                ("taken_by", models.TextField(db_default="")),
                ("taken_at", models.DateTimeField(null=True)),
                ("again_at", models.DateTimeField(null=True)),
                ("outcome", models.CharField(max_length=24, null=True)),
                ("note", models.TextField(db_default="")),
                ("done_at", models.DateTimeField(null=True)),
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
                "indexes": [models.Index(fields=["person"], name="ledger_task_person")],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(outcome__isnull=True, done_at__isnull=True)
                        | Q(outcome__isnull=False, done_at__isnull=False),
                        name="ledger_task_done_has_outcome",
                    )
                ],
            },
        ),
        migrations.RunPython(compare_bytes, migrations.RunPython.noop),
    ]
