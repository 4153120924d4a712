"""What people did, as machines report it: read at the door, understood, made into facts."""

from rekindle.intake.baskets import BASKET_EVENTS, basket_rows
from rekindle.intake.cards import read_card
from rekindle.intake.instants import read_instant
from rekindle.intake.meanings import (
    HUMAN_KINDS,
    MEANINGS,
    Meaning,
    channel_of,
    event_name,
    is_behaviour,
    is_by_machine,
    is_visitors_own,
    kind_of,
    order_id_of,
    refusals,
    signal_kind,
)
from rekindle.intake.model import (
    PROBLEMS,
    Card,
    Event,
    EventType,
    GivenAddress,
    KeptEvent,
    Problem,
    RefusedEvent,
    Statement,
)
from rekindle.intake.orders import (
    Amounts,
    fold_order,
    keep_amounts,
    list_currencies_told,
    names_amounts,
    read_amounts,
    read_lines,
)
from rekindle.intake.reading import (
    LARGEST_EVENT_BYTES,
    WireEvent,
    find_batch,
    parse_json,
    read_event,
)
from rekindle.intake.visitors import as_visitor, is_of_visitor

__all__ = [
    "BASKET_EVENTS",
    "HUMAN_KINDS",
    "LARGEST_EVENT_BYTES",
    "MEANINGS",
    "PROBLEMS",
    "Amounts",
    "Card",
    "Event",
    "EventType",
    "GivenAddress",
    "KeptEvent",
    "Meaning",
    "Problem",
    "RefusedEvent",
    "Statement",
    "WireEvent",
    "as_visitor",
    "basket_rows",
    "channel_of",
    "event_name",
    "find_batch",
    "fold_order",
    "is_behaviour",
    "is_by_machine",
    "is_of_visitor",
    "is_visitors_own",
    "keep_amounts",
    "kind_of",
    "list_currencies_told",
    "names_amounts",
    "order_id_of",
    "parse_json",
    "read_amounts",
    "read_card",
    "read_event",
    "read_instant",
    "read_lines",
    "refusals",
    "signal_kind",
]
