"""What was kept for who left, and what those found who came back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from rekindle.insights import TextTable
from rekindle.ledger import BelongingsEntry, BelongingsRegister
from rekindle.runtime import Workspace
from rekindle.subscriptions import OURS, build_stays
from rekindle.wording import counted, percent

SCHEMA_VERSION = 1
SHOWN = 20
NOTHING_KEPT = "Nothing is said to be kept: `what` in [subscriptions.kept] says it."
UNKNOWN = "unknown"
STATES: Mapping[str, str] = {
    "kept": "kept",
    "over": "over; your system did not say what became of it",
    "deleted": "deleted, as your system said",
    "returned": "they came back",
    "corrected": "taken back: they had not left",
}
"""How a row of the register stands, in words; `corrected` is in no report."""
FOUND: Mapping[str, str] = {
    "in_place": "found everything in place",
    "perhaps": "came after its last day; your system did not say what became of it",
    "gone": "came after it was deleted",
    UNKNOWN: "came back, and no register was kept of them",
}
"""What who came back found, in words."""
_SCHEMA = pa.schema(
    [
        ("customer_id", pa.string()),
        ("number", pa.int64()),
        ("what", pa.string()),
        ("ended_on", pa.date32()),
        ("kept_until", pa.date32()),
        ("state", pa.string()),
        ("found", pa.string()),
        ("closed_on", pa.date32()),
    ]
)


@dataclass(frozen=True, slots=True)
class KeptReport:
    """How the register stands on a day of the business, and what those found who came back.

    ``rows`` are those that were not corrected away. ``returns`` counts every return that the facts
    know of. ``waiting`` were told to the business's own system in vain, ``why`` is one reason.
    ``is_on`` says whether anything is said to be kept.
    """

    as_of: datetime
    today: date
    zone: ZoneInfo
    rows: tuple[BelongingsEntry, ...]
    returns: Mapping[str, int]
    waiting: int
    why: str
    is_on: bool

    @property
    def standing(self) -> Mapping[str, int]:
        """Return how many rows of those who are gone stand how."""
        found = Counter(one.state(self.today) for one in self.rows)
        return {name: found[name] for name in STATES if name not in ("returned", "corrected")}

    @property
    def ending(self) -> list[BelongingsEntry]:
        """Return what is kept still, that which ends first in front."""
        kept = [one for one in self.rows if one.state(self.today) == "kept"]
        return sorted(kept, key=lambda one: (one.kept_until, one.person))

    @property
    def has_news(self) -> bool:
        """Return whether there is a register to tell of."""
        return self.is_on or bool(self.rows)

    @property
    def lead(self) -> str:
        """Return what there is to know first."""
        if not self.has_news:
            return NOTHING_KEPT
        known = sum(count for name, count in self.returns.items() if name != UNKNOWN)
        kept = f"Something is kept for {counted(len(self.ending), 'person')} who left."
        if not known:
            return f"{kept} Nobody of whom a register was kept has come back yet."
        found = self.returns["in_place"]
        return (
            f"{kept} Of {counted(known, 'return')} of which a register was kept, {found:,} "
            f"({percent(found / known)}) found everything in place."
        )

    @property
    def figures(self) -> tuple[tuple[str, str, str], ...]:
        """Return the headline figures: what each is, how many, and how to take it."""
        soon = next(iter(self.ending), None)
        until = "–" if soon is None else soon.kept_until.isoformat()
        over = self.standing["over"]
        return (
            ("Kept", f"{len(self.ending):,}", "people who left"),
            ("The next last day", until, "everything is still there on that day"),
            ("Over", f"{over:,}", "and your system did not say what became of it"),
            ("Found in place", f"{self.returns['in_place']:,}", "returns"),
        )

    @property
    def tables(self) -> tuple[TextTable, ...]:
        """Return how the rows stand, what ends first, and what those found who came back."""
        vain: tuple[str, ...] = ()
        if self.waiting:
            vain = (f"Your system did not take {self.waiting:,} of what it was asked: {self.why}",)
        left_out = len(self.ending) - SHOWN
        return (
            TextTable(
                "Kept for who left",
                ("what became of it", "people"),
                tuple((STATES[name], f"{count:,}") for name, count in self.standing.items()),
                vain,
            ),
            TextTable(
                "What ends first",
                ("customer", "what is kept", "since", "last day", "how it stands"),
                tuple(_tell(one, self.today, self.zone) for one in self.ending[:SHOWN]),
                (f"{left_out:,} more are in the file of --csv.",) if left_out > 0 else (),
                text_columns=5,
            ),
            TextTable(
                "What those found who came back",
                ("what they found", "returns"),
                tuple((FOUND[name], f"{count:,}") for name, count in self.returns.items()),
            ),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the report as documented JSON."""
        return {
            "version": SCHEMA_VERSION,
            "as_of": self.as_of.isoformat(),
            "standing": dict(self.standing),
            "returns": dict(self.returns),
            "ending": [
                {
                    "customer": one.person,
                    "what": list(one.what),
                    "ended_on": one.ended_on.isoformat(),
                    "kept_until": one.kept_until.isoformat(),
                    "answer": one.answer,
                }
                for one in self.ending
            ],
            "not_told": {"count": self.waiting, "reason": self.why or None},
        }

    def to_rows(self) -> pa.Table:
        """Return every row of the register, closed ones too."""
        return pa.Table.from_pylist(
            [
                {
                    "customer_id": one.person,
                    "number": one.number,
                    "what": "; ".join(one.what),
                    "ended_on": one.ended_on,
                    "kept_until": one.kept_until,
                    "state": one.state(self.today),
                    "found": one.found(self.zone),
                    "closed_on": one.closed_on,
                }
                for one in self.rows
            ],
            schema=_SCHEMA,
        )


