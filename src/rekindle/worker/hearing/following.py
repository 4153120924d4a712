"""Lets the register of belongings follow a biller's notice at once, beside whoever took it.

What a notice said is brought into the lake first, and the register follows the facts as it does
in a pass: one rule says who left and who is back. A process that dies leaves it to the next pass.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from threading import Lock

from rekindle.billing import BilledFact
from rekindle.clock import pause, stopwatch
from rekindle.errors import BusyError, RekindleError
from rekindle.ledger import BelongingsRegister, mend
from rekindle.runtime import Workspace
from rekindle.worker.hearing.importing import bring_notices
from rekindle.worker.keeping.belongings import BelongingsKeeper
from rekindle.worker.keeping.beside import SideRound

A_LITTLE = timedelta(microseconds=1)
RESTS = 9
"""After a round it waits so many times as long as that took, so that at most a tenth is work."""
SHORTEST_REST_SECONDS = 1.0

logger = logging.getLogger(__name__)


class RegisterFollower:
    """The register of one workspace, as far as notices move it; nothing where none is kept."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        config = workspace.config
        self._is_on = bool(config.subscriptions.kept.what) and config.facts.warehouse is None
        self._keeper = BelongingsKeeper(workspace)
        self._register = BelongingsRegister(workspace.ledger)
        self._round = SideRound(workspace, "register", "the register waits")
        self._lock, self._is_going, self._wanted = Lock(), False, list[datetime]()

    def heard(self, customer: str, statements: Iterable[BilledFact], at: datetime) -> None:
        """Follow what a notice of this instant said, if it may begin or close a row.

        It is done in a thread of its own, one at a time; what comes meanwhile is followed once more
        after it. It never raises: the next pass follows all the same.
        """
        rows = [one.row for one in statements if one.table == "subscriptions"]
        if not (self._is_on and customer and rows):
            return
        try:
            if any(row.get("ended_at") for row in rows) or self._is_awaited(customer):
                self._follow_soon(at)
        except RekindleError:
            logger.exception("the register follows with the next pass")
            mend(self._workspace.ledger)

    def finish(self) -> None:
        """Wait until what was begun is over."""
        self._round.finish()

    def _is_awaited(self, customer: str) -> bool:
        """Return whether something is kept for somebody who left."""
        settled = self._workspace.book.persons.find([customer])[customer]
        found = self._register.newest_of([settled]).get(settled)
        return found is not None and not found.closed

    def _follow_soon(self, at: datetime) -> None:
        with self._lock:
            self._wanted.append(at)
            if not self._is_going:
                self._is_going = True
                self._round.begin(self._follow)

    def _follow(self) -> None:
        try:
            while (at := self._next()) is not None:
                taken = stopwatch()
                self._follow_once(max(at + A_LITTLE, self._workspace.clock.now()))
                if self._wanted:
                    pause(max(SHORTEST_REST_SECONDS, RESTS * taken()))
        except BaseException:
            self._is_going = False
            raise

    def _next(self) -> datetime | None:
        """Return by which instant all is known that is to be followed; None ends the round."""
        with self._lock:
            found = max(self._wanted, default=None)
            self._wanted.clear()
            self._is_going = found is not None
        return found

    def _follow_once(self, at: datetime) -> None:
        try:
            bring_notices(self._workspace)
            self._keeper.look(at)
        except BusyError:
            logger.info("an import is running; the register follows with the next pass")
        except RekindleError as error:
            logger.error("the register follows with the next pass: %s", error)
            mend(self._workspace.ledger)
