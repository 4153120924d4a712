"""What happened in the business: contracts, sources, checks, the lake, the engines."""

from rekindle.facts.casting import ids_prefix
from rekindle.facts.contracts import (
    BASKETS,
    CONTRACTS,
    EMPTY_BASKET,
    INSTANT,
    MONEY,
    SOURCE,
    Column,
    Contract,
    describe_contracts,
)
from rekindle.facts.engines import (
    Engine,
    EngineCapabilities,
    EngineEntry,
    FactsPlace,
    Pairs,
    Reading,
    Readings,
    Together,
    Trial,
    TrialQuestion,
    TrialReader,
    TrialSums,
    find_present,
    list_quarantine,
    name_query,
    open_engine,
    open_lake,
    open_rows,
    open_trial,
    open_warehouse,
)
from rekindle.facts.engines import discover as discover_engines
from rekindle.facts.evidence import Testimony, load_other_ids, load_testimony, tell_shared
from rekindle.facts.facts import Facts
from rekindle.facts.holding import OWN_SCORES, forget_reported, held_cards, held_orders
from rekindle.facts.importing import FileImport, Progress, import_sources
from rekindle.facts.lake import Lake
from rekindle.facts.numbering import OF_STAYS
from rekindle.facts.proposing import Answers, Proposal, propose_source
from rekindle.facts.purchases import PURCHASE, REFUND, UNDONE, is_bought
from rekindle.facts.sources import LINE, Format, SourcePreset, described, discover_presets
from rekindle.facts.sources.listing import ListedRow, Listing, read_listing
from rekindle.facts.upserting import write_rows

__all__ = [
    "BASKETS",
    "CONTRACTS",
    "EMPTY_BASKET",
    "INSTANT",
    "LINE",
    "MONEY",
    "OF_STAYS",
    "OWN_SCORES",
    "PURCHASE",
    "REFUND",
    "SOURCE",
    "UNDONE",
    "Answers",
    "Column",
    "Contract",
    "Engine",
    "EngineCapabilities",
    "EngineEntry",
    "Facts",
    "FactsPlace",
    "FileImport",
    "Format",
    "Lake",
    "ListedRow",
    "Listing",
    "Pairs",
    "Progress",
    "Proposal",
    "Reading",
    "Readings",
    "SourcePreset",
    "Testimony",
    "Together",
    "Trial",
    "TrialQuestion",
    "TrialReader",
    "TrialSums",
    "describe_contracts",
    "described",
    "discover_engines",
    "discover_presets",
    "find_present",
    "forget_reported",
    "held_cards",
    "held_orders",
    "ids_prefix",
    "import_sources",
    "is_bought",
    "list_quarantine",
    "load_other_ids",
    "load_testimony",
    "name_query",
    "open_engine",
    "open_lake",
    "open_rows",
    "open_trial",
    "open_warehouse",
    "propose_source",
    "read_listing",
    "tell_shared",
    "write_rows",
]
