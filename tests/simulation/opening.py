"""Opens a book for worlds to live in, by its name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.simulation.keeping import MakeKeeper, MemoryKeeper

BOOKS = ("memory", "sqlite", "postgresql")


@contextmanager
def opened(book: str, *, is_smooth: bool = False) -> Iterator[MakeKeeper]:
    """Yield what keeps worlds in a new book of this kind."""
    if book == "memory":
        yield MemoryKeeper
        return
    from tests.simulation.ledgers import keep_in

    with opened_ledger(book) as alias:
        yield keep_in(alias, is_smooth=is_smooth)


@contextmanager
def opened_ledger(book: str) -> Iterator[str]:
    """Yield the alias of a new ledger in a database of this kind, for a dozen people."""
    from rekindle.ledger import connect, disconnect, migrate
    from tests.simulation.ledgers import few_lanes

    with (
        TemporaryDirectory(prefix="rekindle-", ignore_cleanup_errors=True) as folder,
        _database(book, Path(folder)) as url,
        few_lanes(),
    ):
        alias = connect(url, base=Path(folder))
        migrate(alias)
        yield alias
        disconnect(alias)


@contextmanager
def _database(book: str, folder: Path) -> Iterator[str]:
    if book == "sqlite":
        yield "sqlite:///ledger.sqlite3"
        return
    from tests.servers.postgres import running_postgres

    with running_postgres() as server:
        yield server.get_uri()
