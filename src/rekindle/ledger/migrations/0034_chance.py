"""Remember by which chance an offer was given, and what could have been given instead."""

from __future__ import annotations

from importlib import import_module

from django.db import migrations, models

compare_bytes = import_module("rekindle.ledger.migrations.0007_one_order").compare_bytes


class Migration(migrations.Migration):
    """Add both; what was given before was chosen by a rule, and is no part of any log."""

    dependencies = [("ledger", "0033_message_worth")]

    operations = [
        migrations.AddField("GivenOffer", "options", models.TextField(db_default="")),
        migrations.AddField("GivenOffer", "propensity", models.FloatField(db_default=1.0)),
        migrations.RunPython(compare_bytes, migrations.RunPython.noop),
    ]
