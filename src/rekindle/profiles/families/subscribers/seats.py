"""Seats: how many of the person's team work with what is paid for."""

from __future__ import annotations

from rekindle.profiles.model import Family, ProfileColumn, RowTally
from rekindle.subscriptions import build_seats

FAMILY = Family(
    name="seats",
    meaning="How many members of the person's team have a seat, and for how many is paid.",
    columns=(
        ProfileColumn(
            "seats_used",
            "count",
            "seats",
            "How many members of their team have a seat; of who left, who waits for them. Empty "
            "where no `seats` were ever on record.",
            place=425,
        ),
        ProfileColumn(
            "seats_paid",
            "count",
            "seats",
            "For how many units their subscriptions pay; empty where nothing says, or no `seats` "
            "were ever on record.",
            place=426,
        ),
    ),
    how=RowTally(
        build_seats,
        {"seats_used": lambda rows: rows.used.sum(), "seats_paid": lambda rows: rows.paid.sum()},
    ),
    tables=("seats", "subscriptions", "subscription_changes"),
    is_known=lambda facts: facts.has_subscriptions,
)
