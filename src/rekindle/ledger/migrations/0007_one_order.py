"""Let PostgreSQL compare texts byte by byte, as SQLite and Python do.

In the order of a language each of the five ids that a decision looks up is compared more
dearly, what one database lists first comes last in the other, and an upgrade of the
system's locales can leave an index in the wrong order. The second index that Django adds
to texts, for patterns, is of no use then.
"""

from __future__ import annotations

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

TEXTS = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
    FROM pg_attribute AS a
    JOIN pg_class AS c ON c.oid = a.attrelid
    JOIN pg_collation AS o ON o.oid = a.attcollation
    WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
      AND c.relname LIKE 'ledger\\_%' AND a.attnum > 0 AND NOT a.attisdropped
      AND o.collname <> 'C'
    ORDER BY c.relname, a.attnum
"""
PATTERN_INDEXES = """
    SELECT indexname FROM pg_indexes
    WHERE schemaname = current_schema() AND tablename LIKE 'ledger\\_%'
      AND indexname LIKE '%\\_like'
"""


def compare_bytes(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Give every text of the ledger the collation "C"; its indexes are built anew."""
    if editor.connection.vendor != "postgresql":
        return
    with editor.connection.cursor() as cursor:
        cursor.execute(PATTERN_INDEXES)
        indexes = [name for (name,) in cursor.fetchall()]
        cursor.execute(TEXTS)
        columns = cursor.fetchall()
    for name in indexes:
        editor.execute(f'DROP INDEX "{name}"')
    changes: dict[str, list[str]] = {}
    for table, column, kind in columns:
        change = f'ALTER COLUMN "{column}" TYPE {kind} COLLATE "C"'
        changes.setdefault(table, []).append(change)
    for table, own in changes.items():
        editor.execute(f'ALTER TABLE "{table}" {", ".join(own)}')


class Migration(migrations.Migration):
    """Change what there is; a test sees that nothing is added otherwise."""

    dependencies = [("ledger", "0006_deeds")]

    operations = [migrations.RunPython(compare_bytes, migrations.RunPython.noop)]
