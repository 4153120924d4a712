"""Let cards say what else is on file about their people."""

from __future__ import annotations

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

STATED = """
    UPDATE ledger_person
    SET statements = s.statements, stated_at = s.stated_at
    FROM (
        SELECT person_id, max(at) AS stated_at,
               {joined}(channel || CASE WHEN granted THEN '+' ELSE '-' END, ' ') AS statements
        FROM (
            SELECT person_id, channel, granted, at, row_number() OVER (
                PARTITION BY person_id, channel ORDER BY at DESC, granted) AS turn
            FROM ledger_consent) AS c
        WHERE turn = 1
        GROUP BY person_id) AS s
    WHERE ledger_person.id = s.person_id
"""
NOTED = """
    UPDATE ledger_person
    SET is_noted = true
    WHERE id IN (SELECT person_id FROM ledger_suppression)
       OR id IN (SELECT person_id FROM ledger_preference)
       OR id IN (SELECT person_id FROM ledger_exclusion)
"""


def fill_cards(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Write on every card what was on file before cards said so."""
    joined = "string_agg" if editor.connection.vendor == "postgresql" else "group_concat"
    editor.execute(STATED.format(joined=joined))
    editor.execute(NOTED)


class Migration(migrations.Migration):
    """Add the columns and fill them."""

    dependencies = [("ledger", "0004_health")]

    operations = [
        migrations.AddField("person", "statements", models.TextField(db_default="")),
        migrations.AddField("person", "stated_at", models.DateTimeField(null=True)),
        migrations.AddField("person", "is_noted", models.BooleanField(db_default=False)),
        migrations.RunPython(fill_cards, migrations.RunPython.noop),
    ]
