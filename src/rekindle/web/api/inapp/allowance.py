"""How often one person's app may ask: a page in a loop costs its own visitor, and nobody else."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from rekindle.clock import stopwatch

MOST = 60
WINDOW_SECONDS = 60.0
MOST_REMEMBERED = 10_000


class Allowance:
    """So many requests a window and person, in this process; asked by several threads."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[int, Callable[[], float]]] = OrderedDict()

    def take(self, who: str) -> bool:
        """Return whether somebody may go on, and count it."""
        with self._lock:
            count, age = self._known.get(who) or (0, stopwatch())
            if age() >= WINDOW_SECONDS:
                count, age = 0, stopwatch()
            self._known[who] = (count + 1, age)
            self._known.move_to_end(who)
            if len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)
            return count < self._most
