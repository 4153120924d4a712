"""Find what was accepted lately without reading every touch there ever was."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """Add the index that a journey's breaker asks."""

    dependencies = [("ledger", "0003_intake")]

    operations = [
        migrations.AddIndex(
            model_name="touch",
            index=models.Index(
                condition=models.Q(accepted_at__isnull=False),
                fields=["accepted_at"],
                name="ledger_touch_accepted",
            ),
        ),
    ]
