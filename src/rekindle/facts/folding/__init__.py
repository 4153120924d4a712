"""Turns checked rows into the lake's rows: orders with their lines, and contact cards."""

from rekindle.facts.folding.bills import BILLED, MinorUnits, complete, find_stays
from rekindle.facts.folding.cards import (
    CARD,
    build_cards,
    build_contacts,
    build_customers,
    build_filled_cards,
    build_opted_out,
    build_parting,
    build_strangers,
    build_surely_left,
    build_two_addresses,
)
from rekindle.facts.folding.lines import (
    AMOUNT,
    IS_BOUGHT,
    TWO_CUSTOMERS,
    build_lines,
    build_orders_from_lines,
    fold_lines,
    note_added_up,
)
from rekindle.facts.folding.orders import (
    build_conflicting_customers,
    build_conflicts,
    build_orders,
    build_two_currencies,
    is_given_back,
)
from rekindle.facts.folding.parts import (
    OF_A_LINE,
    build_filled,
    build_parts_joined,
    build_parts_marked,
    has_parts,
)
from rekindle.facts.folding.states import NO_STATES, States, read_states, sort_states

__all__ = [
    "AMOUNT",
    "BILLED",
    "CARD",
    "IS_BOUGHT",
    "NO_STATES",
    "OF_A_LINE",
    "TWO_CUSTOMERS",
    "MinorUnits",
    "States",
    "build_cards",
    "build_conflicting_customers",
    "build_conflicts",
    "build_contacts",
    "build_customers",
    "build_filled",
    "build_filled_cards",
    "build_lines",
    "build_opted_out",
    "build_orders",
    "build_orders_from_lines",
    "build_parting",
    "build_parts_joined",
    "build_parts_marked",
    "build_strangers",
    "build_surely_left",
    "build_two_addresses",
    "build_two_currencies",
    "complete",
    "find_stays",
    "fold_lines",
    "has_parts",
    "is_given_back",
    "note_added_up",
    "read_states",
    "sort_states",
]
