"""Several threads ask one workspace while facts are imported; nobody sees half of them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import ibis
import pyarrow as pa
import pytest

from rekindle.desk import count_audience
from rekindle.facts import Engine
from rekindle.runtime import Workspace
from rekindle.testing.small_shop import Sale, SmallShop
from tests.runtime.shops import NOW, Team

PREDICATES = ("orders_count >= 1", "orders_count >= 2", "tier = 'lapsed'", "true")
TIMES = 4


def at_once(*questions: Callable[[], None]) -> None:
    """Ask every question in a thread of its own, and raise what one of them raised."""
    raised: list[BaseException] = []

    def guard(question: Callable[[], None]) -> None:
        try:
            question()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=guard, args=(question,)) for question in questions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if raised:
        raise raised[0]


@pytest.mark.long
def test_threads_ask_and_import_at_once(team: Team) -> None:
    space = team.workspace
    before = {text: count_audience(space, text, NOW).customers for text in PREDICATES}
    seen: list[tuple[str, int]] = []
    profiles: list[int] = []

    def ask(text: str) -> Callable[[], None]:
        def asking() -> None:
            for _ in range(TIMES):
                seen.append((text, count_audience(space, text, NOW).customers))

        return asking

    def look() -> None:
        for _ in range(TIMES):
            profiles.append(space.profiles(NOW).to_pyarrow().num_rows)

    def bring() -> None:
        for number in range(TIMES):
            team.buys(f"new-{number}", NOW - timedelta(days=2), f"new-{number}")
            space.forget_facts()

    at_once(*(ask(text) for text in PREDICATES), look, bring)
    assert len(seen) == TIMES * len(PREDICATES)
    for text, count in seen:
        assert before[text] <= count <= before[text] + TIMES
    space.forget_facts()
    assert count_audience(space, "true", NOW).customers == before["true"] + TIMES
    assert all(before["true"] <= rows <= before["true"] + TIMES for rows in profiles)


@pytest.mark.long
def test_a_reading_outlives_a_newer_import(team: Team) -> None:
    """Whoever began on older facts ends on them, whatever is imported meanwhile."""
    space = team.workspace
    engine, facts = space.reading
    count = engine.scalar(facts.orders.count())
    kept = engine.keep("mine", facts.orders)
    team.buys("c001", NOW - timedelta(days=1), "newer")
    space.forget_facts()
    assert space.engine is not engine
    assert engine.scalar(facts.orders.count()) == count
    assert engine.scalar(kept.count()) == count
    assert space.engine.scalar(space.facts.orders.count()) == count + 1


def numbers(*values: int) -> pa.Table:
    return pa.table({"n": pa.array(values, pa.int64())})


@pytest.fixture
def any_engine(request: pytest.FixtureRequest, team: Team) -> Any:
    """Return DuckDB over a lake, and an engine whose threads take turns."""
    if request.param == "lake":
        return team.workspace.engine
    return SmallShop([Sale("ann", NOW)]).engine()


@pytest.mark.long
@pytest.mark.parametrize("any_engine", ["lake", "turns"], indirect=True)
def test_threads_keep_tables_of_one_name(any_engine: Engine) -> None:
    wrong: list[int] = []
    ready = threading.Barrier(4)

    def keep(number: int) -> Callable[[], None]:
        def keeping() -> None:
            ready.wait(60)
            for time in range(10):
                value = 100 * number + time
                brought = any_engine.bring("same", numbers(value))
                kept = any_engine.keep("kept", brought.mutate(n=brought.n + 1))
                if any_engine.scalar(kept.n.max()) != value + 1:
                    wrong.append(value)

        return keeping

    at_once(*(keep(number) for number in range(4)))
    assert wrong == []


def test_the_facts_are_opened_once_for_all_threads(team: Team) -> None:
    space = Workspace.open(team.folder)
    engines: list[Engine] = []
    at_once(*[lambda: engines.append(space.engine)] * 6)
    assert len({id(engine) for engine in engines}) == 1


@pytest.mark.long
def test_expressions_compare_while_other_threads_free_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every freed node has to be forgotten, or the next at its address is taken for it."""
    failed: list[BaseException | None] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda raised: failed.append(raised.exc_value))
    shared = [ibis.literal(number).op() for number in range(3)]

    def compare() -> None:
        for number in range(2000):
            new = ibis.literal(1000 + number).op()
            assert not any(new == other for other in shared)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        at_once(*(compare for _ in range(4)))
    finally:
        sys.setswitchinterval(interval)
    assert failed == []
