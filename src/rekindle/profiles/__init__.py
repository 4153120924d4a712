"""Who each customer is on a given day."""

from rekindle.profiles.columns import COLUMNS, Column
from rekindle.profiles.lifecycle import describe_presets
from rekindle.profiles.presence import build_presence
from rekindle.profiles.profile import NAMES, build_profiles, build_profiles_from
from rekindle.profiles.season import build_seasons, join_season
from rekindle.profiles.tallies import build_cards, build_timeline, local_day

__all__ = [
    "COLUMNS",
    "NAMES",
    "Column",
    "build_cards",
    "build_presence",
    "build_profiles",
    "build_profiles_from",
    "build_seasons",
    "build_timeline",
    "describe_presets",
    "join_season",
    "local_day",
]
