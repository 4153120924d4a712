"""Looks for returns again only where there may be one that the last look did not see.

A worker passes every minute, and nearly always nothing has come in since. Looking through
every open enrolment each time would cost seconds where a hundred thousand are open.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from rekindle.ledger import load_extent
from rekindle.runtime import Workspace
from rekindle.subscriptions import build_starts
from rekindle.worker.observing import observe_returns

Observe = Callable[[Workspace, datetime], int]
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class ReturnWatch:
    """Observes returns for one worker, and remembers what it has looked at.

    What is remembered lives as long as the process: the first pass of a worker looks at
    everything, so whatever another one did not live to see is seen then.
    """

    def __init__(self, workspace: Workspace, observe: Observe = observe_returns) -> None:
        self._workspace, self._observe = workspace, observe
        self._seen: tuple[str, int] | None = None
        self._looked_at = NEVER
        self._next_order_at: datetime | None = None

    def look(self, at: datetime) -> int:
        """Record the purchases that came in; return how many enrolments ended.

        Another look is due when the facts have changed, when people have entered (another
        worker may have let them in on older facts), when an order dated ahead has come to
        pass, and when the clock went back.
        """
        space = self._workspace
        state = (space.facts_version(), load_extent(space.ledger)["enrolments"])
        if state == self._seen and self._is_covered(at):
            return 0
        returned = self._observe(space, at)
        self._seen, self._looked_at = state, at
        self._next_order_at = _first_order_since(space, at)
        return returned

    def _is_covered(self, at: datetime) -> bool:
        is_ahead = self._next_order_at is not None and self._next_order_at < at
        return self._looked_at <= at and not is_ahead


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
