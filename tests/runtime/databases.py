"""Fresh, migrated ledgers for tests that need one by its URL: on a file or on PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from rekindle.ledger import connect, disconnect, migrate

_numbers = count()


@contextmanager
def postgres_ledger(server: str) -> Iterator[str]:
    """Yield the URL of a new, migrated database on a server; it is dropped afterwards."""
    name = f"siege_{os.getpid()}_{next(_numbers)}"
    url = _database(server, name)
    command(server, f"CREATE DATABASE {name} TEMPLATE {_template(server)}")
    try:
        yield url
    finally:
        disconnect(connect(url, base=Path("/")))
        command(server, f"DROP DATABASE {name} WITH (FORCE)")


def sqlite_ledger(folder: Path) -> str:
    """Return the URL of a new, migrated ledger in ``folder``."""
    url = "sqlite:///ledger.sqlite3"
    disconnect(_migrated(url, folder))
    return url


def command(server: str, text: str) -> None:
    """Run one statement on a server, outside any transaction."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(text.encode())


@cache
def _template(server: str) -> str:
    """Return the name of a migrated database of a server, made once and used by nobody."""
    name = f"empty_{os.getpid()}_{next(_numbers)}"
    command(server, f"CREATE DATABASE {name}")
    disconnect(_migrated(_database(server, name), Path("/")))
    return name


def _database(server: str, name: str) -> str:
    return urlsplit(server)._replace(path=f"/{name}").geturl()


def _migrated(url: str, folder: Path) -> str:
    alias = connect(url, base=folder)
    migrate(alias)
    return alias
