"""Lanes divide all people into fixed parts, so that workers never decide about the same one.

Whoever holds a lane's row is alone with its people, in every journey, until the commit.
On SQLite, where one writer has the whole database, the row needs no lock.
"""

from __future__ import annotations

import zlib
from datetime import datetime

from rekindle.ledger.queries import fetch, rows_of, text_of

LANES = 64
AT_ONCE = 8
"""Lanes one worker holds: enough to find work quickly, few enough to leave others theirs."""


def lane_of(person: str) -> int:
    """Return the lane of a person, from 0 to 63: the same in every process, for ever."""
    return zlib.crc32(person.encode()) % LANES


def hold_lanes(alias: str, lanes: list[int], at: datetime) -> list[int]:
    """Hold those of ``lanes`` with somebody due at ``at`` that nobody else holds."""
    rows = fetch(alias, "hold_lanes", rows_of((lane,) for lane in lanes), text_of(at))
    held = {lane for (lane,) in rows}
    return [lane for lane in lanes if lane in held]
