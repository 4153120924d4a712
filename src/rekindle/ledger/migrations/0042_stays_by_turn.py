"""Name the stays on record by how often their subscription had begun, and by no date.

A start that was corrected had been recorded as another purchase: the last one recorded is what
the facts say now and keeps on; those before it are void, and keep their old names.
"""

from __future__ import annotations

import json
import re

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

CHUNK = 10_000
PREFIX, KEY = "subscription:", "order:"
DATED = re.compile(r"subscription:(?P<id>.*)@-?[0-9]+", re.DOTALL)


def name_stays(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Give each stay on record the key that the next import of it has."""
    rows = apps.get_model("ledger", "Signal").objects.using(editor.connection.alias)
    changed, named = [], set[str]()
    for row in (
        rows.filter(kind="order", subject__startswith=PREFIX).order_by("-id").iterator(CHUNK)
    ):
        told = DATED.fullmatch(row.subject)
        if told is None or not row.key.startswith(KEY):
            continue
        subject = f"{PREFIX}{told['id']}@1"
        source, _, person = json.loads(row.key.removeprefix(KEY))
        key = KEY + json.dumps([source, subject, person], ensure_ascii=False)
        if key in named:
            row.is_void = True
        else:
            row.subject, row.key = subject, key
            named.add(key)
        changed.append(row)
    rows.bulk_update(changed, ["subject", "key", "is_void"], batch_size=CHUNK // 20)


class Migration(migrations.Migration):
    """Bring what is there into its shape."""

    dependencies = [("ledger", "0041_belongings")]

    operations = [migrations.RunPython(name_stays, migrations.RunPython.noop)]
