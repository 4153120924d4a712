"""Prints the contracts for the reference page."""

from __future__ import annotations

from collections.abc import Mapping

from rekindle.facts.contracts.model import Contract


def describe_contracts(contracts: Mapping[str, Contract]) -> str:
    """Return the contracts of the facts as Markdown tables."""
    parts = []
    for contract in contracts.values():
        if contract.is_bookkeeping:
            continue
        parts.append(f"## {contract.table}\n\n{contract.meaning}\n")
        parts.append(f"Key: {', '.join(f'`{k}`' for k in contract.key)}.\n")
        parts.append("| column | type | required | meaning |\n|---|---|---|---|")
        rows = [
            f"| `{c.name}` | {c.type.replace('|', '/')} | {'yes' if c.required else ''} "
            f"| {c.meaning} |"
            for c in contract.columns
        ]
        parts.append("\n".join(rows) + "\n")
    return "\n".join(parts)
