"""Who each customer is on a given day."""

from rekindle.profiles.describing import describe_families
from rekindle.profiles.discovery import FAMILIES, Families
from rekindle.profiles.families.lifecycle import describe_presets
from rekindle.profiles.model import (
    CardTally,
    Derivation,
    Family,
    Layer,
    OrderTally,
    ProfileColumn,
    RowTally,
    Spells,
)
from rekindle.profiles.presence import build_presence
from rekindle.profiles.profile import build_profiles, build_profiles_from
from rekindle.profiles.purchasing import (
    LAST_PURCHASE,
    last_purchase_of,
    list_last_purchases,
    newest_purchase,
)
from rekindle.profiles.saying import say_column
from rekindle.profiles.showing import Block, Sales, build_block, find_blocks
from rekindle.profiles.tallies import (
    build_spells,
    build_tallies,
    build_timeline,
    join_spells,
    local_before,
    local_day,
)

__all__ = [
    "FAMILIES",
    "LAST_PURCHASE",
    "Block",
    "CardTally",
    "Derivation",
    "Families",
    "Family",
    "Layer",
    "OrderTally",
    "ProfileColumn",
    "RowTally",
    "Sales",
    "Spells",
    "build_block",
    "build_presence",
    "build_profiles",
    "build_profiles_from",
    "build_spells",
    "build_tallies",
    "build_timeline",
    "describe_families",
    "describe_presets",
    "find_blocks",
    "join_spells",
    "last_purchase_of",
    "list_last_purchases",
    "local_before",
    "local_day",
    "newest_purchase",
    "say_column",
]
