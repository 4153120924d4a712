"""What several rooms test on: a PostgreSQL server and a real shop's orders."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from rekindle.config import Config, config_model
from rekindle.facts import Engine, FileImport, import_sources, open_lake
from tests.servers.postgres import make_quick, running_postgres
from tests.tiers import leave_for_soak

# Machines are shared and noisy: how long an example takes says nothing.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

TESTS = Path(__file__).parent
# What parses the whole repository: one worker takes all of it, and parses it once.
READERS = ("tests/architecture/", "tests/docs/")
LONGEST = ("simulation", "seam", "runtime", "facts", "cli")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SHOP = TESTS.parent / "examples" / "online_retail" / "orders.parquet"
SHOP_COLUMNS = {
    "order_id": "Invoice",
    "product_id": "StockCode",
    "description": "Description",
    "quantity": "Quantity",
    "ordered_at": "InvoiceDate",
    "unit_price": "Price",
    "customer_id": "Customer ID",
    "country": "Country",
}


class ByModule(LoadScopeScheduling):  # type: ignore[misc]
    """Share tests out by module."""

    def _split_scope(self, nodeid: str) -> str:
        return READERS[0] if nodeid.startswith(READERS) else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByModule:
    """Return who shares tests out over the workers."""
    return ByModule(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the rooms whose modules take longest, so that no worker ends with one alone."""
    places = {room: place for place, room in enumerate(LONGEST)}

    def place(item: pytest.Item) -> int:
        return places.get(item.path.relative_to(TESTS).parts[0], len(places))

    items.sort(key=place)
    leave_for_soak(items)


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what stays: modules and thousands of tests.

    It was a tenth of all processor time; what a test leaves is still found.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


@dataclass(frozen=True)
class Shop:
    """Online Retail, imported: where it lies, what was configured, what the import said."""

    base: Path
    config: Config
    result: FileImport
    engine: Engine
    now: datetime = NOW


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Start PostgreSQL and yield its URL, over a unix socket."""
    with running_postgres() as server:
        make_quick(server.get_uri())
        yield server.get_uri()


@pytest.fixture(scope="session")
def online_retail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Import Online Retail once. Tests that import again do so into a copy."""
    base = tmp_path_factory.mktemp("online_retail")
    config = config_model().model_validate(
        {
            "workspace": {"timezone": "Europe/London", "currency": "GBP"},
            "sources": [
                {
                    "name": "shop",
                    "table": "order_lines",
                    "path": str(SHOP),
                    "cancelled_prefix": "C",
                    "columns": SHOP_COLUMNS,
                }
            ],
        }
    )
    (result,) = import_sources(config, base, now=NOW)
    engine = open_lake(base / "state/lake", currency="GBP", zone="Europe/London")
    yield Shop(base, config, result, engine)
    engine.close()
