"""How well favourites are met: of ten products shown, how many are bought within 91 days.

The people are those who had been silent for 60 days at a cut and come back within 91; what
they are shown is computed from what was known at the cut. The bar is the best simple rule on
the same orders: bought most often, and then what most bought in the 30 days before.
"""

from __future__ import annotations

import resource
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import ibis
import pyarrow as pa

from bench.measure import MB, Result
from bench.worlds import LINE_COLUMNS, WORK
from rekindle.clock import MovableClock
from rekindle.config import SourceSettings
from rekindle.desk import Scaffold, create_workspace
from rekindle.facts import PURCHASE, Engine, Facts
from rekindle.profiles import build_block, find_blocks
from rekindle.runtime import Workspace

SAMPLE = Path(__file__).parents[1] / "examples" / "online_retail" / "orders.parquet"
CUTS = (datetime(2010, 6, 10), datetime(2010, 7, 22), datetime(2010, 9, 9))
BAR = (0.261, 0.269, 0.277)
ALIKE = (0.274, 0.278, 0.279)
"""What the rule behind ``people_alike`` met when it was tried on the same orders by itself."""
SHOWN = 10
SILENT, WINDOW = timedelta(days=60), timedelta(days=91)


def recommend() -> Result:
    """Precision of the first ten favourites at three cuts, against the bar."""
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        engine, facts = _shop(Path(folder) / "shop").reading
        found, alike = (
            [_precision(engine, facts, cut.replace(tzinfo=UTC), block) for cut in CUTS]
            for block in ("favourites", "people_alike")
        )
    shares = [share for _, share in found]
    worst = max(bar / share for bar, share in zip(BAR, shares, strict=True))
    told = ", ".join(
        f"{cut:%Y-%m-%d} {share:.3f} of {people} people (bar {bar})"
        for cut, (people, share), bar in zip(CUTS, found, BAR, strict=True)
    )
    beside = ", ".join(
        f"{share:.3f} (bar {bar})" for (_, share), bar in zip(alike, ALIKE, strict=True)
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MB
    mean = sum(shares) / len(shares)
    return Result(
        round(mean, 3),
        round(sum(BAR) / len(BAR), 3),
        round(worst, 3),
        "share of ten",
        round(peak),
        1.0,
        f"favourites that are bought within 91 days: {told}; the ratio is the worst bar ÷ ours; "
        f"people alike at the same cuts: {beside}",
    )


def _shop(folder: Path) -> Workspace:
    source = SourceSettings(
        name="shop",
        table="order_lines",
        path=str(SAMPLE),
        columns=LINE_COLUMNS,
        cancelled_prefix="C",
    )
    create_workspace(folder, Scaffold("Bench", "GBP", "UTC", (source,)))
    workspace = Workspace.open(folder, clock=MovableClock(datetime(2011, 1, 1, tzinfo=UTC)))
    workspace.import_facts()
    return workspace


def _precision(engine: Engine, facts: Facts, cut: datetime, name: str) -> tuple[int, float]:
    """Return how many people there are, and which share of what they are shown they buy."""
    at, end, silent = (
        ibis.literal(one, type="timestamp('UTC', 6)") for one in (cut, cut + WINDOW, cut - SILENT)
    )
    orders = facts.orders.filter(facts.orders.kind == PURCHASE)
    orders = orders.filter(orders.customer_id.notnull())
    before = orders.filter(orders.ordered_at < at)
    last = before.group_by("customer_id").agg(last_at=before.ordered_at.max())
    lines = facts.order_lines.filter((facts.order_lines.quantity > 0) & _is_goods(facts))
    later = orders.filter((orders.ordered_at >= at) & (orders.ordered_at < end))
    bought = later.inner_join(lines, ["source", "order_id"])
    bought = bought.select("customer_id", "product_id").distinct()
    back = last.filter(last.last_at < silent).semi_join(bought, "customer_id")
    rows = engine.run(back.select("customer_id").order_by("customer_id"))
    people = engine.bring("returned", pa.table({"customer_id": rows.column(0)}))
    shown = build_block(find_blocks()[name], facts, people, cut, most=SHOWN)
    hits = engine.scalar(shown.semi_join(bought, ["customer_id", "product_id"]).count())
    return rows.num_rows, hits / (SHOWN * rows.num_rows)


def _is_goods(facts: Facts) -> ibis.Value:
    """Return whether a line is of a product: its code begins with five digits."""
    return facts.order_lines.product_id.re_search("^[0-9]{5}")