def report_kept(workspace: Workspace) -> KeptReport:
    """Return what the register says, beside every return that the facts know of."""
    at = workspace.clock.now()
    zone = workspace.zone
    today = at.astimezone(zone).date()
    register = BelongingsRegister(workspace.ledger)
    rows = tuple(one for one in register.all() if one.closed != "corrected")
    found = {(one.person, one.number): what for one in rows if (what := one.found(zone))}
    returns = Counter(found.values())
    returns[UNKNOWN] = len(_returns(workspace, at) - found.keys())
    waiting, _, why = register.waiting()
    return KeptReport(
        as_of=at,
        today=today,
        zone=zone,
        rows=rows,
        returns={name: returns[name] for name in FOUND},
        waiting=waiting,
        why=why,
        is_on=bool(workspace.config.subscriptions.kept.what),
    )


def find_kept_tables(workspace: Workspace) -> tuple[TextTable, ...]:
    """Return the register as tables, none where there is no register to tell of."""
    if not workspace.has_ledger:
        return ()
    found = report_kept(workspace)
    return found.tables if found.has_news else ()


def say_belongings(one: BelongingsEntry, today: date, zone: ZoneInfo) -> str:
    """Return what became of a row of the register, in words; days are those of ``zone``."""
    if (found := one.found(zone)) and one.closed_on is not None:
        return f"{FOUND[found]} on {one.closed_on.isoformat()}"
    state = one.state(today)
    if state == "kept" and one.answer == "kept":
        return "kept longer, as your system said"
    return STATES[state]


def _tell(one: BelongingsEntry, today: date, zone: ZoneInfo) -> tuple[str, ...]:
    ends = (one.ended_on.isoformat(), one.kept_until.isoformat())
    return (one.person, ", ".join(one.what), *ends, say_belongings(one, today, zone))


def _returns(workspace: Workspace, at: datetime) -> set[tuple[str, int]]:
    """Return whose return it was and from which departure, of all returns in the facts."""
    if not workspace.has_facts:
        return set()
    engine, facts = workspace.reading
    if not facts.has_subscriptions:
        return set()
    stays = build_stays(facts, at, OURS)
    again = stays.filter(stays["time"] > 1).select("customer_id", "time")
    rows = engine.run(again).to_pylist()
    return {(row["customer_id"], row["time"] - 1) for row in rows}
