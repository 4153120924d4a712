"""The sample shop: a year of real orders that comes along, and contact cards made up for it.

The orders are of people whose addresses nobody knows. Every made-up address ends in
example.com, which is reserved (RFC 2606) and reaches nobody. Nine in ten are said to have
agreed to marketing at their first order, so that the gate has someone to refuse.
"""

from __future__ import annotations

import csv
from importlib.resources import files
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from rekindle.errors import UsageError

FOLDER, FILE = "online_retail", "orders.parquet"


def find_sample() -> Path:
    """Return the file of the sample orders: of the installed package, or of its source tree.

    Raises:
        UsageError: this installation came without them.
    """
    package = Path(str(files("rekindle")))
    places = (package / "examples", package.parents[1] / "examples")
    for place in places:
        if (path := place / FOLDER / FILE).is_file():
            return path
    raise UsageError(
        f"the sample orders are not in this installation ({places[0] / FOLDER / FILE} is "
        "missing); install Rekindle from its wheel, or run this in its source folder"
    )


def write_cards(orders: Path, cards: Path) -> None:
    """Write one made-up card for every customer in ``orders`` to the CSV file ``cards``."""
    table = pq.read_table(orders, columns=["Customer ID", "InvoiceDate", "Country"])
    table = table.filter(pc.is_valid(table["Customer ID"]))
    first = table.group_by("Customer ID").aggregate([("InvoiceDate", "min"), ("Country", "min")])
    cards.parent.mkdir(parents=True, exist_ok=True)
    with cards.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["customer_id", "email", "country", "email_consent", "email_consent_at"])
        for row in first.sort_by("Customer ID").to_pylist():
            number, since = row["Customer ID"], row["InvoiceDate_min"]
            agreed = "no" if number % 10 == 0 else "yes"
            address = f"customer-{number}@example.com"
            writer.writerow([number, address, row["Country_min"], agreed, since.isoformat()])
