"""Finds required columns by parts of their headers, where no known header is there.

A part of a word is weak evidence: the values have to be what the column holds, and the
person is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rekindle.facts.contracts import MONEY, ORDER_LINES, Contract
from rekindle.facts.proposing.survey import ENOUGH, Survey

# Languages: English, German, French, Spanish, Italian, Dutch, Portuguese, Nordic, Polish.
PARTS = {
    "order_id": r"order|invoice|receipt|transaction|sale|ticket|bestell|rechnung|auftrag|beleg|"
    r"commande|facture|pedido|ordine|encomenda|factuur|ordre|faktura|zam[oó]wien",
    "customer_id": r"customer|client|kunde|buyer|shopper|user|member|guest|household|account|"
    r"cliente|klant|acheteur|klient|asiakas",
    "ordered_at": r"date|datum|fecha|data|dato|zeit|time|created|when|päivä",
    "gross": r"total|gesamt|betrag|amount|montant|importe|importo|bedrag|belopp|beløb|summe|"
    r"revenue|umsatz|sales|valor|kwota|paid|price|preis|prix",
}
NOT_THESE = {
    "ordered_at": r"birth|geburt|updat|modif|ship|deliver|cancel|refund|return|expir|due|end|valid",
    "gross": r"tax|vat|mwst|steuer|(?<![a-z])(?:tva|iva|fee)(?![a-z])|btw|moms|impuesto|"
    r"impost[ao]|podat|gebühr|entgelt|ship|versand|discount|rabatt|refund|return|cost|point|count|qty|unit|"
    r"sub|line|item|date",
    "order_id": r"date|datum|time|total|amount|status|state|type|qty|count|item|line|value|source",
    "customer_id": r"date|type|group|segment|mail|phone|name|country|city|agent",
}


def find_by_parts(
    found: Survey, contract: Contract, chosen: dict[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield required columns that are missing, with a column of the file that may be each."""
    wanted = ["order_id", "ordered_at", *(["gross"] if contract is not ORDER_LINES else [])]
    if "email" not in chosen:
        wanted.append("customer_id")
    types = {column.name: column.type for column in contract.inputs}
    taken = set(chosen.values())
    for name in wanted:
        if name in chosen or name not in types:
            continue
        for actual in _headers(list(found.values), name):
            if actual not in taken and _holds(found, actual, name, types[name]):
                taken.add(actual)
                yield name, actual
                break


def _headers(names: Sequence[str], name: str) -> list[str]:
    part, other = (re.compile(one[name], re.IGNORECASE) for one in (PARTS, NOT_THESE))
    return [one for one in names if part.search(one) and not other.search(one)]


def _holds(found: Survey, actual: str, name: str, kind: str) -> bool:
    values = found.values[actual]
    if not values:
        return False
    dates = found.dates(actual)
    if name == "ordered_at":
        return dates is not None and dates.share >= ENOUGH
    if kind == MONEY:
        amounts = found.amounts(actual)
        return amounts is not None and amounts.share >= ENOUGH
    digits = sum(1 for value in values if any(map(str.isdigit, value)))
    return digits >= ENOUGH * len(values)
