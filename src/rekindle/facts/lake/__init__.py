"""The lake: Delta tables in a folder, changed together or not at all."""

from rekindle.facts.lake.change import OPERATION, Change
from rekindle.facts.lake.lake import Lake
from rekindle.facts.lake.views import create_view, shaped

__all__ = ["OPERATION", "Change", "Lake", "create_view", "shaped"]
