"""What was kept for who left, and what those found who came back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from rekindle.ledger import BelongingsEntry, BelongingsRegister
from rekindle.runtime import Workspace
from rekindle.subscriptions import OURS, build_stays

SCHEMA_VERSION = 1
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


@dataclass(frozen=True, slots=True)
class KeptReport:
    """How many rows stand how, and how many of all returns found what.

    ``waiting`` were told to the business's own system in vain, ``why`` is one reason.
    """

    as_of: datetime
    standing: Mapping[str, int]
    returns: Mapping[str, int]
    waiting: int
    why: str

    @property
    def lines(self) -> tuple[list[list[str]], list[list[str]]]:
        """Return how the rows stand, and what those found who came back, in words and counts."""
        standing = [[STATES[name], str(count)] for name, count in self.standing.items()]
        return standing, [[FOUND[name], str(count)] for name, count in self.returns.items()]

    def to_json(self) -> dict[str, Any]:
        """Return the report as documented JSON."""
        return {
            "version": SCHEMA_VERSION,
            "as_of": self.as_of.isoformat(),
            "standing": dict(self.standing),
            "returns": dict(self.returns),
            "not_told": {"count": self.waiting, "reason": self.why or None},
        }


def report_kept(workspace: Workspace) -> KeptReport:
    """Return what the register says, beside every return that the facts know of."""
    at = workspace.clock.now()
    today = at.astimezone(workspace.zone).date()
    register = BelongingsRegister(workspace.ledger)
    rows = register.all()
    standing = Counter(one.state(today) for one in rows)
    found = {(one.person, one.number): one.found for one in rows if one.found}
    returns = Counter(found.values())
    returns[UNKNOWN] = len(_returns(workspace, at) - found.keys())
    waiting, _, why = register.waiting()
    return KeptReport(
        at,
        {name: standing[name] for name in STATES if name not in ("returned", "corrected")},
        {name: returns[name] for name in FOUND},
        waiting,
        why,
    )


def say_belongings(one: BelongingsEntry, today: date) -> str:
    """Return what became of a row of the register, in words."""
    if one.found and one.closed_on is not None:
        return f"{FOUND[one.found]} on {one.closed_on.isoformat()}"
    state = one.state(today)
    if state == "kept" and one.answer == "kept":
        return "kept longer, as your system said"
    return STATES[state]


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
