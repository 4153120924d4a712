"""What a subscription cost from when on: its prices, less what was taken off them.

A biller tells what a subscription costs today, and of a discount when it began and when it will
end. From both follows each instant at which the price became another, also one to come, and one
that was told before and is otherwise by now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

from rekindle.billing.values import round_minor

PRICE = ("plan", "amount", "quantity", "interval", "interval_count", "currency")
# By what a plan is known again once it is called something else.
PLAN_ID = "plan_id"
EXACT = Decimal("0.0001")
"""To how much of an amount facts are kept."""

Price = list[Any]


@dataclass(slots=True)
class Reduction:
    """Something that is taken off, as it is kept: ``since`` is "" where that is the beginning.

    ``place`` is where it comes among others: amounts and shares are taken off in that order.
    """

    id: str
    since: str = ""
    until: str | None = None
    percent: str | None = None
    amount: str | None = None
    place: int = 0

    def runs(self, at: datetime) -> bool:
        """Return whether it is taken off at an instant."""
        return _is_by(self.since, at) and not self.is_over(at)

    def is_over(self, at: datetime) -> bool:
        """Return whether it is taken off no more at an instant."""
        return self.until is not None and _is_by(self.until, at)


@dataclass(slots=True)
class Pricing:
    """What is kept of one subscription, or of one run of it.

    ``prices`` are those of the list, by the instant since which each holds ("" for the first),
    with the plan's id before the columns of ``PRICE``. ``told`` are the instants of all rows of
    changes there are: each is told again, so that it says what is known now. ``looked`` is when
    the discounts were told last; what is older says nothing newer.
    """

    prices: list[Price] = field(default_factory=list)
    discounts: list[Reduction] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    looked: str = ""

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """Return what ``written`` returned."""
        taken = [Reduction(**one) for one in given.get("discounts", [])]
        return cls(given["prices"], taken, given.get("told", []), given.get("looked", ""))

    def written(self) -> Mapping[str, Any]:
        """Return it as JSON holds it, without what there is none of."""
        taken = [{k: v for k, v in asdict(one).items() if v} for one in self.discounts]
        told = {"discounts": taken, "told": self.told, "looked": self.looked}
        return {"prices": self.prices, **{name: one for name, one in told.items() if one}}

    def hear(self, row: Mapping[str, Any], seen: datetime) -> None:
        """Take what a statement says of the price, and of what is taken off it."""
        self._hear_price(row, seen)
        if row.get("discounts") is not None and not (self.looked and _is_past(self.looked, seen)):
            self._hear_discounts(row["discounts"], seen)
            self.looked = seen.isoformat()

    def _hear_price(self, row: Mapping[str, Any], seen: datetime) -> None:
        own = row.get(PLAN_ID)
        price = [own if own is not None else row.get("plan"), *(row.get(name) for name in PRICE)]
        if row.get("is_trial") or not self.prices:
            # Nothing is paid yet: it begins with what it will cost then.
            self.prices = [["", *price]]
            return
        for one in self.prices:
            if one[1] == price[0]:
                one[2] = price[1]  # called something else, it is the same plan
        place = max(i for i, one in enumerate(self.prices) if i == 0 or _is_by(one[0], seen))
        if self.prices[place][1:] != price:
            self.prices.insert(place + 1, [seen.isoformat(), *price])

    def _hear_discounts(self, said: Sequence[Mapping[str, Any]], seen: datetime) -> None:
        is_first, at = not self.looked, seen.isoformat()
        running = [one for one in self.discounts if not one.is_over(seen)]
        for place, told in enumerate(said):
            found = self._known(told, running)
            if found is None:
                since = told["since"] if told["is_dated"] or is_first else at
                found = Reduction(told["id"], since or "")
                self.discounts.append(found)
            found.until, found.place = told["until"], place
            if told["percent"] is not None or told["amount"] is not None:
                found.percent, found.amount = told["percent"], told["amount"]
        there = {told["id"] for told in said}
        for one in running:
            if one.id not in there:
                one.until = at

    def _known(self, told: Mapping[str, Any], running: Iterable[Reduction]) -> Reduction | None:
        """Return which one is told of again: one that runs, or that began at the same instant."""
        of_id = (one for one in running if one.id == told["id"])
        same = (
            one
            for one in self.discounts
            if told["is_dated"] and (one.id, one.since) == (told["id"], told["since"])
        )
        return next(of_id, None) or next(same, None)

    def first(self, began: datetime) -> Mapping[str, Any]:
        """Return what it cost as it began, as a row of facts has it."""
        return self._at(began)

    def changes(
        self, began: datetime, ends: datetime | None, *, is_trial: bool, paid_at: datetime | None
    ) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield what it cost from each instant on at which that changed, or was told to.

        ``paid_at`` is when a trial ends, before which nothing is paid; ``is_trial`` that it has
        not, or never will. What is told to come after the end is left out.
        """
        edge, before = max(began, paid_at or began), None
        marks = set() if is_trial else {at for at in self._instants() if _is_past(at, edge)}
        if paid_at is not None and not is_trial:
            marks.add(paid_at.isoformat())
        else:
            before = _paid(self.first(began), None) if not is_trial else None
        if ends is not None:
            marks = {at for at in marks if datetime.fromisoformat(at) < ends}
        self.told = sorted(marks | set(self.told), key=datetime.fromisoformat)
        for at in self.told:
            when = max(datetime.fromisoformat(at), began)
            row = self._at(when)
            if before is not None and self._is_given(row, when):
                row = {**before, "plan": row["plan"]}
            before = _paid(row, before)
            yield at, row

    def _instants(self) -> Iterator[str]:
        yield from (one[0] for one in self.prices if one[0])
        for one in self.discounts:
            yield from (at for at in (one.since, one.until) if at)

    def _at(self, at: datetime) -> Mapping[str, Any]:
        """Return what it costs at an instant: the price of the list, less what is taken off."""
        price = [one for i, one in enumerate(self.prices) if i == 0 or _is_by(one[0], at)][-1]
        row = dict(zip(PRICE, price[2:], strict=True))
        running = sorted((one for one in self.discounts if one.runs(at)), key=lambda one: one.place)
        return _reduced(row, running) if running and row["amount"] is not None else row

    def _is_given(self, row: Mapping[str, Any], at: datetime) -> bool:
        """Return whether nothing is to be paid for a time that is known to end.

        Somebody who paid before has not left by that: as with what is taken off once, what
        recurs is as it was.
        """
        running = [one for one in self.discounts if one.runs(at)]
        has_end = any(one.until is not None for one in running)
        return bool(running) and has_end and _paid(row, None) is None


