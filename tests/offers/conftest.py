"""The imported shop of the runtime's tests, copied for each test, and the ledgers of theirs."""

from __future__ import annotations

from tests.ledger.conftest import alias, postgres, postgres_ledger, sqlite, sqlite_template
from tests.runtime.conftest import imported_shop, team

__all__ = [
    "alias",
    "imported_shop",
    "postgres",
    "postgres_ledger",
    "sqlite",
    "sqlite_template",
    "team",
]
