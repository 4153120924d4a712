"""The profile as it is built, without a name."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import ibis.expr.types as ir

from rekindle.config import LifecycleSettings
from rekindle.facts import Facts
from rekindle.profiles import FAMILIES, build_profiles_from, build_tallies


def by_hand(
    facts: Facts, at: datetime, how: LifecycleSettings, columns: Collection[str] | None = None
) -> ir.Table:
    wanted = tuple(columns or FAMILIES.names)
    tallies = build_tallies(facts, at, columns=FAMILIES.behind(wanted))
    return build_profiles_from(tallies, how, columns=wanted).select(*wanted)
