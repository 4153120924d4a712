"""Remember which codes of offers a shop makes, and how they stand there."""

from __future__ import annotations

from importlib import import_module

from django.db import migrations, models
from django.db.models import Q

compare_bytes = import_module("rekindle.ledger.migrations.0007_one_order").compare_bytes


class Migration(migrations.Migration):
    """Add what a shop knows of a code; those there were loaded, and no shop made them."""

    dependencies = [("ledger", "0029_alerts")]

    operations = [
        migrations.AddField(
            "OfferCode", "made_for", models.CharField(max_length=64, db_default="")
        ),
        migrations.AddField("OfferCode", "standing", models.CharField(max_length=8, db_default="")),
        migrations.AddField("OfferCode", "shop_name", models.TextField(db_default="")),
        migrations.AddField("OfferCode", "tried_at", models.DateTimeField(null=True)),
        migrations.AddField("OfferCode", "trouble", models.TextField(db_default="")),
        migrations.AddConstraint(
            "OfferCode",
            models.CheckConstraint(
                condition=Q(standing__in=("", "asked", "made", "ending", "ended")),
                name="ledger_offer_code_standing",
            ),
        ),
        migrations.AddIndex(
            "OfferCode",
            models.Index(
                fields=["standing", "id"],
                condition=Q(standing__in=("asked", "made", "ending")),
                name="ledger_offer_code_shop",
            ),
        ),
        migrations.RunPython(compare_bytes, migrations.RunPython.noop),
    ]
