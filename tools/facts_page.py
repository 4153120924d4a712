"""The page of every table of facts: what it holds, and under which headers it is found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rekindle.facts import (
    Column,
    Contract,
    SourcePreset,
    describe_contracts,
    discover_presets,
)
from rekindle.subscriptions import describe_declines
from tools.markdown import note, table

LEAD = """\
What each table holds, in the lake and in a warehouse that is read in its place.

- A row is known by its key. A row imported again corrects the one with its key, or changes nothing.
- `decimal(18, 4)` is an exact amount, in the `currency` of its row; lines and steps of refunds \
are in that of their order, and what names none is in the workspace's. Whatever is asked of the \
facts sees amounts in the workspace's currency, at the rates of `[facts.rates]`.
- `timestamp('UTC', 6)` is an instant; a source that names no zone is read in `sources.timezone`, \
else in the workspace's.
- Discounts and refunds are positive amounts. Net revenue is gross − discount − refund.
- Rows of an import that break a contract go to quarantine with their reason and line.
"""
INPUTS = """\
## What a source may give

The left side of `[sources.columns]`. `rekindle init` looks for the headers on the right, whatever \
their case, spaces and underscores; every other header is named by hand. The last columns of \
`orders` and `order_lines` are not kept there: a state decides what kind of order it is, and \
contact details become cards of `customers`.
"""

PRESETS = """\
## Exports that are recognised

`rekindle init` knows these by their header and takes their columns for what they are.
Each has a file of its header, with the figures it comes to, in `tests/facts/test_presets.py`. \
Amounts are those of the goods where an export has them, else what was charged. \
[Another one](../how-to/add/source-preset.md) is a small file.
"""

DECLINES = """\
## Declines

What the words of `payments` are taken for. They are compared in small letters, with blanks and
hyphens as underscores. A hard decline is never asked again with the same card, only asked about; a
soft one may go through later; for authentication its owner has to be there. The provider's advice
outranks the network's, and both the code; whoever of the two advises never is right. The lists are
ours; compare them with [Stripe](https://docs.stripe.com/declines/codes) and
[Mastercard's merchant advice codes][mac]. Sources disagree about `do_not_honor` and
`generic_decline`: here they are soft.

[mac]: https://developer.paypal.com/braintree/docs/reference/general/merchant-responses/merchant-advice-codes
"""


def facts_page(contracts: Mapping[str, Contract]) -> str:
    """Return the contracts, then what a source may give of each."""
    inputs = "\n".join(_inputs(contracts))
    return (
        f"{note('Facts', LEAD.strip())}{describe_contracts(contracts)}\n{INPUTS}\n{inputs}"
        f"\n{PRESETS}\n{table([_preset_row(preset) for preset in discover_presets()])}"
        f"\n{DECLINES}\n{describe_declines()}"
    )


def _preset_row(preset: SourcePreset) -> dict[str, object]:
    return {
        "export": preset.name,
        "table": f"`{preset.table}`",
        "told_by": ", ".join(f"`{word}`" for word in preset.header),
        "gives": ", ".join(f"`{name}`" for name in preset.columns),
    }


def _inputs(contracts: Mapping[str, Contract]) -> Iterator[str]:
    for contract in contracts.values():
        if any(column.words for column in contract.inputs):
            rows = [_row(column) for column in contract.inputs]
            yield f"### From a source of `{contract.table}`\n\n{table(rows)}"


def _row(column: Column) -> dict[str, object]:
    words = [word for word in column.words if word != column.name]
    return {
        "column": column.name,
        "required": column.required,
        "found_under": ", ".join(f"`{word}`" for word in (column.name, *words)),
        "meaning": column.meaning,
    }
