"""What a purchase is, until when, what was given back by when, and whose word counts."""

from rekindle.facts.purchases.overriding import REPORTED, Overriding, is_reported
from rekindle.facts.purchases.parts import join_given, take_apart
from rekindle.facts.purchases.standing import (
    FAR_OFF,
    LONG_AGO,
    PURCHASE,
    REFUND,
    UNDONE,
    find_undone,
    in_epochs,
    is_bought,
    is_cancelled_late,
    list_bought,
    mark_undone,
)
from rekindle.facts.purchases.telling import write_steps
from rekindle.facts.purchases.told_cards import ToldCards

__all__ = [
    "FAR_OFF",
    "LONG_AGO",
    "PURCHASE",
    "REFUND",
    "REPORTED",
    "UNDONE",
    "Overriding",
    "ToldCards",
    "find_undone",
    "in_epochs",
    "is_bought",
    "is_cancelled_late",
    "is_reported",
    "join_given",
    "list_bought",
    "mark_undone",
    "take_apart",
    "write_steps",
]
