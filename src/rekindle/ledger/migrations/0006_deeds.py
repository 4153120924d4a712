"""Let a report say what was done by it, instead of a signal beside it."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """Add the column; what was reported before has its signals."""

    dependencies = [("ledger", "0005_cards")]

    operations = [
        migrations.AddField("event", "deed", models.CharField(max_length=100, null=True)),
        migrations.AddIndex(
            "event",
            models.Index(
                condition=models.Q(("deed__isnull", False)),
                fields=["person", "at"],
                name="ledger_event_deeds",
            ),
        ),
        migrations.AddIndex(
            "event",
            models.Index(
                condition=models.Q(("deed__isnull", False)),
                fields=["deed", "at"],
                name="ledger_event_doers",
            ),
        ),
    ]
