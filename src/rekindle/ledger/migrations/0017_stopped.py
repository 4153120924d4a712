"""Remember which outlets were stopped because of something we have to mend."""

from __future__ import annotations

from importlib import import_module

from django.db import migrations, models

compare_bytes = import_module("rekindle.ledger.migrations.0007_one_order").compare_bytes


class Migration(migrations.Migration):
    """Add the table; nothing was stopped before there was one."""

    dependencies = [("ledger", "0016_given")]

    operations = [
        migrations.CreateModel(
            "StoppedOutlet",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("outlet", models.CharField(max_length=200)),
                ("at", models.DateTimeField()),
                ("reason", models.TextField()),
                ("resumed_at", models.DateTimeField(null=True)),
                ("probed_by", models.TextField(db_default="")),
                ("probed_until", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["outlet"], name="ledger_outlet_once")
                ]
            },
        ),
        migrations.RunPython(compare_bytes, migrations.RunPython.noop),
    ]
