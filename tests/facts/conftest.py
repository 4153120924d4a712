"""A desk at which a file becomes facts: write it, import it, look at what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rekindle.config import Config
from rekindle.facts import FileImport, Lake, import_sources, open_lake

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ORDERS = {
    "name": "shop",
    "table": "orders",
    "path": "orders.csv",
    "columns": {"order_id": "id", "customer_id": "who", "ordered_at": "at", "gross": "total"},
}
LINES = {
    "name": "shop",
    "table": "order_lines",
    "path": "lines.csv",
    "columns": {
        "order_id": "id",
        "customer_id": "who",
        "ordered_at": "at",
        "product_id": "sku",
        "quantity": "qty",
        "unit_price": "price",
    },
}


@dataclass
class Desk:
    """A folder with files, the sources configured over it, and the lake they fill."""

    base: Path
    sources: list[dict[str, Any]] = field(default_factory=list)
    zone: str = "UTC"
    rates: dict[str, Decimal] = field(default_factory=dict)

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.base / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def config(self) -> Config:
        workspace = {"timezone": self.zone, "currency": "GBP"}
        facts = {"rates": self.rates}
        return Config.model_validate(
            {"workspace": workspace, "facts": facts, "sources": self.sources}
        )

    def bring(self, *sources: Mapping[str, Any], **changes: Any) -> list[FileImport]:
        """Configure ``sources`` (the first changed by ``changes``) and import them."""
        if sources:
            first = {**sources[0], **changes}
            if "columns" in changes:
                first["columns"] = {**sources[0]["columns"], **changes["columns"]}
            self.sources = [first, *map(dict, sources[1:])]
        return import_sources(self.config(), self.base, now=NOW)

    def orders(self, text: str, **changes: Any) -> FileImport:
        """Import ``text`` as a CSV file of orders."""
        self.write("orders.csv", text)
        return self.bring(ORDERS, **changes)[0]

    def lines(self, text: str, **changes: Any) -> FileImport:
        """Import ``text`` as a CSV file of order lines."""
        self.write("lines.csv", text)
        return self.bring(LINES, **changes)[0]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return a table of the lake, bookkeeping included."""
        engine = open_lake(self.lake.folder, currency="GBP", zone=self.zone, rates=self.rates)
        facts = engine.facts()
        books = facts.bookkeeping or {}
        tables = {**facts.more, **books}
        found = engine.run(tables[table] if table in tables else getattr(facts, table)).to_pylist()
        engine.close()
        return sorted(found, key=str)

    @property
    def lake(self) -> Lake:
        return Lake(self.base / "state/lake")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)
