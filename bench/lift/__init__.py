"""Intervals held against worlds whose truth is known, and looked at every day."""

from bench.lift.intervals import lift

__all__ = ["lift"]
