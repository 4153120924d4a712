"""The engines: the only place that runs what is built on the facts."""

from rekindle.facts.engines.discovery import discover, open_engine
from rekindle.facts.engines.duckdb import open_lake, open_rows
from rekindle.facts.engines.engine import Engine
from rekindle.facts.engines.homes import at_home, with_home
from rekindle.facts.engines.model import EngineCapabilities, EngineEntry, FactsPlace
from rekindle.facts.engines.naming import lay_basis, name_query
from rekindle.facts.engines.reading import (
    Reading,
    Readings,
    find_known_until,
    find_present,
    list_quarantine,
    read_at,
)
from rekindle.facts.engines.trial import (
    Pairs,
    Together,
    Trial,
    TrialQuestion,
    TrialReader,
    TrialSums,
    open_trial,
)
from rekindle.facts.engines.warehouse import open_warehouse

__all__ = [
    "Engine",
    "EngineCapabilities",
    "EngineEntry",
    "FactsPlace",
    "Pairs",
    "Reading",
    "Readings",
    "Together",
    "Trial",
    "TrialQuestion",
    "TrialReader",
    "TrialSums",
    "at_home",
    "discover",
    "find_known_until",
    "find_present",
    "lay_basis",
    "list_quarantine",
    "name_query",
    "open_engine",
    "open_lake",
    "open_rows",
    "open_trial",
    "open_warehouse",
    "read_at",
    "with_home",
]
