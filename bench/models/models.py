"""The early warning out of time, uplift out of sample, and how long fits take.

The early warning learns before a cut and is judged on people whose line of lapsed lies within
the days after it. Uplift is of Hillstrom's e-mail challenge, where the file is there (it states
no licence and is not shipped; its cells are, in the tests).
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from time import perf_counter

import ibis
import numpy as np
import pyarrow.csv as pa_csv

from bench.measure import MB, Result
from bench.models.returns import DATA, shops
from rekindle.config import LifecycleSettings
from rekindle.facts import TrialQuestion
from rekindle.insights import measure_uplift
from rekindle.predictions import (
    CardQuestion,
    Judgement,
    LapseRun,
    ModelCard,
    Uplift,
    build_card,
    estimate_lapses,
    load_past,
)
from rekindle.predictions.buying import fit_bg_nbd, fit_mbg_nbd, fit_pareto_nbd
from rekindle.runtime import Workspace

HILLSTROM = DATA / "hillstrom" / "hillstrom.csv.gz"
CUTS = {
    "CDNOW": [(datetime(1997, month, 1, tzinfo=UTC), 180) for month in (7, 10)],
    "Online Retail": [
        (datetime(2010, 6, 10, tzinfo=UTC), 91),
        (datetime(2010, 7, 22, tzinfo=UTC), 91),
        (datetime(2010, 9, 9, tzinfo=UTC), 91),
    ],
}
FITTED = {"BG/NBD": fit_bg_nbd, "MBG/NBD": fit_mbg_nbd, "Pareto/NBD": fit_pareto_nbd}
ROUNDS = 5


def models() -> Result:
    """AUC of the early warning at the last cut of Online Retail against recency alone."""
    told: list[str] = []
    ours = base = 0.0
    with shops() as found:
        for name, shop in found.items():
            for cut, within in CUTS[name]:
                judged = judge_warning(shop, cut, within)
                ours, base = judged.auc, judged.recency_auc
                told.append(
                    f"early warning, {name} {cut:%Y-%m-%d}: {judged.people:,} people, "
                    f"{judged.came:.3f} lapsed; AUC {judged.auc:.3f} (recency "
                    f"{judged.recency_auc:.3f}), Brier {judged.brier:.3f} (one chance for all "
                    f"{judged.base_brier:.3f}), foreseen ÷ came {judged.ratio:.2f}; next order by "
                    f"the low, middle and high day {hold_dates(shop, cut, within)}"
                )
        if cdnow := found.get("CDNOW"):
            told += [_time_fits(cdnow)]
    told += _uplifts()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MB
    note = "; ".join(told)
    return Result(
        round(ours, 4), round(base, 4), round(base / ours, 4), "AUC", round(peak), 1.0, note
    )


def judge_warning(shop: Workspace, cut: datetime, within: int) -> Judgement:
    """Return how the early warning of a day met what came within so many days."""
    engine, facts = shop.reading
    at = cut + timedelta(days=within)
    asked = CardQuestion("lapse", at, within, LifecycleSettings(), accepts_less=True)
    card = build_card(facts, engine.run, asked)
    assert isinstance(card, ModelCard)
    assert isinstance(card.judged, Judgement)
    return card.judged


def hold_dates(shop: Workspace, cut: datetime, within: int) -> str:
    """Return the shares that ordered by each day foreseen, where that lies within the days."""
    engine, facts = shop.reading
    past = load_past(facts, engine.run, as_of=cut, accepts_less=True)
    found = estimate_lapses(past, facts, engine.run, LifecycleSettings())
    assert isinstance(found, LapseRun)
    orders = facts.orders.filter(facts.orders.ordered_at >= ibis.literal(cut))
    first = orders.filter(orders.kind == "purchase").group_by("customer_id")
    rows = engine.run(first.agg(on=orders.ordered_on.min())).to_pylist()
    came = {row["customer_id"]: row["on"] for row in rows}
    end, shares = cut.date() + timedelta(days=within), []
    for name in ("next_order_low_on", "next_order_on", "next_order_high_on"):
        asked = [row for row in found.rows.to_pylist() if row[name] and row[name] <= end]
        by_then = [came.get(row["customer_id"], datetime.max.date()) <= row[name] for row in asked]
        shares.append(f"{np.mean(by_then):.2f} of {len(asked):,}")
    return ", ".join(shares)


def _time_fits(cdnow: Workspace) -> str:
    """Say how long each model takes to fit on CDNOW, and on ten times as many people."""
    engine, facts = cdnow.reading
    histories = load_past(
        facts, engine.run, as_of=datetime(1997, 10, 1, tzinfo=UTC), accepts_less=True
    ).histories
    known = histories.known(int(histories.day.max()) + 1)
    kept = known.count > 0
    end = int(histories.day.max()) + 1
    cells, people = np.unique(
        np.column_stack([known.count - 1, known.last - known.first, end - known.first])[kept],
        axis=0,
        return_counts=True,
    )
    x, t_x, t = (column / scale for column, scale in zip(cells.T, (1, 7, 7), strict=True))
    # Several orders on one day are one; without a repeat the last is at age nought.
    told = []
    for name, fit in FITTED.items():
        times = []
        for _ in range(ROUNDS):
            begun = perf_counter()
            fit(x, t_x, t, people.astype(np.float64))
            times.append(perf_counter() - begun)
        told.append(f"{name} {np.median(times):.3f} s")
    return f"fitted on {int(people.sum()):,} people in {x.size:,} cells: {', '.join(told)}"


def _uplifts() -> Iterator[str]:
    if not HILLSTROM.is_file():
        yield "uplift: not measured, set REKINDLE_DATA to the folder with hillstrom/"
        return
    names = pa_csv.read_csv(HILLSTROM).column_names
    outcomes = ("visit", "conversion", "spend")
    left_out = {*outcomes, "segment", "history_segment"}
    question = TrialQuestion(
        HILLSTROM,
        "segment",
        "No E-Mail",
        outcomes,
        by=[name for name in names if name not in left_out],
    )
    begun = perf_counter()
    report = measure_uplift(question)
    took = perf_counter() - begun
    by_name = {(one.arm, one.outcome): one.uplift for one in report.found}
    for arm, outcome in product(("Womens E-Mail", "Mens E-Mail"), outcomes):
        found = by_name[arm, outcome]
        assert isinstance(found, Uplift)
        may = "may" if found.may_exclude else "may not"
        yield (
            f"uplift, {arm} {outcome}: Qini {found.qini:.5f} [{found.low:.5f}, {found.high:.5f}], "
            f"{may} leave out"
        )
    yield f"six uplifts in {took:.1f} s"