def _reduced(row: dict[str, Any], running: Iterable[Reduction]) -> Mapping[str, Any]:
    """Return a price less what is taken off it, one after the other, and never below nothing.

    Providers bill whole minor units. Where what is left cannot be told of one unit, the row
    tells what all of them cost.
    """
    quantity, currency = int(row["quantity"] or 1), str(row["currency"] or "")
    whole = left = Decimal(row["amount"]) * quantity
    for one in running:
        off = Decimal(one.amount or 0)
        if one.percent is not None:
            off = left * Decimal(one.percent) / 100
        left -= max(min(left, round_minor(off, currency)), Decimal(0))
    if left == whole:
        return row
    unit = (left / quantity).quantize(EXACT)
    if unit * quantity == left:
        return {**row, "amount": str(unit)}
    return {**row, "amount": str(left), "quantity": 1}


def _paid(row: Mapping[str, Any], before: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return the price that is paid by a row; by none, what was paid before."""
    return row if row["amount"] is not None and Decimal(row["amount"]) > 0 else before


def _is_by(one: str, at: datetime) -> bool:
    """Return whether an instant is not after another; "" is the beginning."""
    return not one or datetime.fromisoformat(one) <= at


def _is_past(one: str, at: datetime | str) -> bool:
    """Return whether an instant is after another."""
    other = datetime.fromisoformat(at) if isinstance(at, str) else at
    return datetime.fromisoformat(one) > other
