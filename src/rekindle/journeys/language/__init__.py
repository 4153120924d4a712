"""The journey file: a team's words in YAML, read into the nouns of a journey.

Everything that is wrong with a file is said here, with its line and what to write
instead, before anyone is written to.
"""

from rekindle.journeys.language.loading import (
    find_journey,
    load_journey,
    load_journeys,
    parse_journey,
)
from rekindle.journeys.language.schema import journey_schema

__all__ = ["find_journey", "journey_schema", "load_journey", "load_journeys", "parse_journey"]
