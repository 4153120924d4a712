"""Remember by which outlet a message was tried, and until when it may be sent again there."""

from __future__ import annotations

from importlib import import_module

from django.db import migrations, models
from django.db.models import Q

compare_bytes = import_module("rekindle.ledger.migrations.0007_one_order").compare_bytes


class Migration(migrations.Migration):
    """Add the columns; of what was tried before, nobody knows and a person decides."""

    dependencies = [("ledger", "0021_resubscribed")]

    operations = [
        migrations.AddField("touch", "outlet", models.TextField(db_default="")),
        migrations.AddField("touch", "known_until", models.DateTimeField(null=True)),
        migrations.AddIndex(
            "touch",
            models.Index(
                fields=["known_until"],
                condition=Q(known_until__isnull=False),
                name="ledger_touch_known",
            ),
        ),
        migrations.RunPython(compare_bytes, migrations.RunPython.noop),
    ]
