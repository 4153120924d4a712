"""Looks for returns again only where there may be one that the last look did not see.

A worker passes every minute, and nearly always nothing has come in since. Looking through
every open enrolment each time would cost seconds where a hundred thousand are open.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from rekindle.facts import OF_STAYS
from rekindle.journeys.population import SAYING_OF_PEOPLE
from rekindle.ledger import load_extent
from rekindle.runtime import Workspace
from rekindle.subscriptions import build_starts
from rekindle.worker.observing import Observed, observe_returns

Observe = Callable[[Workspace, datetime, Observed | None], Observed]
BESIDE_ORDERS = (*OF_STAYS, "identities")
"""What else says who bought and when: where it changed, everybody is looked at anew."""


class FactsRead(NamedTuple):
    """What the facts are told apart by: all, what beside orders says of purchases, and of people.

    Whoever remembers what they looked at remembers these of before the workspace's reading was
    taken: an import that ends later is not in it.
    """

    every: str
    beside_orders: str
    of_people: str

    @classmethod
    def of(cls, workspace: Workspace) -> FactsRead:
        """Return the versions as they are; what is read after this is as new at least."""
        version = workspace.facts_version
        return cls(version(), version(*BESIDE_ORDERS), version(*SAYING_OF_PEOPLE))


class ReturnWatch:
    """Observes returns for one worker, and remembers what it has looked at.

    What is remembered lives as long as the process: the first pass of a worker looks at
    everything, so whatever another one did not live to see is seen then.
    """

    def __init__(self, workspace: Workspace, observe: Observe = observe_returns) -> None:
        self._workspace, self._observe = workspace, observe
        self._seen: tuple[FactsRead, int] | None = None
        self._last: Observed | None = None
        self._next_order_at: datetime | None = None

    def look(self, at: datetime, read: FactsRead | None = None) -> int:
        """Record the purchases that came in; return how many enrolments ended.

        Another look is due when the facts have changed, when people have entered (another
        worker may have let them in on older facts), when an order dated ahead has come to
        pass, and when the clock went back. ``read`` is of before the workspace's reading.
        """
        space = self._workspace
        read = FactsRead.of(space) if read is None else read
        state = (read, load_extent(space.ledger)["enrolments"])
        if state == self._seen and self._is_covered(at):
            return 0
        is_alike = self._seen is not None and self._seen[0].beside_orders == read.beside_orders
        self._last = self._observe(space, at, self._last if is_alike else None)
        self._seen = state
        self._next_order_at = _first_order_since(space, at)
        return self._last.ended

    def _is_covered(self, at: datetime) -> bool:
        is_ahead = self._next_order_at is not None and self._next_order_at < at
        return self._last is not None and self._last.at <= at and not is_ahead


def _first_order_since(workspace: Workspace, at: datetime) -> datetime | None:
    """Return when the first order that has not come to pass at ``at`` will."""
    facts = workspace.facts
    orders = facts.orders
    coming = orders.filter(orders.ordered_at >= at).select(at=orders.ordered_at)
    if facts.has_subscriptions:
        coming = coming.union(build_starts(facts).filter(lambda t: t["at"] >= at).select("at"))
    newest = coming.aggregate(first=coming["at"].min())
    first: datetime | None = workspace.engine.run(newest).to_pylist()[0]["first"]
    return first
