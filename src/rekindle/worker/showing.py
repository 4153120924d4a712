"""Finds the products that messages show, for those who are written to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from rekindle.content import show_product
from rekindle.facts import BASKETS, Engine, Facts
from rekindle.ledger import Inbox, waiting_baskets
from rekindle.profiles import build_block, find_blocks
from rekindle.runtime import Workspace

BASKET = "your_basket"
Shown = Mapping[str, Sequence[Mapping[str, Any]]]


def blocks_in(variables: Collection[str]) -> frozenset[str]:
    """Return the blocks among the variables of a template."""
    return frozenset(name for name in find_blocks() if f"blocks.{name}" in variables)


def load_blocks(
    workspace: Workspace, people: Collection[str], blocks: Collection[str], at: datetime
) -> Mapping[str, Shown]:
    """Return, by person, the products of each of ``blocks`` as known before ``at``.

    Everyone is in it, and has every block, be it empty.
    """
    found: dict[str, dict[str, list[Mapping[str, Any]]]] = {
        person: {name: [] for name in blocks} for person in people
    }
    if not found or not blocks or not workspace.has_facts:
        return found
    engine, facts = workspace.reading
    config, lasts = workspace.config, workspace.config.shop.basket_lasts
    # A list in the query would be taken apart name by name.
    asked = engine.bring(
        "shown_to", pa.table({"customer_id": pa.array(sorted(found), pa.string())})
    )
    for name in sorted(blocks):
        block = find_blocks()[name]
        known = _with_waiting(workspace, engine, facts, found) if name == BASKET else facts
        built = build_block(
            block, known, asked, at, never=config.shop.never_shown, basket_lasts=lasts
        )
        for row in engine.run(built).to_pylist():
            product = show_product(_with_day(row, workspace.zone), config.workspace.currency)
            found[row["customer_id"]][name].append(product)
    return found


def _with_day(row: Mapping[str, Any], zone: ZoneInfo) -> Mapping[str, Any]:
    """Return a row of a block whose instant is told by its day in a zone."""
    at: datetime | None = row.get("at")
    return row if at is None else {**row, "on": at.astimezone(zone).date()}


def _with_waiting(
    workspace: Workspace, engine: Engine, facts: Facts, people: Collection[str]
) -> Facts:
    """Return the facts with what was reported of these people's baskets since the last import.

    A message is written minutes after somebody bought: what it says has to know of that.
    """
    if not workspace.has_ledger:
        return facts
    inbox = Inbox(workspace.ledger, workspace.book)
    rows = waiting_baskets(inbox, people, workspace.config.workspace.currency)
    if not rows:
        return facts
    held = facts.more[BASKETS.table]
    schema = BASKETS.schema.to_pyarrow()
    waiting = engine.bring("baskets_waiting", pa.Table.from_pylist(rows, schema=schema))
    both = held.union(waiting.select(*held.columns).cast(held.schema()))
    return replace(facts, more={**facts.more, BASKETS.table: both})
