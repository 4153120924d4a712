"""Ledgers for the tests: SQLite files, and a database on the session's PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from rekindle.gate import BookRules
from rekindle.ledger import Outbox, connect, disconnect, migrate, models
from rekindle.messages import AddressKind, Capabilities
from rekindle.testing.opened_books import OpenedLedgerBook
from rekindle.vocabulary import Channel
from tests.servers.postgres import empty_ledger

SECRET = b"a secret of the tests"
TERMS = BookRules(
    soft_opt_in=True,
    longest_window=timedelta(days=7),
    channels={Channel("email"): Capabilities(AddressKind.EMAIL)},
)


@pytest.fixture(scope="session")
def postgres_ledger(postgres_url: str) -> Iterator[str]:
    """Yield the alias of a migrated PostgreSQL ledger; ``postgres`` empties it."""
    alias = connect(postgres_url, base=Path("/"))
    migrate(alias)
    yield alias
    disconnect(alias)


@pytest.fixture
def postgres(postgres_ledger: str, postgres_url: str) -> str:
    """Return the alias of a PostgreSQL ledger as it is after the migrations."""
    connect(postgres_url, base=Path("/"))  # who closed every ledger closed this one, too
    empty_ledger(postgres_ledger, kept={models.Lane._meta.db_table})
    return postgres_ledger


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a migrated, empty SQLite ledger to copy."""
    folder = tmp_path_factory.mktemp("sqlite")
    alias = connect("sqlite:///ledger.sqlite3", base=folder)
    migrate(alias)
    disconnect(alias)
    return folder / "ledger.sqlite3"


@pytest.fixture
def sqlite(sqlite_template: Path, tmp_path: Path) -> Iterator[str]:
    """Yield the alias of an empty SQLite ledger."""
    shutil.copy(sqlite_template, tmp_path / "ledger.sqlite3")
    alias = connect("sqlite:///ledger.sqlite3", base=tmp_path)
    yield alias
    disconnect(alias)


@pytest.fixture(params=["sqlite", "postgres"])
def alias(request: pytest.FixtureRequest) -> str:
    """Return the alias of an empty ledger, once on each database."""
    return str(request.getfixturevalue(request.param))


@pytest.fixture
def book(alias: str) -> OpenedLedgerBook:
    """Return a book on which soft opt-in counts."""
    return OpenedLedgerBook(alias, secret=SECRET, terms=TERMS)


@pytest.fixture
def outbox(alias: str) -> Outbox:
    """Return the outbox of the same ledger."""
    return Outbox(alias)
