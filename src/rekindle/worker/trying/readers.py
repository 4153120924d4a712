"""For whom a journey's messages are tried: people it would reach, and those who are different.

Most messages look right for the person one has in mind. Those who have no name, one
written from right to left, one without end, or no history are where they break.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from rekindle.errors import UsageError
from rekindle.journeys import Journey
from rekindle.journeys.population import LiveAudience
from rekindle.runtime import Workspace

FEW = 2
LONG_NAME = "Wolfeschlegelsteinhausen " * 400
ARABIC = {"first_name": "مريم", "last_name": "الزهراء"}
CARD = ("first_name", "last_name", "email")


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who reads a message. ``person`` is empty where nobody real does."""

    label: str
    person: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)
    address: str = ""
    profile: Mapping[str, Any] = field(default_factory=dict)


def find_readers(
    workspace: Workspace,
    journey: Journey,
    at: datetime,
    *,
    columns: Collection[str],
    customer: str = "",
) -> Sequence[Reader]:
    """Return ``customer``, or else a few who match the journey's audience, and the edge cases.

    Raises:
        UsageError: nobody is known by that name.
    """
    audience = LiveAudience(workspace)
    people = [customer] if customer else _matching(workspace, audience, journey, at)
    profiles = audience.describe(set(people), at, {*columns, "customer_id"})
    if customer and customer not in profiles:
        raise UsageError(f"nobody is known as {customer!r}; `rekindle audience true` lists people")
    cards = _cards(workspace, people)
    real = [
        Reader(one, one, cards.get(one, {}), cards.get(one, {}).get("email", ""), profiles[one])
        for one in people
        if one in profiles
    ]
    # Where nobody matches today, they have no history either.
    nobody = Reader("nobody", profile=dict.fromkeys(columns))
    return [*real, *_different(real[0] if real else nobody, columns)]


def _different(base: Reader, columns: Collection[str]) -> Iterator[Reader]:
    """Yield the same reader in all the ways that people differ from what one expects."""
    address = "reader@shop.example"
    unreal = replace(base, person="", address=address)
    yield replace(unreal, label="no name", properties={})
    yield replace(unreal, label="written from right to left", properties=ARABIC)
    endless = {"first_name": LONG_NAME[:10_000], "last_name": "Smith"}
    yield replace(unreal, label="a name of 10,000 letters", properties=endless)
    nothing = dict.fromkeys(columns)
    yield replace(unreal, label="no history", properties={"first_name": "Sam"}, profile=nothing)


def _matching(
    workspace: Workspace, audience: LiveAudience, journey: Journey, at: datetime
) -> list[str]:
    chosen = audience.choose(journey.audience, at)
    rows = workspace.engine.run(chosen.select("customer_id").order_by("customer_id").limit(FEW))
    return [str(one) for one in rows.column(0).to_pylist()]


def _cards(workspace: Workspace, people: Collection[str]) -> Mapping[str, Mapping[str, str]]:
    """Return the names and addresses of people, from the facts: there may be no ledger yet."""
    cards = workspace.facts.customers
    wanted = cards.filter(cards.customer_id.isin(list(people)))
    known = {name: wanted[name].max() for name in CARD}
    rows = workspace.engine.run(wanted.group_by("customer_id").agg(**known)).to_pylist()
    return {row["customer_id"]: {key: row[key] or "" for key in CARD} for row in rows}
