"""The journey file: a team's words in YAML, read into the nouns of a journey.

Everything that is wrong with a file is said here, with its line and what to write
instead, before anyone is written to.
"""

from rekindle.journeys.language.loading import load_journey, load_journeys, parse_journey
from rekindle.journeys.language.schema import journey_schema

__all__ = ["journey_schema", "load_journey", "load_journeys", "parse_journey"]
