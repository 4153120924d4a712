"""The profile: who each customer is on a given day, as one expression.

``tallies`` hold what accumulated; here everything that depends on the date is added, the
same way for one date or for many, so a replay asks what a live run would have asked.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import ibis.expr.types as ir

from rekindle.config import LifecycleSettings
from rekindle.facts import Facts
from rekindle.profiles.columns import COLUMNS
from rekindle.profiles.cycle import build_cycle
from rekindle.profiles.lifecycle import build_lifecycle
from rekindle.profiles.tallies import build_tallies
from rekindle.profiles.value import build_value, build_value_band

NAMES = tuple(column.name for column in COLUMNS)


def build_profiles(facts: Facts, as_of: datetime, settings: LifecycleSettings) -> ir.Table:
    """Return one row a customer with every column of the catalogue, as of an instant.

    Only facts strictly before ``as_of`` count. Nothing is executed.
    """
    return build_profiles_from(build_tallies(facts, as_of), settings).select(*NAMES)


def build_profiles_from(
    tallies: ir.Table, settings: LifecycleSettings, *, columns: Collection[str] = NAMES
) -> ir.Table:
    """Return tallies (with ``as_of`` and ``as_of_on``) with the profile's columns added.

    ``columns`` says which are needed; costly ones are left out otherwise.
    """
    table = build_value(build_lifecycle(build_cycle(tallies, settings), settings))
    if "value_band" in columns:
        table = build_value_band(table)
    if "silence_ratio" in columns:
        table = table.mutate(silence_ratio=table.silence_days / table.expected_gap_days)
    return table
