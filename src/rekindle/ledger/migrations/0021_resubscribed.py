"""Let a provider report that somebody wants to be written to again."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import Q

KINDS = [
    "accepted",
    "delivered",
    "bounced",
    "complained",
    "opened",
    "clicked",
    "replied",
    "unsubscribed",
    "resubscribed",
    "failed",
]


class Migration(migrations.Migration):
    """Widen what is taken."""

    dependencies = [("ledger", "0020_offers")]

    operations = [
        migrations.RemoveConstraint("delivery", "ledger_delivery_kind"),
        migrations.AlterField(
            "delivery",
            "kind",
            models.CharField(choices=[(kind, kind) for kind in KINDS], max_length=24),
        ),
        migrations.AddConstraint(
            "delivery",
            models.CheckConstraint(condition=Q(kind__in=KINDS), name="ledger_delivery_kind"),
        ),
    ]
