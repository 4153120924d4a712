"""Keep what people are in the profile as they enter a journey; of earlier entries nothing is."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """Add the column to assignments."""

    dependencies = [("ledger", "0036_biller_charges")]

    operations = [
        migrations.AddField("Assignment", "covariates", models.JSONField(default=dict)),
    ]
