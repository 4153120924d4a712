"""Remember on which days a journey's figures were looked at."""

from __future__ import annotations

from importlib import import_module

from django.db import migrations, models

compare_bytes = import_module("rekindle.ledger.migrations.0007_one_order").compare_bytes


class Migration(migrations.Migration):
    """Add their table."""

    dependencies = [("ledger", "0026_stays")]

    operations = [
        migrations.CreateModel(
            name="Look",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("journey", models.CharField(max_length=200)),
                ("looked_on", models.DateField()),
                ("looked_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("journey", "looked_on"), name="ledger_look_once"
                    )
                ],
            },
        ),
        migrations.RunPython(compare_bytes, migrations.RunPython.noop),
    ]
