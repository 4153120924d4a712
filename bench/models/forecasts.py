"""How forecasts of returns met what came, at rolling cuts of shops with a known future.

Each cut uses only what was known by then: the share of each tier that will return within the
horizon, with the range that holds four outcomes in five, and the buyers in a holdout of 10 % of
those who drifted away. Beside it is what was told before: the share of all silences of the
median line's length that ended within the horizon, with its 95 % interval. Of the pauses of regular
customers it counts those that passed the lapsed line, as known on a day shortly before they began.

Online Retail is in the repository. CDNOW and dunnhumby A are measured where their files are
(REKINDLE_DATA); of CDNOW, which states no licence, only figures are kept.
"""

from __future__ import annotations

import math
import resource
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
from scipy.special import logit
from scipy.stats import hypergeom

from bench.measure import MB, Result
from bench.models.returns import CDNOW, DATA, RETAIL, open_shop
from bench.worlds import LINE_COLUMNS, WORK
from rekindle.config import LifecycleSettings, SourceSettings
from rekindle.facts import Engine, Facts
from rekindle.insights.audit import Auditor, build_returns
from rekindle.insights.model import DRIFTED, LINES
from rekindle.insights.silences import Silences, build_silences
from rekindle.insights.survival import Interval, estimate_survival
from rekindle.predictions import (
    Outlook,
    PastCut,
    build_purchase_days,
    foresee,
    past_days,
    read_histories,
)
from rekindle.profiles import build_profiles
from rekindle.runtime import Workspace
from rekindle.vocabulary import Tier, Unknown

BASKETS = DATA / "dunnhumby_complete_journey_a" / "transactions.parquet"
HOLDOUT = 0.1
FEWEST = 30
TOLD = (Tier.AT_RISK, Tier.LAPSED, Tier.DORMANT)
REGULAR = 3
"""Gaps that somebody has had whose pauses are looked at: four purchase days."""
GAPS_EVERY = 15
EPOCH, FAR_OFF = date(1970, 1, 1), datetime(2030, 1, 1, tzinfo=UTC)
STATED = 0.8
Cut = Mapping[Tier, PastCut]


@dataclass
class Tally:
    """What became of the forecasts of one shop."""

    name: str
    ranges: list[bool] = field(default_factory=list)
    before: list[bool] = field(default_factory=list)
    holdouts: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    order: list[tuple[bool, bool]] = field(default_factory=list)
    misses: list[tuple[float, float]] = field(default_factory=list)
    pauses: str = ""

    def __str__(self) -> str:
        wrong = sum(one for one, _ in self.order)
        clearly = sum(one for _, one in self.order)
        ratios = f"{min(self.ratios):.2f}-{max(self.ratios):.2f}" if self.ratios else "-"
        return (
            f"{self.name}: ranges of tiers held {sum(self.ranges)} of {len(self.ranges)} outcomes "
            f"(what was told before {sum(self.before)} of {len(self.before)}), of buyers in a "
            f"holdout {sum(self.holdouts):.1f} of {len(self.holdouts)}, foreseen ÷ came {ratios}; "
            f"next tier returned more in {wrong} of {len(self.order)} pairs, clearly in {clearly}"
            f"{self._compared()}{self.pauses}"
        )

    def _compared(self) -> str:
        if not self.misses:
            return ""
        past, modelled = np.sqrt(np.mean(np.square(self.misses), axis=0))
        return (
            f"; of {len(self.misses)} shares with more than a year known the return model was off "
            f"by {modelled:.2f} in log odds, what came of the group before by {past:.2f}"
        )


def forecasts() -> Result:
    """The part of all outcomes that lay in the stated 80 % ranges; 70-90 % is within the limit."""
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        tallies = []
        for name, shop, horizons in _shops(Path(folder)):
            tallies += [judge(name, shop, horizon) for horizon in horizons]
            tallies[-1].pauses = f"; {_pauses(shop)}"
    ranges = [one for tally in tallies for one in tally.ranges]
    held = float(np.mean(ranges))
    peak = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MB)
    note = "; ".join(str(one) for one in tallies)
    if not BASKETS.is_file() or not CDNOW.is_file():
        note += "; not every shop was measured: set REKINDLE_DATA to the folder of the data"
    off = round(abs(held - STATED) / 0.1, 4)
    return Result(round(held, 4), STATED, off, "held", peak, 1.0, note)


