"""Folds what a biller said, in a listing or by notices, into the rows of the facts' tables.

One way for both: a statement counts from when it was seen, the newest of each thing stands, and
what a biller does not tell as history (a price that changed, a pause that ended, a card that the
bank renewed) is the difference between two statements about one thing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

from rekindle.billing.model import BilledDiscount, BilledFact, Row
from rekindle.billing.pricing import PLAN_ID, PRICE, Pricing

# Of what may have ended and runs again; it goes no further than here.
REVIVED = "revived_at"
# Of what was tried out first; it becomes a change, from which on it is paid for.
TRIED = "trial_ends_at"
CHANGES = "subscription_changes"
NOT_OF_A_ROW = (REVIVED, TRIED, PLAN_ID, "discounts")
CARD = ("last_four", "expiry_month", "expiry_year")
Tables = dict[str, dict[str, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class SeenFact:
    """A statement as it is kept: what it says of which thing, and when it was seen."""

    table: str
    key: str
    row: dict[str, Any]
    seen: datetime

    @classmethod
    def read(cls, line: Mapping[str, Any]) -> Self:
        """Return what ``write_fact`` wrote."""
        seen = datetime.fromisoformat(line["seen"])
        return cls(line["table"], line["key"], line["row"], seen)


@dataclass(slots=True)
class Run:
    """How often a subscription that can be revived was, since when it runs, and its pauses.

    ``ended`` is its row as it ended, while it has.
    """

    count: int = 0
    began: str = ""
    ended: dict[str, Any] | None = None
    pauses: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class Kept:
    """What is remembered of subscriptions: what they cost from when on, and their last pause.

    Of each card, what it was and since when. ``listed_at`` is when the last whole listing began:
    what was seen before it, it knew better.
    """

    pricings: dict[str, Pricing] = field(default_factory=dict)
    pauses: dict[str, dict[str, Any]] = field(default_factory=dict)
    listed_at: datetime | None = None
    cards: dict[str, list[Any]] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """Return what ``written`` returned, or did before prices were kept by their instants."""
        at = given["listed_at"]
        listed_at = datetime.fromisoformat(at) if at else None
        pauses, cards, runs = given["pauses"], given.get("cards", {}), given.get("runs", {})
        if "pricings" in given:
            pricings = {id_: Pricing.read(one) for id_, one in given["pricings"].items()}
            kept = {id_: Run(**one) for id_, one in runs.items()}
        else:
            pricings, kept = dict(_read_first(given, at, runs)), dict(_read_runs(runs))
        return cls(pricings, pauses, listed_at, cards, kept)

    def written(self) -> Mapping[str, Any]:
        """Return it as JSON holds it."""
        return {
            "pricings": {id_: one.written() for id_, one in self.pricings.items()},
            "pauses": self.pauses,
            "listed_at": self.listed_at.isoformat() if self.listed_at else "",
            "cards": self.cards,
            "runs": {id_: asdict(one) for id_, one in self.runs.items() if one != Run()},
        }


def _read_first(
    given: Mapping[str, Any], at: str, runs: Mapping[str, Any]
) -> Iterator[tuple[str, Pricing]]:
    """Yield prices of the older form: the first, the newest, and those a run was told of."""
    for id_, first in given["first"].items():
        changes = runs.get(id_, {}).get("trail", {}).get(CHANGES, {}).values()
        told = sorted((one["changed_at"], [one[name] for name in PRICE]) for one in changes)
        prices = [["", first[0], *first], *([since, one[0], *one] for since, one in told)]
        newest = given["newest"].get(id_, first)
        if newest != prices[-1][2:]:
            prices.append([at, newest[0], *newest])
        yield id_, Pricing(prices, told=[since for since, _ in told])


def _read_runs(runs: Mapping[str, Any]) -> Iterator[tuple[str, Run]]:
    for id_, one in runs.items():
        pauses = one["trail"].get("pauses", {})
        yield id_, Run(one["count"], one["began"], one["ended"], pauses)


def write_fact(one: BilledFact, seen: datetime) -> str:
    """Return a statement as a line of JSON."""
    line = {"table": one.table, "key": one.key, "seen": seen.isoformat(), "row": _plain(one.row)}
    return json.dumps(line, ensure_ascii=True)


def fold(
    told: Iterable[SeenFact], kept: Kept, *, over: Iterable[SeenFact] = ()
) -> Mapping[str, list[Row]]:
    """Return the rows of each table, and let ``kept`` remember what they say.

    ``told`` is a listing, or notices in order of their instants. Where ``over``, notices that
    came while a listing ran, says something of the same thing since, the listing's word is old.
    """
    later = list(over)
    newer: dict[tuple[str, str], datetime] = {}
    for one in later:
        newer[one.table, one.key] = max(one.seen, newer.get((one.table, one.key), one.seen))
    # What rests is told beside its subscription, or left out where it goes on.
    said = [one for one in told if newer.get(_thing(one), one.seen) <= one.seen]
    said += later
    tables: Tables = {}
    invoices: dict[str, str] = {}
    for one in said:
        if one.table:
            tables.setdefault(one.table, {})[one.key] = dict(one.row)
        else:
            invoices[one.key] = one.row["invoice_id"]
    for row in tables.get("payments", {}).values():
        intent = row.pop("payment_intent", None) or ""
        row["invoice_id"] = invoices.get(intent) or row.get("invoice_id")
    _follow(tables, said, kept)
    return {table: list(rows.values()) for table, rows in tables.items() if rows}


def _thing(one: SeenFact) -> tuple[str, str]:
    return ("subscriptions" if one.table == "pauses" else one.table), one.key


def _follow(tables: Tables, said: Iterable[SeenFact], kept: Kept) -> None:
    """Make changes, pauses and cards of what was said, one after the other."""
    for table in ("pauses", "payment_methods"):
        tables.pop(table, None)
    rests = {(one.key, one.seen): one for one in said if one.table == "pauses"}
    for one in said:
        if one.table == "subscriptions":
            _follow_run(tables, one, kept)
            kept.pricings.setdefault(one.key, Pricing()).hear(one.row, one.seen)
            _follow_pause(tables, one, rests.get((one.key, one.seen)), kept)
        elif one.table == "payment_methods":
            _follow_card(tables, one, kept)
    for id_, row in tables.get("subscriptions", {}).items():
        if (run := kept.runs.get(id_)) is not None and run.began:
            row["started_at"] = run.began
        _follow_price(tables, id_, row, kept.pricings[id_])
        for name in NOT_OF_A_ROW:
            row.pop(name, None)


def _follow_run(tables: Tables, one: SeenFact, kept: Kept) -> None:
    """Let what ended and runs again begin anew, and give what it was an id of its own.

    A row of facts begins and ends once. The run of today keeps the provider's id, by which it is
    asked about; `ID#1` is the first one.
    """
    if one.row.get(REVIVED) is None:
        return
    ended, run = one.row.get("ended_at"), kept.runs.setdefault(one.key, Run())
    if ended is not None and datetime.fromisoformat(ended) <= one.seen:
        run.ended = dict(one.row)
        return
    if run.ended is None:
        return
    former, before = f"{one.key}#{run.count + 1}", run.ended
    row = {**before, "subscription_id": former, "started_at": run.began or before["started_at"]}
    tables.setdefault("subscriptions", {})[former] = row
    for key, past in run.pauses.items():
        place = tables.setdefault("pauses", {})
        place[f"{former} {key}"] = {**past, "subscription_id": former}
    # What was changed before it began counts as of its beginning.
    was = kept.pricings[former] = kept.pricings[one.key]
    kept.pricings[one.key] = Pricing(told=list(was.told))
    kept.pauses.pop(one.key, None)
    kept.runs[one.key] = Run(run.count + 1, str(one.row[REVIVED]))


def _follow_price(tables: Tables, id_: str, row: dict[str, Any], pricing: Pricing) -> None:
    """Tell what a subscription cost as it began, and each change of that.

    What was tried out first begins as a trial, and is paid for from the end of that on.
    """
    began, ends, tried = (_instant(row.get(name)) for name in ("started_at", "ended_at", TRIED))
    assert began is not None
    is_trial = bool(row.get("is_trial"))
    paid_at = None if is_trial or tried is None or tried <= began else tried
    row.update(pricing.first(began))
    row["is_trial"] = is_trial or paid_at is not None
    changes = pricing.changes(began, ends, is_trial=is_trial, paid_at=paid_at)
    for at, price in changes:
        change = {"subscription_id": id_, "changed_at": at, **price}
        tables.setdefault(CHANGES, {})[f"{id_} {at}"] = change


def _follow_pause(tables: Tables, one: SeenFact, rest: SeenFact | None, kept: Kept) -> None:
    """Date a pause, where the provider does not, by the statement that saw it first.

    One that is there no more has ended.
    """
    running = kept.pauses.get(one.key)
    if running is not None and _is_over(running, one.seen):
        running = None
    if rest is None and running is None:
        return
    if rest is None:
        assert running is not None
        row = {**running, "resumed_at": one.seen.isoformat()}
    else:
        told = rest.row.get("paused_at") or one.seen.isoformat()
        since = running["paused_at"] if running else told
        row = {**rest.row, "paused_at": since}
    kept.pauses[one.key] = row
    key = f"{one.key} {row['paused_at']}"
    tables.setdefault("pauses", {})[key] = row
    if (run := kept.runs.get(one.key)) is not None:
        run.pauses[key] = row


def _follow_card(tables: Tables, one: SeenFact, kept: Kept) -> None:
    """Keep a card since it was there, and one that the bank renewed since that was seen."""
    now = [one.row.get(name) for name in CARD]
    since, *before = kept.cards.get(one.key) or [one.row["since"], *now]
    if now != before:
        since = one.seen.isoformat()
    kept.cards[one.key] = [since, *now]
    row = {**one.row, "since": since}
    tables.setdefault("payment_methods", {})[f"{one.key} {since}"] = row


def _instant(given: str | None) -> datetime | None:
    return None if given is None else datetime.fromisoformat(given)


def _is_over(pause: Mapping[str, Any], at: datetime) -> bool:
    until = pause.get("resumed_at")
    return until is not None and datetime.fromisoformat(until) <= at


def _plain(value: Any) -> Any:
    if isinstance(value, BilledDiscount):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
