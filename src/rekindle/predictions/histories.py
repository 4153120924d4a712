"""The days on which people ordered, as arrays, and what is known of each person on a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import accumulate

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rekindle.facts import PURCHASE, Facts

FREE = "free"
"""An order for nothing earns nothing, and is a sign of life all the same."""

Floats = NDArray[np.float64]
Days = NDArray[np.int64]


IdRange = tuple[str, str]
"""The first and the last id of a range, both in it."""


def build_buyers(facts: Facts, as_of: datetime) -> ir.Table:
    """Return the ``customer_id`` of everybody with an order known before ``as_of``."""
    return _known_orders(facts.cut(as_of)).select("customer_id").distinct()


def _known_orders(known: Facts) -> ir.Table:
    orders = known.orders
    return orders.filter(orders.kind.isin([PURCHASE, FREE]) & orders.customer_id.notnull())


def build_purchase_days(facts: Facts, as_of: datetime, ids: IdRange | None = None) -> ir.Table:
    """Return one row for each person and local day with an order known before ``as_of``.

    Columns: ``customer_id``, ``day`` (days since 1970-01-01), ``worth`` (gross − discount, in
    major units) and ``units`` (pieces of its lines; NULL where no order has lines). With
    ``ids`` only of these people.
    """
    known = facts.cut(as_of)
    orders, lines = _known_orders(known), known.order_lines
    if ids is not None:
        orders = orders.filter(orders.customer_id.between(*ids))
        # Else the pieces of every order would be summed for each part of the people.
        lines = lines.semi_join(orders, ["source", "order_id"])
    pieces = lines.group_by("source", "order_id").agg(pieces=lines.quantity.sum())
    orders = orders.left_join(pieces, ["source", "order_id"])
    epoch = ibis.date(1970, 1, 1)
    return (
        orders.group_by("customer_id", "ordered_on")
        .agg(
            worth=(orders.gross - ibis.coalesce(orders.discount, 0)).sum().cast("float64"),
            units=orders.pieces.sum().cast("float64"),
        )
        .mutate(day=lambda t: t.ordered_on.delta(epoch, unit="day").cast("int64"))
        .drop("ordered_on")
    )


@dataclass(frozen=True)
class PastOrders:
    """What was known of people at the beginning of a day; arrays in the order of the people.

    ``count`` is how many days they had ordered on, 0 for who had not yet; ``first`` and ``last``
    are days, ``worth`` and ``units`` sums.
    """

    count: Days
    first: Days
    last: Days
    worth: Floats
    units: Floats

    def of(self, places: Days) -> PastOrders:
        """Return the same of the people at these places."""
        parts = (self.count, self.first, self.last)
        count, first, last = (one[places] for one in parts)
        return PastOrders(count, first, last, self.worth[places], self.units[places])


@dataclass(frozen=True)
class Histories:
    """The order days of people: parallel arrays, in the order of people and days.

    ``person`` is the place of a day's person in ``people``.
    """

    people: tuple[str, ...]
    person: Days
    day: Days
    worth: Floats
    units: Floats
    has_units: bool

    @property
    def gap(self) -> float:
        """Return the mean number of days between two order days of one person; 30 without any."""
        is_next = self.person[1:] == self.person[:-1]
        gaps = (self.day[1:] - self.day[:-1])[is_next]
        return float(gaps.mean()) if gaps.size else 30.0

    def ids(self, places: Days) -> pa.Array:
        """Return the people at these places."""
        return pa.array([self.people[one] for one in places], pa.string())

    def known(self, day: int) -> PastOrders:
        """Return what was known of everybody before ``day``."""
        seen = self.day < day
        person, days, size = self.person[seen], self.day[seen], len(self.people)
        first, last = np.full(size, day), np.full(size, -1)
        # Days ascend for each person: the last to be written is the latest.
        last[person] = days
        first[person[::-1]] = days[::-1]
        return PastOrders(
            np.bincount(person, minlength=size),
            first,
            last,
            np.bincount(person, self.worth[seen], size).astype(np.float64),
            np.bincount(person, self.units[seen], size).astype(np.float64),
        )

    def bought_within(self, day: int, days: int) -> NDArray[np.bool_]:
        """Return who ordered from ``day`` on, within so many days."""
        found = np.zeros(len(self.people), dtype=bool)
        found[self.person[(self.day >= day) & (self.day < day + days)]] = True
        return found

    def next_order(self, day: int) -> Days:
        """Return of everybody the first day they ordered on from ``day`` on; 0 without one."""
        found, later = np.zeros(len(self.people), dtype=np.int64), self.day >= day
        # Days ascend for each person: written from behind, the first stays.
        found[self.person[later][::-1]] = self.day[later][::-1]
        return found

    def before(self, day: int) -> Histories:
        """Return the histories as they were before a day; people without any order stay."""
        seen = self.day < day
        return replace(
            self,
            person=self.person[seen],
            day=self.day[seen],
            worth=self.worth[seen],
            units=self.units[seen],
        )

    def without(self, people: frozenset[str], most: int) -> Histories:
        """Return the histories of others, of at most so many: every n-th by their ids."""
        keep = [place for place, one in enumerate(self.people) if one not in people]
        keep = keep[:: max(1, -(-len(keep) // most))]
        place = np.full(len(self.people), -1)
        place[keep] = np.arange(len(keep))
        is_kept = place[self.person] >= 0
        return Histories(
            tuple(self.people[one] for one in keep),
            place[self.person[is_kept]],
            self.day[is_kept],
            self.worth[is_kept],
            self.units[is_kept],
            self.has_units,
        )


def join_histories(parts: Sequence[Histories]) -> Histories:
    """Return the histories of people who are in several parts, each in one of them."""
    if len(parts) == 1:
        return parts[0]
    sizes = [0, *accumulate(len(one.people) for one in parts)]
    return Histories(
        tuple(person for one in parts for person in one.people),
        np.concatenate([one.person + size for one, size in zip(parts, sizes, strict=False)]),
        np.concatenate([one.day for one in parts]),
        np.concatenate([one.worth for one in parts]),
        np.concatenate([one.units for one in parts]),
        any(one.has_units for one in parts),
    )


def read_histories(rows: pa.Table) -> Histories:
    """Return the rows of ``build_purchase_days`` as arrays."""
    rows = rows.sort_by([("customer_id", "ascending"), ("day", "ascending")])
    coded = rows["customer_id"].combine_chunks().dictionary_encode()
    units = rows["units"].to_numpy(zero_copy_only=False).astype(np.float64)
    return Histories(
        tuple(coded.dictionary.to_pylist()),
        coded.indices.to_numpy(zero_copy_only=False).astype(np.int64),
        rows["day"].to_numpy(zero_copy_only=False).astype(np.int64),
        rows["worth"].to_numpy(zero_copy_only=False).astype(np.float64),
        np.nan_to_num(units),
        bool(np.isfinite(units).any()),
    )
