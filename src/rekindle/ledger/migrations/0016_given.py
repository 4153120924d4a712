"""Remember under which id a report came, and a visitor was said to be somebody."""

from __future__ import annotations

from importlib import import_module

from django.db import migrations, models
from django.db.models import Q

compare_bytes = import_module("rekindle.ledger.migrations.0007_one_order").compare_bytes


class Migration(migrations.Migration):
    """Add the columns; what came before stays with the person it went to."""

    dependencies = [("ledger", "0015_move")]

    operations = [
        migrations.AddField("event", "given", models.CharField(max_length=200, null=True)),
        migrations.AddField("alias", "given", models.CharField(max_length=200, null=True)),
        migrations.AddIndex(
            "event",
            models.Index(
                fields=["given"], condition=Q(given__isnull=False), name="ledger_event_given"
            ),
        ),
        migrations.RunPython(compare_bytes, migrations.RunPython.noop),
    ]
