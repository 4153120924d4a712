"""A club of three who left in March, as files: what both sides of the seam are asked about."""

from __future__ import annotations

from pathlib import Path

from rekindle.config import SourceSettings
from rekindle.desk import Scaffold, create_workspace
from tests.runtime.shops import Team, set_key

TABLES = {
    "subscriptions": "subscription_id,customer_id,plan,amount,interval,started_at,ended_at",
    "customers": "customer_id,email,country,email_consent,email_consent_at",
    "orders": "order_id,customer_id,ordered_at,gross",
}
PEOPLE = ("ada", "ben", "cleo")
LEFT = "".join(f"s-{who},{who},Gold,10,month,2025-01-01,2026-03-01\n" for who in PEOPLE)
CARDS = "".join(f"{who},{who}@example.com,GB,yes,2025-01-01\n" for who in PEOPLE)
BACK = "t-ada,ada,Gold,12,month,{0},\n"


def write(folder: Path, table: str, rows: str) -> None:
    (folder / f"{table}.csv").write_text(f"{TABLES[table]}\n{rows}")


def bring(club: Team, table: str, rows: str) -> None:
    write(club.folder, table, rows)
    club.workspace.import_facts()


def source_of(table: str) -> SourceSettings:
    columns = {name: name for name in TABLES[table].split(",")}
    return SourceSettings(name=table, table=table, path=f"{table}.csv", columns=columns)


def found_club(folder: Path) -> None:
    """Make the workspace of a club whose three members left, and may be written to."""
    write(folder, "subscriptions", LEFT)
    write(folder, "customers", CARDS)
    sources = tuple(source_of(table) for table in ("subscriptions", "customers"))
    create_workspace(folder, Scaffold("Club", "GBP", "UTC", sources))
    set_key(folder, "postal_address", '"1 Club Lane, Leeds"')