def judge(name: str, shop: Workspace, horizon: int) -> Tally:
    """Return how the forecasts of a shop met what came, at cuts half a horizon apart."""
    engine, facts = shop.reading
    orders = facts.orders
    first, last = (
        engine.run(orders.aggregate(first=orders.ordered_on.min(), last=orders.ordered_on.max()))
        .to_pylist()[0]
        .values()
    )
    end = (last - first).days + 1
    seen: dict[int, Cut] = {}
    tally = Tally(f"{name}, {horizon} days")

    def at(day: int) -> Cut:
        if day not in seen:
            seen[day] = _look(engine, facts, first + timedelta(day), horizon)
        return seen[day]

    for day in range(end - horizon, 60 + horizon - 1, -(horizon // 2)):
        past = [at(day - back) for back in past_days(day, horizon)]
        on = first + timedelta(day)
        auditor = Auditor(
            facts, engine.run, _instant(on), LifecycleSettings(), timedelta(horizon), ()
        )
        outlook = auditor.foresight(auditor.models(day), day, auditor.members(0), past)
        _weigh(tally, past, at(day), outlook)
        _weigh_before(tally, at(day), _told_before(engine, facts, on, horizon))
    return tally


def _pauses(shop: Workspace) -> str:
    """Return how many pauses of people with four purchase days or more passed the lapsed line.

    The group's gap is of a day at most ``GAPS_EVERY`` days before the pause began.
    """
    engine, facts = shop.reading
    histories = read_histories(engine.run(build_purchase_days(facts, FAR_OFF)))
    person, day = histories.person, histories.day
    begin = np.searchsorted(person, person)
    settings, end = LifecycleSettings(), int(day.max()) + 1
    is_last = np.append(person[1:] != person[:-1], True)
    gaps = np.arange(day.size) - begin
    pause = np.where(is_last, end, np.append(day[1:], end)) - day
    looks = np.arange(int(day.min()) + GAPS_EVERY, end, GAPS_EVERY)
    group = np.array([_group_gap(engine, facts, int(one)) for one in looks])
    is_regular = (gaps >= REGULAR) & (day >= looks[0])
    known = group[np.searchsorted(looks, day[is_regular], side="right") - 1]
    k = settings.shrinkage
    own = (day - day[begin])[is_regular] + k * known
    line = np.maximum(settings.lapsed * own / (gaps[is_regular] + k), settings.minimum_days)
    passed = (100 * pause[is_regular] / line).astype(np.int64)
    has_ended = ~is_last[is_regular]
    survival = estimate_survival(passed, has_ended, np.ones(passed.size))
    return (
        f"of {passed.size:,} pauses of regular customers {survival.share_beyond(99):.1%} passed "
        f"the lapsed line, of those that ended {np.mean(passed[has_ended] >= 100):.1%}"
    )


def _group_gap(engine: Engine, facts: Facts, day: int) -> float:
    at = _instant(EPOCH + timedelta(day))
    profiles = build_profiles(facts, at, LifecycleSettings(), columns=("customer_id", "group_gap"))
    return float(np.median(engine.run(profiles)["group_gap"].to_numpy()))


def _weigh_before(tally: Tally, now: Cut, before: Mapping[Tier, Interval | Unknown]) -> None:
    for tier in TOLD:
        came, told = now[tier], before[tier]
        if came.people >= FEWEST and not isinstance(told, Unknown):
            tally.before.append(told.low <= came.returned / came.people <= told.high)


def _weigh(
    tally: Tally,
    past: Sequence[Cut],
    now: Cut,
    foresight: Callable[[Collection[Tier]], Outlook | Unknown],
) -> None:
    groups = [one for one in TOLD if now[one].people >= FEWEST]
    for tier in groups:
        came, outlook = now[tier], foresight((tier,))
        if not isinstance(outlook, Unknown):
            found = outlook.of(came.people)
            tally.ranges.append(found.low <= came.returned <= found.high)
            _compare(tally, outlook, foresee([cut[tier] for cut in past]), came)
    for one, other in pairwise(groups):
        tally.order.append(_is_wrong(now[one], now[other]))
    drifted, outlook = _together(now), foresight(DRIFTED)
    if drifted.people >= FEWEST and not isinstance(outlook, Unknown):
        held = round(drifted.people * HOLDOUT)
        found = outlook.of(held)
        drawn = hypergeom(drifted.people, drifted.returned, held)
        tally.holdouts.append(float(drawn.cdf(found.high) - drawn.cdf(found.low - 1)))
        tally.ratios.append(found.value / max(held * drifted.returned / drifted.people, 1e-9))


def _compare(tally: Tally, outlook: Outlook, past: Outlook | Unknown, came: PastCut) -> None:
    """Keep how far the model and what came before were off, in log odds."""
    if outlook.is_modelled and not isinstance(past, Unknown):
        true = logit((came.returned + 0.5) / (came.people + 1))
        tally.misses.append((past.centre - true, outlook.centre - true))


def _is_wrong(one: PastCut, later: PastCut) -> tuple[bool, bool]:
    """Return whether the later tier returned more, and by more than two standard errors."""
    a, b = one.returned / one.people, later.returned / later.people
    error = math.sqrt(a * (1 - a) / one.people + b * (1 - b) / later.people)
    return b >= a, b > a + 2 * error


def _together(cut: Cut) -> PastCut:
    people = sum(cut[tier].people for tier in DRIFTED)
    return PastCut(cut[Tier.LAPSED].as_of, people, sum(cut[tier].returned for tier in DRIFTED))


def _look(engine: Engine, facts: Facts, day: date, horizon: int) -> Cut:
    at = _instant(day)
    question = build_returns(facts, at, at + timedelta(horizon), LifecycleSettings())
    rows = {row["tier"]: row for row in engine.run(question).to_pylist()}
    nobody = {"people": 0, "returned": 0}
    found = {tier: rows.get(tier.value, nobody) for tier in LINES}
    return {tier: PastCut(at, row["people"], row["returned"]) for tier, row in found.items()}


def _told_before(
    engine: Engine, facts: Facts, day: date, horizon: int
) -> Mapping[Tier, Interval | Unknown]:
    at, settings = _instant(day), LifecycleSettings()
    survival = Silences.from_rows(engine.run(build_silences(facts, at, settings))).survival()
    names = [f"{tier.value}_after_days" for tier in LINES]
    profiles = build_profiles(facts, at, settings, columns=("orders_count", *names))
    rows = engine.run(profiles.filter(profiles.orders_count > 0))
    lines = {t: float(np.median(rows[n].to_numpy())) for t, n in zip(LINES, names, strict=True)}
    return {
        tier: survival.estimate_ending(after=math.ceil(line), within=horizon)
        for tier, line in lines.items()
    }


def _instant(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _shops(folder: Path) -> Iterator[tuple[str, Workspace, tuple[int, ...]]]:
    retail = SourceSettings(
        name="shop",
        table="order_lines",
        path=str(RETAIL),
        columns=LINE_COLUMNS,
        cancelled_prefix="C",
    )
    yield "Online Retail", open_shop(folder / "retail", retail, "GBP"), (90,)
    if CDNOW.is_file():
        columns = {"customer_id": "customer_id", "ordered_at": "date", "gross": "value"}
        source = SourceSettings(name="shop", table="orders", path=str(CDNOW), columns=columns)
        yield "CDNOW", open_shop(folder / "cdnow", source, "USD"), (90,)
    if BASKETS.is_file():
        file = folder / "baskets.parquet"
        # Ten years earlier: the workspace's clock stands in 2011, and takes no orders to come.
        duckdb.execute(
            "copy (select household_id::varchar as customer_id, basket_id::varchar as order_id, "
            "min(transaction_timestamp) - interval 10 year as ordered_at, "
            "round(sum(sales_value), 2) as gross "
            f"from '{BASKETS}' group by all) to '{file}'"
        )
        columns = {one: one for one in ("customer_id", "order_id", "ordered_at", "gross")}
        source = SourceSettings(name="shop", table="orders", path=str(file), columns=columns)
        yield "dunnhumby A", open_shop(folder / "dunnhumby", source, "USD"), (30, 90)
