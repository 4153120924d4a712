"""Finds the products that messages show, for those who are written to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from rekindle.content import show_product
from rekindle.profiles import build_block, find_blocks
from rekindle.runtime import Workspace

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
    config = workspace.config
    # A list in the query would be taken apart name by name.
    asked = engine.bring(
        "shown_to", pa.table({"customer_id": pa.array(sorted(found), pa.string())})
    )
    for name in sorted(blocks):
        block = find_blocks()[name]
        rows = engine.run(build_block(block, facts, asked, at, never=config.shop.never_shown))
        for row in rows.to_pylist():
            product = show_product(row, config.workspace.currency)
            found[row["customer_id"]][name].append(product)
    return found
