"""How well returns are foreseen: learned before a cut, judged by what came after it.

On CDNOW, where the file is there (it states no licence and is not shipped), the setting is that
of the field: silent for 90 days or more at 1997-09-30, returns within 273 days. On Online
Retail, silent for 60 days or more, returns within 91.
"""

from __future__ import annotations

import os
import resource
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import ibis
import numpy as np
from scipy.stats import rankdata

from bench.measure import MB, Result
from bench.worlds import LINE_COLUMNS, WORK
from rekindle.clock import MovableClock
from rekindle.config import SourceSettings
from rekindle.desk import Scaffold, create_workspace
from rekindle.facts import Engine, Facts
from rekindle.predictions import score_returns
from rekindle.runtime import Workspace

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("REKINDLE_DATA", ROOT.parent / "shared" / "data"))
CDNOW = DATA / "cdnow" / "cdnow_master.csv.gz"
RETAIL = ROOT / "examples" / "online_retail" / "orders.parquet"
BARS = "AUC .676, Brier .1515, .9-1.1"
RETAIL_AUC = 0.6616
"""What a hazard logistic of four features reached at the last cut."""


@dataclass(frozen=True)
class Judged:
    """How scores met what came: AUC, Brier score and the mean foreseen ÷ the share that came."""

    people: int
    came: float
    auc: float
    brier: float
    ratio: float

    def __str__(self) -> str:
        return (
            f"{self.people:,} people, {self.came:.4f} came; AUC {self.auc:.4f}, Brier "
            f"{self.brier:.4f}, foreseen ÷ came {self.ratio:.2f}"
        )


@contextmanager
def shops() -> Iterator[Mapping[str, Workspace]]:
    """Yield CDNOW, where its file is, and Online Retail, imported."""
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        found = {}
        if CDNOW.is_file():
            columns = {"customer_id": "customer_id", "ordered_at": "date", "gross": "value"}
            source = SourceSettings(name="shop", table="orders", path=str(CDNOW), columns=columns)
            found["CDNOW"] = open_shop(Path(folder) / "cdnow", source, "USD")
        source = SourceSettings(
            name="shop",
            table="order_lines",
            path=str(RETAIL),
            columns=LINE_COLUMNS,
            cancelled_prefix="C",
        )
        found["Online Retail"] = open_shop(Path(folder) / "retail", source, "GBP")
        yield found


def returns() -> Result:
    """AUC of the return model on Online Retail against a bar, and how it does at other cuts."""
    told: list[str] = []
    with shops() as found:
        if cdnow := found.get("CDNOW"):
            judged = judge(cdnow, datetime(1997, 10, 1, tzinfo=UTC), silent=90, within=273)
            told.append(f"CDNOW: {judged} (bars: {BARS})")
        else:
            told.append("CDNOW: not measured, set REKINDLE_DATA to the folder with cdnow/")
        retail = dict(_retail(found["Online Retail"]))
    told += [f"Online Retail {cut:%Y-%m-%d}: {one}" for cut, one in retail.items()]
    auc = list(retail.values())[-1].auc
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MB
    ratio, note = round(RETAIL_AUC / auc, 4), "; ".join(told)
    return Result(round(auc, 4), RETAIL_AUC, ratio, "AUC", round(peak), 1.0, note)


def judge(shop: Workspace, at: datetime, *, silent: int, within: int) -> Judged:
    """Return the same for a workspace."""
    engine, facts = shop.reading
    return judge_scores(engine, facts, at, silent=silent, within=within)


def judge_scores(engine: Engine, facts: Facts, at: datetime, *, silent: int, within: int) -> Judged:
    """Return how the scores of a day met who ordered within so many days of it."""
    scores = score_returns(facts, engine.run, as_of=at, horizon_days=within, accepts_less=True)
    orders = facts.orders.filter(facts.orders.kind.isin(["purchase", "free"]))
    orders = orders.filter(orders.customer_id.notnull())
    cut, end = ibis.literal(at), ibis.literal(at + timedelta(days=within))
    seen = engine.run(
        orders.group_by("customer_id").agg(
            last=orders.ordered_at.max(where=orders.ordered_at < cut),
            came=orders.count(where=(orders.ordered_at >= cut) & (orders.ordered_at < end)),
        )
    ).to_pandas()
    both = scores.rows.to_pandas().merge(seen, on="customer_id")
    # Silent on the day before the cut, which is the last of which anything is known.
    days = (at - both["last"].dt.normalize()).dt.days - 1
    both = both[days >= silent]
    came = (both.came > 0).to_numpy()
    chance = both.return_probability.to_numpy()
    ranks, many = rankdata(chance), int(came.sum())
    auc = (ranks[came].sum() - many * (many + 1) / 2) / (many * (came.size - many))
    brier = float(np.mean((chance - came) ** 2))
    return Judged(came.size, came.mean(), float(auc), brier, chance.mean() / came.mean())


def _retail(shop: Workspace) -> Iterator[tuple[datetime, Judged]]:
    for cut in (datetime(2010, 6, 10), datetime(2010, 7, 22), datetime(2010, 9, 9)):
        yield cut, judge(shop, cut.replace(tzinfo=UTC), silent=60, within=91)


def open_shop(folder: Path, source: SourceSettings, currency: str) -> Workspace:
    """Return a workspace with the facts of one source."""
    create_workspace(folder, Scaffold("Bench", currency, "UTC", (source,)))
    shop = Workspace.open(folder, clock=MovableClock(datetime(2011, 1, 1, tzinfo=UTC)))
    shop.import_facts()
    return shop
