"""Remember which shares of people the holdout of all marketing journeys had."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """Add their table."""

    dependencies = [("ledger", "0030_shop_codes")]

    operations = [
        migrations.CreateModel(
            name="Holdout",
            fields=[
                ("number", models.PositiveIntegerField(primary_key=True, serialize=False)),
                ("share", models.FloatField()),
                ("since", models.DateTimeField()),
            ],
        ),
    ]
