"""What goes on beside a pass: one round at a time, in a thread of its own.

Whoever is asked there may answer slowly, and holds up nothing but their own round.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Thread

from rekindle.errors import RekindleError
from rekindle.ledger import let_go
from rekindle.runtime import Workspace

logger = logging.getLogger(__name__)


class SideRound:
    """The one round of a kind that may go on beside the passes of a workspace.

    ``what`` says in the log what waits where a round fails.
    """

    def __init__(self, workspace: Workspace, name: str, what: str) -> None:
        self._workspace, self._name, self._what = workspace, name, what
        self._thread: Thread | None = None

    @property
    def is_going(self) -> bool:
        """Return whether one is under way."""
        return self._thread is not None and self._thread.is_alive()

    def begin(self, work: Callable[[], None]) -> None:
        """Do this in a thread of its own; the caller saw that none is under way."""
        self._thread = Thread(target=self._go, args=(work,), name=self._name, daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Wait until what was begun is over."""
        if self._thread is not None:
            self._thread.join()

    def _go(self, work: Callable[[], None]) -> None:
        try:
            work()
        except RekindleError:
            logger.exception("%s for the next pass", self._what)
        except Exception:
            logger.exception("a round of %s failed; the next pass goes on", self._name)
        finally:
            let_go(self._workspace.ledger)
