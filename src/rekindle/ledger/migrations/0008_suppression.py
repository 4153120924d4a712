"""Let a suppression say for which purpose it holds, and find people by a phone's hash."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import Q

# What the rows of earlier releases meant. One was written for an opt-out, a complaint or a
# bounce, for every channel there was, which was one. It stopped receipts as well, which
# nobody had asked for. Marketing stays as forbidden as it was, on channels that come later
# too. A bounce was kept of the person under whatever address; it stays so, for nobody can
# tell any more which of two addresses it was about (``rekindle people restore-address``).
WIDENED = """
    UPDATE ledger_suppression SET channel = '*', purpose = 'marketing'
    WHERE reason IN ('opt_out', 'complaint')
"""
# Nobody could tell rows without a person apart; the first of each says it all.
SINGLED = """
    DELETE FROM ledger_suppression
    WHERE person_id IS NULL AND id NOT IN (
        SELECT min(id) FROM ledger_suppression WHERE person_id IS NULL
        GROUP BY address_hash, channel, purpose, reason)
"""


class Migration(migrations.Migration):
    """Add the columns and say of every row what it stands for."""

    dependencies = [("ledger", "0007_one_order")]

    operations = [
        migrations.AddField(
            "suppression", "purpose", models.CharField(max_length=24, db_default="*")
        ),
        migrations.AddField("person", "phone_hash", models.CharField(max_length=64, db_default="")),
        migrations.RemoveConstraint("suppression", "ledger_suppression_once"),
        migrations.RunSQL(WIDENED, migrations.RunSQL.noop),
        migrations.RunSQL(SINGLED, migrations.RunSQL.noop),
        migrations.AddConstraint(
            "suppression",
            models.UniqueConstraint(
                fields=["person", "channel", "purpose", "reason", "address_hash"],
                name="ledger_suppression_once",
            ),
        ),
        migrations.AddConstraint(
            "suppression",
            models.UniqueConstraint(
                fields=["address_hash", "channel", "purpose", "reason"],
                condition=Q(person=None),
                name="ledger_suppression_address_once",
            ),
        ),
        migrations.AddIndex(
            "person",
            models.Index(
                fields=["address_hash"],
                condition=~Q(address_hash=""),
                name="ledger_person_address",
            ),
        ),
        migrations.AddIndex(
            "person",
            models.Index(
                fields=["phone_hash"], condition=~Q(phone_hash=""), name="ledger_person_phone"
            ),
        ),
    ]
