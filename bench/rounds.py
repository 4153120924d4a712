"""What a shop costs that nobody writes to today: the daily round, and the idle pass.

``daily`` is what every morning costs in a large shop: the night's orders come in, the
facts are looked through for returns, a pass is made in which nobody is due. ``idle`` is
what every other minute costs.
"""

from __future__ import annotations

import resource
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import perf_counter

import ibis.expr.types as ir

from bench.measure import MB, Result, measure, tell_processor
from bench.worlds import WORK, cards_file, changes_file, orders_file
from rekindle.clock import MovableClock
from rekindle.config import SourceSettings
from rekindle.desk import Scaffold, create_workspace
from rekindle.gate import Enrolment
from rekindle.journeys import JourneyVersion, parse_journey
from rekindle.profiles import build_profiles
from rekindle.runtime import Workspace
from rekindle.vocabulary import Arm
from rekindle.worker import Worker

NOW = datetime(2025, 1, 1, 12, tzinfo=UTC)  # the end of the generated orders
DAYS = 1800
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
OPEN = 100_000
ROUNDS = 3
BATCH = 10_000
IDLE_SECONDS = 0.3
ORDER_COLUMNS = ("order_id", "customer_id", "ordered_at", "gross", "discount", "refund")
CARD_COLUMNS = ("customer_id", "email", "first_name", "country", "email_consent", "created_at")
JOURNEY = """\
journey: waiting
enter: {audience: tier = 'lapsed' and orders_count < 0}
goal: {on: order, within: 30 days}
holdout: none
steps:
  - wait: 300 days
  - send: {channel: email, template: check-in}
"""


def daily(customers: int = 1_000_000, orders: int = 10_000_000) -> Result:
    """Import 1 % new and changed orders, look for returns, make one pass; ÷ one profile."""
    with _shop(customers, orders) as space:
        worker = Worker(space)
        worker.tick()
        pairs, worked = [], []
        for number in range(ROUNDS):
            _clock(space).move(DAY)
            changed = changes_file(customers, orders, orders // 100, number=number)
            expression = _one_profile(space)
            base = measure(partial(space.engine.keep, "one_profile", expression))
            own = measure(partial(_import_and_pass, space, worker, changed))
            pairs.append((own.passed, base.passed))
            worked.append(own.worked / base.worked)
        note = f"1 % of {orders:,} orders imported, looked through, one pass ÷ one profile"
        note = tell_processor(note, worked)
        return _result(pairs, limit=1.5, note=note)


def idle(customers: int = 200_000, orders: int = 2_000_000) -> Result:
    """Make a pass in which nothing has changed, with 100,000 people in a journey."""
    with _shop(customers, orders) as space:
        worker = Worker(space)
        worker.tick()
        pairs = []
        for _ in range(5):
            _clock(space).move(MINUTE)
            start = perf_counter()
            worker.tick()
            pairs.append((perf_counter() - start, IDLE_SECONDS))
        note = f"a pass with nothing to do, {OPEN:,} people in a journey ÷ {IDLE_SECONDS} s"
        return _result(pairs, limit=1, note=note)


def _result(pairs: list[tuple[float, float]], *, limit: float, note: str) -> Result:
    ours, baseline = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(own / base for own, base in pairs)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MB
    figures = (round(ours, 3), round(baseline, 3), round(ratio, 2))
    return Result(*figures, "seconds", round(peak), limit, note)


@contextmanager
def _shop(customers: int, orders: int) -> Iterator[Workspace]:
    """Yield an imported shop whose journey has people in it, none of whom is due."""
    folder = Path(tempfile.mkdtemp(dir=WORK)) / "shop"
    try:
        space = _workspace(folder, customers, orders)
        space.import_facts()
        _enrol(space)
        yield space
        space.forget_facts()
    finally:
        shutil.rmtree(folder.parent)


def _workspace(folder: Path, customers: int, orders: int) -> Workspace:
    sources = (
        _source("orders", orders_file(customers, orders, days=DAYS), ORDER_COLUMNS),
        _source("customers", cards_file(customers), CARD_COLUMNS),
    )
    create_workspace(folder, Scaffold("Bench", "GBP", "UTC", sources=sources))
    return Workspace.open(folder, clock=MovableClock(NOW))


def _source(table: str, file: Path, columns: tuple[str, ...]) -> SourceSettings:
    return SourceSettings(
        name="shop", table=table, path=str(file), columns={name: name for name in columns}
    )


def _enrol(space: Workspace) -> None:
    journey = parse_journey(JOURNEY, name_hint="waiting")
    space.book.start(JourneyVersion(journey, 1, 0.0, "bench", NOW))
    for first in range(0, OPEN, BATCH):
        space.book.enrol([_enrolment(f"c{n}") for n in range(first, first + BATCH)])


def _enrolment(person: str) -> Enrolment:
    due_at = NOW + 300 * DAY
    return Enrolment(person, "waiting", 1, 0, Arm.TREATMENT, NOW, NOW, 0, NOW, due_at)


def _one_profile(space: Workspace) -> ir.Table:
    """Return the profile of the shop as it is, not yet asked for."""
    space.forget_facts()
    return build_profiles(space.facts, space.clock.now(), space.config.lifecycle)


def _import_and_pass(space: Workspace, worker: Worker, changed: Path) -> None:
    space.import_from((_source("orders", changed, ORDER_COLUMNS),))
    worker.tick()


def _clock(space: Workspace) -> MovableClock:
    assert isinstance(space.clock, MovableClock)
    return space.clock
