"""How ``worker`` and ``up`` are stopped: at once if they can, within a stated time anyhow."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable

# Less than service managers wait before they kill; more than a mail server may take.
GRACE_SECONDS = 45.0
STOPPED = 0

logger = logging.getLogger(__name__)


def until_stopped(
    *, grace_seconds: float = GRACE_SECONDS, end: Callable[[], None] | None = None
) -> Callable[[], bool]:
    """Return what says whether SIGINT or SIGTERM came, from now on.

    Whoever asks it finishes the message that is leaving and stops. What is at work for longer
    than the grace, a large import or decision, is given up, and begins again at the next
    start: every step of it is one transaction.
    """
    stops: list[int] = []
    give_up = end or _end

    def stop(number: int, frame: object) -> None:
        if not stops:
            timer = threading.Timer(grace_seconds, give_up)
            timer.daemon = True
            timer.start()
        stops.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    return lambda: bool(stops)


def _end() -> None:
    logger.warning(
        "still at work long after the stop; what is not done is done again at the next start"
    )
    os._exit(STOPPED)
