"""The orders of a big shop, read people by people, so that never all of them are held at once.

People are told apart by their ids as the engine orders them: its own ranges divide them
whatever its collation is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rekindle.facts import Facts
from rekindle.predictions.histories import (
    Histories,
    IdRange,
    build_buyers,
    build_purchase_days,
    read_histories,
)

Run = Callable[[Any], pa.Table]

MOST_AT_ONCE = 200_000
"""People whose orders are held in memory at once."""


@dataclass(frozen=True)
class Sampled:
    """The histories of some, and over which days everybody's spread; None without any."""

    histories: Histories
    first: int | None
    last: int | None


class HistoryParts:
    """The order days known before an instant, of a part of the people at a time.

    It is read anew whenever it is gone through, unless one part holds everybody. ``people``
    are everybody's ids, ascending.
    """

    def __init__(self, facts: Facts, run: Run, as_of: datetime, most: int = MOST_AT_ONCE) -> None:
        self._facts, self._run, self._as_of = facts, run, as_of
        buyers = build_buyers(facts, as_of)
        found = run(buyers)["customer_id"].combine_chunks()
        self.people: pa.Array = found.take(pc.sort_indices(found))
        self._ranges: tuple[IdRange | None, ...] = (None,)
        self._whole: pa.Table | None = None
        if (count := -(-len(found) // most)) > 1:
            part = ibis.ntile(count).over(order_by=buyers.customer_id)
            ends = buyers.mutate(part=part).group_by("part")
            rows = run(
                ends.agg(low=buyers.customer_id.min(), high=buyers.customer_id.max())
            ).sort_by("part")
            lows, highs = rows["low"].to_pylist(), rows["high"].to_pylist()
            self._ranges = tuple(zip(lows, highs, strict=True))

    def __iter__(self) -> Iterator[Histories]:
        """Yield the histories of one part after the other."""
        return map(read_histories, self._tables())

    def sample(self, people: pa.Array) -> Sampled:
        """Return the histories of these, whether anybody has units, and the days of all."""
        kept, days, has_units = [], [], False
        for table in self._tables():
            kept.append(table.filter(pc.is_in(table["customer_id"], value_set=people)))
            units = table["units"].to_numpy(zero_copy_only=False).astype(np.float64)
            has_units = has_units or bool(np.isfinite(units).any())
            if table.num_rows:
                ends = pc.min_max(table["day"]).as_py()
                days += [ends["min"], ends["max"]]
        found = replace(read_histories(pa.concat_tables(kept)), has_units=has_units)
        return Sampled(found, min(days, default=None), max(days, default=None))

    def _tables(self) -> Iterator[pa.Table]:
        for ends in self._ranges:
            if self._whole is not None:
                yield self._whole
                continue
            table = self._run(build_purchase_days(self._facts, self._as_of, ends))
            if ends is None:
                self._whole = table
            yield table
