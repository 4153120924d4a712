"""Starting: when the person came to be subscribed last, which is a purchase like any."""

from __future__ import annotations

from rekindle.profiles.model import Family, ProfileColumn, RowTally
from rekindle.subscriptions import build_starts

FAMILY = Family(
    name="starting",
    meaning="When the person came to be subscribed last.",
    columns=(
        ProfileColumn(
            "last_start_at",
            "instant",
            "UTC",
            "When the stay began that runs or that ended last. It is a purchase: a newer one ends "
            "journeys.",
            place=424,
        ),
    ),
    how=RowTally(build_starts, {"last_start_at": lambda rows: rows["at"].max()}),
    tables=("subscriptions", "subscription_changes", "pauses"),
    is_known=lambda facts: facts.has_subscriptions,
)
