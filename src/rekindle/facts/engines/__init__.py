"""The engines: the only place that runs what is built on the facts."""

from rekindle.facts.engines.engine import Engine

__all__ = ["Engine"]
