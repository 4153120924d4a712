"""A look that goes on from the last one sees what a look at everything would.

After each pass everything is looked at anew: there must be nothing left that it brings.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial

import pytest

from rekindle.gate import Enrolment
from rekindle.ledger import Correction, Observations
from rekindle.ledger.models import Signal
from rekindle.runtime import Workspace
from rekindle.vocabulary import Arm
from rekindle.worker import observing
from rekindle.worker.observing import Observed, observe_returns
from rekindle.worker.watching import ReturnWatch
from tests.seam.corner import DAY, HOUR, JOURNEY, MINUTE, Corner

PEOPLE = [f"p{number}" for number in range(30)]
STATES = ("completed", "completed", "completed", "draft", "pending", "cancelled")
ROUNDS = 6
LONG = JOURNEY.replace("2 hours", "90 days")
Order = tuple[str, str, datetime, float, str]


class Exports:
    """The orders as the shop exports them night by night, ever more of them and corrected."""

    def __init__(self, shop: Corner, seed: int) -> None:
        self._shop, self._rng = shop, random.Random(seed)
        self.orders = {
            f"o{n}": (f"o{n}", who, shop.ago(days=200 + n), 10.0 + n, "completed")
            for n, who in enumerate(PEOPLE)
        }

    def bring(self) -> None:
        self._shop.orders(*self.orders.values())
        self._shop.import_facts()

    def change(self) -> None:
        """Let some orders come in, some be corrected and some be given back."""
        for _ in range(self._rng.randint(3, 8)):
            for order in self._rng.choice([self._new, self._corrected, self._given_back])():
                self.orders[order[0]] = order

    def _new(self) -> Iterator[Order]:
        yield self._drawn(f"o{len(self.orders)}", self._rng.choice(PEOPLE))

    def _corrected(self) -> Iterator[Order]:
        name, who, at, total, _ = self._rng.choice(list(self.orders.values()))
        if self._rng.random() < 0.5:
            yield name, who, at, total, self._rng.choice(STATES)
        else:
            yield self._drawn(name, self._rng.choice([who, who, *PEOPLE, ""]))

    def _given_back(self) -> Iterator[Order]:
        """A refund with a number of its own, which may be moved to another day or person."""
        name, who, at, total, _ = self._rng.choice(list(self.orders.values()))
        yield f"r{name}", who, at + self._rng.choice([HOUR, 9 * DAY]), -total, "completed"

    def _drawn(self, name: str, who: str) -> Order:
        at = self._shop.now + self._rng.choice([-230 * DAY, -3 * DAY, -HOUR, 20 * HOUR])
        return name, who, at, self._rng.randint(1, 40), self._rng.choice(STATES)


def purchases(shop: Corner) -> set[tuple[object, ...]]:
    rows = Signal.objects.using(shop.space.ledger)
    return set(rows.values_list("subject", "person_id", "at", "is_void"))


def shop(corner: Corner, exports: Exports) -> Workspace:
    """Let everybody into a journey that lasts."""
    exports.bring()
    corner.start("orders_count >= 1", text=LONG)
    return corner.space


def someone_joins(shop: Corner) -> None:
    """The two newest of the shop are found to be one, by their address."""
    shop.people(ann="yes,", **dict.fromkeys(PEOPLE, "yes,"))
    path = shop.space.directory / "people.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("p29@example.com", "p28@example.com"), encoding="utf-8")


@pytest.mark.long
@pytest.mark.draws(1)
@pytest.mark.parametrize("seed", range(3))
def test_a_look_that_goes_on_leaves_nothing_to_see(corner: Corner, seed: int) -> None:
    exports = Exports(corner, seed)
    shop(corner, exports)
    watch = ReturnWatch(corner.space)
    for number in range(ROUNDS):
        corner.clock.move(MINUTE + number % 3 * 7 * HOUR)
        exports.change()
        if number == ROUNDS // 2:
            someone_joins(corner)
        exports.bring()
        watch.look(corner.now)
        seen = purchases(corner)
        again = observe_returns(corner.space, corner.now)
        assert (again.ended, purchases(corner)) == (0, seen)


def test_only_those_are_asked_about_who_may_have_come_back(corner: Corner) -> None:
    """Who bought nothing since is not looked through again."""
    exports = Exports(corner, seed=0)
    space = shop(corner, exports)
    first = observe_returns(space, corner.now)
    corner.clock.move(MINUTE)
    exports.orders["new"] = ("new", "p3", corner.now - 5 * DAY, 5.0, "completed")
    exports.bring()
    asked: list[set[str]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rekindle.worker.observing._returns", _Asked(asked))
        found = observe_returns(space, corner.now, first)
        observe_returns(space, corner.now)
    assert asked == [{"p3"}, set(PEOPLE)]
    assert found == Observed(0, corner.now, found.newest, first.watched)


@pytest.mark.parametrize("most", [observing.MOST_RECORDED, 0])
def test_a_purchase_on_record_follows_its_order_however_many_there_are(
    corner: Corner, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The facts are asked of the purchases on record alone, or tell of all that changed."""
    monkeypatch.setattr(observing, "MOST_RECORDED", most)
    exports = Exports(corner, seed=0)
    space = shop(corner, exports)
    corner.clock.move(DAY)
    bought = corner.now - HOUR
    for name in ("one", "two"):
        exports.orders[name] = (name, "p3", bought, 5.0, "completed")
    exports.bring()
    observe_returns(space, corner.now)
    assert {(name, at, is_void) for name, _, at, is_void in purchases(corner)} == {
        ("one", bought, False),
        ("two", bought, False),
    }
    corner.clock.move(MINUTE)
    exports.orders["one"] = ("one", "p3", bought - MINUTE, 5.0, "completed")
    exports.orders["two"] = ("two", "p3", bought, 5.0, "cancelled")
    exports.orders["o5"] = ("o5", "p5", corner.ago(days=230), 7.0, "completed")  # not on record
    exports.bring()
    told: list[int] = []
    monkeypatch.setattr(Observations, "note", _Told(told, Observations.note))
    observe_returns(space, corner.now)
    assert {(name, at, is_void) for name, _, at, is_void in purchases(corner)} == {
        ("one", bought - MINUTE, False),
        ("two", bought, True),
    }
    assert told == [2 if most else 3]


