"""The books that keep a world, and how a world's messages leave them.

Each book is the real one; what it hands to the engine is watched on the way, and a
worker may be killed there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Protocol

from rekindle.gate import BookRules
from rekindle.journeys import Audience, Batch, Book, Decide, MemoryBook, Move, Signal
from tests.simulation.drawing import House
from tests.simulation.journal import Key, broken

Take = Callable[[datetime, int, Decide], int | None]
# When a message was handed over, when it was decided, and since when it was ready.
Times = tuple[datetime, datetime, datetime]


class Killed(BaseException):
    """The worker died here."""


class Watcher(Audience, Protocol):
    """Who wants to see what a book lets the engine decide, and what leaves."""

    house: House
    seed: int

    @property
    def touches(self) -> int:
        """Return how many touches and ghosts were written, as far as anyone knows."""

    def deciding(self) -> None:
        """Called inside the transaction, when the moves are known but not written."""

    def decided(self, batch: Batch, moves: Sequence[Move], applied: int) -> None:
        """Called when they are written."""

    def handed_over(
        self, who: Key, step: str, times: Times, *, is_taken: bool, code: str = ""
    ) -> None:
        """Called when a provider is handed a message; it may have left if ``is_taken``."""

    def shown(self, who: Key, step: str, times: Times) -> None:
        """Called when a person who asks now would be shown a message that was kept."""

    def listed(self, who: Key, step: str, *, is_new: bool) -> None:
        """Called when somebody is put on a list, or is on it and nobody asked to change that."""

    def learned(self, signals: Sequence[Signal]) -> None:
        """Called with what the book recorded by itself; again and again, if need be."""


def watch_take(take: Take, watcher: Watcher) -> Take:
    """Return ``take_due`` of a book with a watcher on it."""

    def watched(at: datetime, limit: int, decide: Decide) -> int | None:
        seen: list[tuple[Batch, Sequence[Move]]] = []

        def decide_watched(batch: Batch) -> Sequence[Move]:
            moves = decide(batch)
            watcher.deciding()
            seen.append((batch, moves))
            return moves

        applied = take(at, limit, decide_watched)
        for batch, moves in seen:
            watcher.decided(batch, moves, applied or 0)
        return applied

    return watched


class Keeper(Protocol):
    """A book, and what becomes of its messages."""

    def dying_in(self, statements: int) -> AbstractContextManager[None]:
        """Let the worker die before its statement of that number, where there are any."""

    @property
    def book(self) -> Book:
        """Return the book."""

    def written(self, batch: Batch, moves: Sequence[Move]) -> None:
        """Moves were written; what leaves at once leaves now."""

    def deliver(self, now: datetime) -> None:
        """Let what waits leave the building."""

    def revive(self) -> None:
        """A new worker begins, with nothing but what was written down."""

    def look(self, now: datetime) -> None:
        """Look for what only this kind of book can break."""


MakeKeeper = Callable[[Watcher], Keeper]


class WatchedMemoryBook(MemoryBook):
    """A book in memory that is watched."""

    def __init__(self, terms: BookRules, watcher: Watcher) -> None:
        super().__init__(terms)
        self._take_watched = watch_take(super().take_due, watcher)

    def take_due(self, at: datetime, limit: int, decide: Decide) -> int | None:
        """Do what the book does, and let the watcher see it."""
        return self._take_watched(at, limit, decide)


class MemoryKeeper:
    """Keeps a world in memory, where a message has left as soon as it is written."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._spent: Counter[tuple[str, str]] = Counter()
        self._seen = 0
        self.book = WatchedMemoryBook(watcher.house.terms, watcher)

    def written(self, batch: Batch, moves: Sequence[Move]) -> None:
        """Hand over what was written, and see that budgets know of all of it."""
        fresh = self.book.messages[self._seen :]
        self._seen += len(fresh)
        self._see_budgets(batch, moves)
        for move in fresh:
            one = move.before
            times = (move.at, move.at, one.ready_at)
            who = (one.person, one.journey, one.rotation)
            code = f"{who}/{move.step.key}"  # a book in memory has as many as anybody wants
            self._watcher.handed_over(who, move.step.key, times, is_taken=True, code=code)
            for name in move.budgets:
                self._spent[name, self._month(move.at)] += move.cost_micros

    def _see_budgets(self, batch: Batch, moves: Sequence[Move]) -> None:
        for name, micros in batch.reserved.items():
            if self._spent[name, self._month(moves[0].at)] != micros:
                raise broken("never above a budget", f"{name} has {micros} reserved")

    def _month(self, at: datetime) -> str:
        return at.astimezone(self._watcher.house.rules.zone).strftime("%Y-%m")

    def deliver(self, now: datetime) -> None:
        """Do nothing: all has left."""

    def revive(self) -> None:
        """Do nothing: memory is all there is."""

    def dying_in(self, statements: int) -> AbstractContextManager[None]:
        """Let the worker live: memory knows no statements."""
        return nullcontext()

    def look(self, now: datetime) -> None:
        """Do nothing: there is no second state to compare."""
