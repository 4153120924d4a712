"""Folds what a biller said, in a listing or by notices, into the rows of the facts' tables.

One way for both: a statement counts from when it was seen, the newest of each thing stands, and
what a biller does not tell as history (a price that changed, a pause that ended, a card that the
bank renewed) is the difference between two statements about one thing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

from rekindle.billing.model import BilledFact, Row

# Of what may have ended and runs again; it goes no further than here.
REVIVED = "revived_at"
# Of what was tried out first; it becomes a change, from which on it is paid for.
TRIED = "trial_ends_at"
CHANGES = "subscription_changes"
PRICE = ("plan", "amount", "quantity", "interval", "interval_count", "currency")
CARD = ("last_four", "expiry_month", "expiry_year")
Tables = dict[str, dict[str, dict[str, Any]]]
Price = list[Any]


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
    """How often a subscription that can be revived was, since when it runs, and its history.

    ``ended`` is its row as it ended, while it has. ``trail`` are the changes and pauses of the
    run, by table and key.
    """

    count: int = 0
    began: str = ""
    ended: dict[str, Any] | None = None
    trail: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)


@dataclass(slots=True)
class Kept:
    """What is remembered of subscriptions: their first and newest prices, and their last pause.

    Of each card, what it was and since when. ``listed_at`` is when the last whole listing began:
    what was seen before it, it knew better.
    """

    first: dict[str, Price] = field(default_factory=dict)
    newest: dict[str, Price] = field(default_factory=dict)
    pauses: dict[str, dict[str, Any]] = field(default_factory=dict)
    listed_at: datetime | None = None
    cards: dict[str, list[Any]] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """Return what ``written`` returned."""
        at = given["listed_at"]
        listed_at = datetime.fromisoformat(at) if at else None
        first, newest, pauses = given["first"], given["newest"], given["pauses"]
        runs = {id_: Run(**one) for id_, one in given.get("runs", {}).items()}
        return cls(first, newest, pauses, listed_at, given.get("cards", {}), runs)

    def written(self) -> Mapping[str, Any]:
        """Return it as JSON holds it."""
        at = self.listed_at.isoformat() if self.listed_at else ""
        changed = {id_: one for id_, one in self.newest.items() if one != self.first.get(id_)}
        return {
            "first": self.first,
            "newest": changed,
            "pauses": self.pauses,
            "listed_at": at,
            "cards": self.cards,
            "runs": {id_: asdict(one) for id_, one in self.runs.items() if one != Run()},
        }


def write_fact(one: BilledFact, seen: datetime) -> str:
    """Return a statement as a line of JSON."""
    row = {name: _plain(value) for name, value in one.row.items()}
    line = {"table": one.table, "key": one.key, "seen": seen.isoformat(), "row": row}
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
            _follow_price(tables, one, kept)
            _follow_pause(tables, one, rests.get((one.key, one.seen)), kept)
        elif one.table == "payment_methods":
            _follow_card(tables, one, kept)
    for id_, row in tables.get("subscriptions", {}).items():
        row.update(zip(PRICE, kept.first[id_], strict=True))
        row.pop(REVIVED, None)
        if (run := kept.runs.get(id_)) is not None and run.began:
            row["started_at"] = run.began
        _follow_trial(tables, id_, row, kept)


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
    kept.first[former] = kept.first[one.key]
    row = {**before, "subscription_id": former, "started_at": run.began or before["started_at"]}
    tables.setdefault("subscriptions", {})[former] = row
    price = [one.row.get(name) for name in PRICE]
    for table, rows in run.trail.items():
        for key, past in rows.items():
            place = tables.setdefault(table, {})
            place[f"{former} {key}"] = {**past, "subscription_id": former}
            if table == CHANGES:
                # What was changed before it began counts as of its beginning.
                place[key] = {**past, **dict(zip(PRICE, price, strict=True))}
    kept.first[one.key] = kept.newest[one.key] = price
    kept.pauses.pop(one.key, None)
    kept.runs[one.key] = Run(run.count + 1, str(one.row[REVIVED]))


def _follow_trial(tables: Tables, id_: str, row: dict[str, Any], kept: Kept) -> None:
    """Let what was tried out first begin as a trial, and be paid for from the end of that on."""
    ends = row.pop(TRIED, None)
    if ends is None or row.get("is_trial") or not _is_after(ends, row["started_at"]):
        return
    row["is_trial"] = True
    change = {"subscription_id": id_, "changed_at": ends}
    _note(tables, kept, CHANGES, f"{id_} {ends}", change | {name: row[name] for name in PRICE})


def _note(tables: Tables, kept: Kept, table: str, key: str, row: dict[str, Any]) -> None:
    """Put a change or a pause into its table, and keep it with the run it is of."""
    tables.setdefault(table, {})[key] = row
    if (run := kept.runs.get(row["subscription_id"])) is not None:
        run.trail.setdefault(table, {})[key] = row


def _follow_price(tables: Tables, one: SeenFact, kept: Kept) -> None:
    """Keep a price as that of the beginning, or as a change since it was seen."""
    price = [one.row.get(name) for name in PRICE]
    if one.row.get("is_trial"):
        # Nothing is paid yet: it begins with what it will cost then.
        kept.first[one.key] = kept.newest[one.key] = price
        return
    before = kept.newest.get(one.key) or kept.first.setdefault(one.key, price)
    kept.newest[one.key] = price
    if price != before:
        at = one.seen.isoformat()
        change = {"subscription_id": one.key, "changed_at": at}
        row = {**change, **dict(zip(PRICE, price, strict=True))}
        _note(tables, kept, CHANGES, f"{one.key} {at}", row)


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
    _note(tables, kept, "pauses", f"{one.key} {row['paused_at']}", row)


def _follow_card(tables: Tables, one: SeenFact, kept: Kept) -> None:
    """Keep a card since it was there, and one that the bank renewed since that was seen."""
    now = [one.row.get(name) for name in CARD]
    since, *before = kept.cards.get(one.key) or [one.row["since"], *now]
    if now != before:
        since = one.seen.isoformat()
    kept.cards[one.key] = [since, *now]
    row = {**one.row, "since": since}
    tables.setdefault("payment_methods", {})[f"{one.key} {since}"] = row


def _is_after(one: str, other: str) -> bool:
    return datetime.fromisoformat(one) > datetime.fromisoformat(other)


def _is_over(pause: Mapping[str, Any], at: datetime) -> bool:
    until = pause.get("resumed_at")
    return until is not None and datetime.fromisoformat(until) <= at


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
