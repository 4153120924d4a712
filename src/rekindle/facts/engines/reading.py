"""The facts as they are read now, replaced as a whole when they change."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple

from rekindle.facts.engines.engine import Engine
from rekindle.facts.facts import Facts


class Reading(NamedTuple):
    """An engine and the tables of the facts in it.

    Whoever asks more than one question takes one reading for all of them: another thread
    may bring in newer facts in between.
    """

    engine: Engine
    facts: Facts


class Readings:
    """The present reading, opened by the first who asks and shared by all threads.

    One that is forgotten is not closed: another thread may be in the middle of it. It
    goes when nobody holds it any more.
    """

    def __init__(self, open_engine: Callable[[], Engine]) -> None:
        self._open = open_engine
        self._lock = threading.Lock()
        self._held: Reading | None = None

    def take(self) -> Reading:
        """Return the present reading."""
        with self._lock:
            if self._held is None:
                engine = self._open()
                self._held = Reading(engine, engine.facts())
            return self._held

    def forget(self) -> None:
        """Let the next question see the newest facts."""
        with self._lock:
            self._held = None