class _Told:
    """Counts what the ledger is told of orders."""

    def __init__(self, told: list[int], note: Callable[..., None]) -> None:
        self._told, self._note = told, note

    def __get__(self, owner: Observations, kind: type) -> Callable[..., None]:
        return partial(self, owner)

    def __call__(
        self, owner: Observations, number: int, at: datetime, rows: Iterable[Correction]
    ) -> None:
        corrections = list(rows)
        self._told.append(len(corrections))
        self._note(owner, number, at, corrections)


@pytest.mark.long
def test_who_was_let_in_on_older_facts_is_looked_at(corner: Corner) -> None:
    """Another worker had not seen the import that the last look saw."""
    exports = Exports(corner, seed=0)
    exports.bring()
    corner.start("orders_count < 0", text=LONG)
    space, entered_at = corner.space, corner.now
    corner.clock.move(MINUTE)
    exports.orders["new"] = ("new", "p3", corner.now - HOUR, 5.0, "completed")
    exports.bring()
    last = observe_returns(space, corner.now)
    at, known = entered_at, exports.orders["o3"][2]
    space.book.enrol([Enrolment("p3", "win", 1, 0, Arm.TREATMENT, at, known, 0, at, at + 90 * DAY)])
    assert observe_returns(space, corner.now, last).ended == 1


class _Asked:
    """In place of the question itself: keeps whom it was asked about."""

    def __init__(self, asked: list[set[str]]) -> None:
        self._asked = asked

    def __call__(
        self, engine: object, facts: object, watched: list[tuple[str]], _: object
    ) -> list[object]:
        self._asked.append({person for person, *_ in watched})
        return []
