"""The lake: Delta tables in a folder, changed together or not at all."""

from rekindle.facts.lake.change import OPERATION, Change
from rekindle.facts.lake.lake import Lake, Snapshot
from rekindle.facts.lake.views import ADVICE, create_view, shaped

__all__ = ["ADVICE", "OPERATION", "Change", "Lake", "Snapshot", "create_view", "shaped"]
