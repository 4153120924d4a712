"""Books that a suite can look into, and hand a move to that they gave nobody to decide about.

The engine does neither: it is handed who is due, and what it returns is written at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from rekindle.gate import Dossier
from rekindle.journeys import MemoryBook, Move
from rekindle.ledger import LedgerBook
from rekindle.ledger.book.dossiers import Due
from rekindle.ledger.book.lanes import LANES
from rekindle.ledger.book.moves import HeldMove
from rekindle.ledger.queries import ledger_transaction

EVERYBODY = 100_000
AFTER_ALL = datetime(2999, 1, 1, tzinfo=UTC)


class OpenedLedgerBook(LedgerBook):
    """A ``rekindle.testing.book_samples.OpenedBook`` over a ledger."""

    def due(self, at: datetime, limit: int) -> Sequence[Dossier]:
        """Return up to ``limit`` open enrolments that are due, oldest first."""
        return [one.dossier for one in self._found(at)[:limit]]

    def save(self, moves: Iterable[Move]) -> int:
        """Write those of ``moves`` that still apply, each once; count them."""
        with ledger_transaction(self._alias):
            found = {one.dossier.enrolment: one for one in self._found(AFTER_ALL)}
            held = {move.before: move for move in moves if move.before in found}
            steps = [
                HeldMove(found[before].number, move, found[before].touched)
                for before, move in held.items()
            ]
            return self._writer.write(steps)

    def _found(self, at: datetime) -> list[Due]:
        with ledger_transaction(self._alias):
            lanes = [self._reader.read_lane(lane, at, EVERYBODY) for lane in range(LANES)]
            found = self._reader.complete([row for rows in lanes for row in rows], at)
        return sorted(found, key=lambda one: (one.dossier.enrolment.due_at, one.number))


class OpenedMemoryBook(MemoryBook):
    """A ``rekindle.testing.book_samples.OpenedBook`` in memory."""

    def due(self, at: datetime, limit: int) -> Sequence[Dossier]:
        """Return up to ``limit`` open enrolments that are due, oldest first."""
        return [self._dossier(entry, at) for entry in self._moving(at)][:limit]

    def save(self, moves: Iterable[Move]) -> int:
        """Write those of ``moves`` that still apply, each once; count them."""
        return sum(map(self._apply, moves))
