"""Who is one person: handles, the rules that join them, and what undoes a join."""

from rekindle.identity.minting import apply_change, decide_change
from rekindle.identity.model import (
    Handle,
    HandleKind,
    IdentityChange,
    Join,
    JoinReason,
    Link,
    Name,
    SharedHandle,
)
from rekindle.identity.modelling import suggest_by_model
from rekindle.identity.nobody import BLANK_NAMES, NO_IDS, WORDS, is_nobody
from rekindle.identity.normalising import former_spellings, is_plain_address, normalise_address
from rekindle.identity.phones import (
    dialled_from_abroad,
    international,
    is_dialable,
    normalise_phone,
)
from rekindle.identity.rules import MOST_PEOPLE, Evidence, Groups, find_groups, initial_of
from rekindle.identity.rules import VERSION as RULES_VERSION
from rekindle.identity.suggesting import Acquaintance, Suggestion, suggest_joins

__all__ = [
    "BLANK_NAMES",
    "MOST_PEOPLE",
    "NO_IDS",
    "RULES_VERSION",
    "WORDS",
    "Acquaintance",
    "Evidence",
    "Groups",
    "Handle",
    "HandleKind",
    "IdentityChange",
    "Join",
    "JoinReason",
    "Link",
    "Name",
    "SharedHandle",
    "Suggestion",
    "apply_change",
    "decide_change",
    "dialled_from_abroad",
    "find_groups",
    "former_spellings",
    "initial_of",
    "international",
    "is_dialable",
    "is_nobody",
    "is_plain_address",
    "normalise_address",
    "normalise_phone",
    "suggest_by_model",
    "suggest_joins",
]
