"""The profile at a date is the profile of the files as they were then.

The files themselves are cut, not the tables: what an import cannot know of the past shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from rekindle.config import Config, LifecycleSettings
from rekindle.facts import import_sources, open_lake
from rekindle.profiles import build_profiles
from tests.conftest import NOW, SHOP, SHOP_COLUMNS

if TYPE_CHECKING:
    from tests.conftest import Shop

DATES = ((2010, 1, 15), (2010, 3, 28), (2010, 6, 30), (2010, 10, 31), (2010, 12, 9))
DAY = timedelta(days=1)
Row = dict[str, Any]


def profiles(base: Path, zone: str, at: datetime) -> list[Row]:
    """Return everyone's profile at ``at`` in the lake of a folder."""
    engine = open_lake(base / "state/lake", currency="GBP", zone=zone)
    table = build_profiles(engine.facts(), at, LifecycleSettings())
    rows = engine.run(table).to_pylist()
    engine.close()
    return sorted(rows, key=lambda row: row["customer_id"])


@pytest.mark.draws(1)
@pytest.mark.parametrize("day", DATES)
def test_online_retail_cut_at_a_date(
    online_retail: Shop, tmp_path: Path, day: tuple[int, int, int]
) -> None:
    at = datetime(*day, tzinfo=ZoneInfo("Europe/London")).astimezone(UTC)
    whole = pq.read_table(SHOP)
    placed_at = whole.column("InvoiceDate")
    edge = pa.scalar(at.astimezone(ZoneInfo("Europe/London")).replace(tzinfo=None), placed_at.type)
    pq.write_table(whole.filter(pc.less(placed_at, edge)), tmp_path / "cut.parquet")
    source = {
        "name": "shop",
        "table": "order_lines",
        "path": "cut.parquet",
        "cancelled_prefix": "C",
        "columns": SHOP_COLUMNS,
    }
    workspace = {"timezone": "Europe/London", "currency": "GBP"}
    config = Config.model_validate({"workspace": workspace, "sources": [source]})
    import_sources(config, tmp_path, now=NOW)
    cut = profiles(tmp_path, "Europe/London", at)
    assert cut
    whole_rows = profiles(online_retail.base, "Europe/London", at)
    unlike = [
        (one["customer_id"], name, one[name], other[name])
        for one, other in zip(whole_rows, cut, strict=True)
        for name in one
        if one[name] != other[name]
    ]
    # A card made of orders says where somebody lives by the last of them, whenever asked.
    assert {name for _, name, _, _ in unlike} <= {"country"}
    assert len(unlike) <= 2


ORDERS: dict[str, Any] = {
    "name": "shop",
    "table": "orders",
    "path": "orders.csv",
    "columns": {
        "order_id": "id",
        "customer_id": "who",
        "ordered_at": "at",
        "gross": "total",
        "refund": "back",
        "refunded_at": "back_at",
        "status": "state",
        "cancelled_at": "gone_at",
    },
}
CARDS = {
    "name": "crm",
    "table": "customers",
    "path": "cards.csv",
    "columns": {"customer_id": "who", "created_at": "since", "email": "mail"},
}


class Corner:
    """A shop with a few orders around the change of the clocks, in one zone."""

    def __init__(self, base: Path, zone: str) -> None:
        self.base, self.zone = base, zone
        # Midnight of the day on which Los Angeles changes its clocks, there.
        self.start = datetime(2026, 3, 8, tzinfo=ZoneInfo(zone)).astimezone(UTC)

    def at(self, hours: float) -> datetime:
        return self.start + timedelta(hours=hours)

    def bring(self, before: datetime | None = None) -> None:
        """Import the shop's files, or what of them had happened before an instant."""
        orders, cards = self._orders(), self._cards()
        if before is not None:
            orders = [self._known(row, before) for row in orders if row["at"] < before]
            cards = [row for row in cards if row["since"] is None or row["since"] < before]
        self._write("orders.csv", orders)
        self._write("cards.csv", cards)
        config = Config.model_validate(
            {"workspace": {"timezone": self.zone, "currency": "GBP"}, "sources": [ORDERS, CARDS]}
        )
        import_sources(config, self.base, now=self.at(24 * 90))

    def _orders(self) -> list[Row]:
        blank = {"back": 0, "back_at": None, "state": "", "gone_at": None}
        times = enumerate((-800, -25, -1, 0, 1.5, 2, 3, 22, 23, 24, 25, 47.5, 500))
        rows = [
            {**blank, "id": n, "who": "abc"[n % 3], "at": self.at(hours), "total": 10 + n}
            for n, hours in times
        ]
        rows[1] |= {"back": 5, "back_at": self.at(30)}
        rows[3] |= {"state": "cancelled", "gone_at": self.at(23.5)}
        rows[5] |= {"back": 2, "back_at": self.at(2.5)}
        return rows

    def _cards(self) -> list[Row]:
        return [
            {"who": "a", "since": self.at(20), "mail": "a@x.example"},
            {"who": "b", "since": None, "mail": "b@x.example"},
            {"who": "d", "since": self.at(26), "mail": ""},
        ]

    @staticmethod
    def _known(row: Row, before: datetime) -> Row:
        if row["back_at"] is not None and row["back_at"] >= before:
            row = {**row, "back": 0, "back_at": None}
        if row["gone_at"] is not None and row["gone_at"] >= before:
            row = {**row, "state": "", "gone_at": None}
        return row

    def _write(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        lines = [",".join(rows[0])]
        for row in rows:
            cells = (v.isoformat() if isinstance(v, datetime) else v for v in row.values())
            lines.append(",".join("" if cell is None else str(cell) for cell in cells))
        (self.base / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.mark.draws(1)
@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Apia"])
@pytest.mark.parametrize("hours", [-2, 0, 1, 23.25, 24, 27, 31, 600])
def test_a_small_shop_cut_at_a_date(tmp_path: Path, zone: str, hours: float) -> None:
    whole, cut = Corner(tmp_path / "whole", zone), Corner(tmp_path / "cut", zone)
    for shop in (whole, cut):
        shop.base.mkdir()
    at = whole.at(hours)
    whole.bring()
    cut.bring(before=at)
    found = profiles(cut.base, zone, at)
    assert found
    assert profiles(whole.base, zone, at) == found


@pytest.mark.long
def test_what_has_no_date_counts_from_the_import(tmp_path: Path) -> None:
    shop = Corner(tmp_path, "UTC")
    shop.bring()
    text = (tmp_path / "orders.csv").read_text(encoding="utf-8")
    last = shop.at(24 * 90)
    assert "cancelled" in text
    undated = {**ORDERS, "columns": dict(ORDERS["columns"])}
    for name in ("refunded_at", "cancelled_at"):
        del undated["columns"][name]
    again = tmp_path / "again"
    again.mkdir()
    (again / "orders.csv").write_text(text, encoding="utf-8")
    config = Config.model_validate(
        {"workspace": {"timezone": "UTC", "currency": "GBP"}, "sources": [undated]}
    )
    (found,) = import_sources(config, again, now=last)
    assert any("2 refunds and 1 cancellation" in note for note in found.notes)
    before = {row["customer_id"]: row for row in profiles(again, "UTC", last)}
    after = {row["customer_id"]: row for row in profiles(again, "UTC", last + DAY)}
    assert sum(row["refund_value"] for row in before.values()) == 0
    assert sum(row["refund_value"] for row in after.values()) == 7
    assert before["a"]["orders_count"] == after["a"]["orders_count"] + 1
    (import_again,) = import_sources(config, again, now=last + DAY)
    assert (import_again.added, import_again.changed) == (0, 0)
