"""What a message is, whatever channel it leaves by, and what comes back of it."""

from rekindle.messages.addresses import find_problem, name_address, spoken_mail_address
from rekindle.messages.hiding import hide_address, hide_words
from rekindle.messages.interfaces import (
    ChannelFolder,
    Outlet,
    OutletEntry,
    OutletFactory,
    Webhook,
    WebhookFactory,
)
from rekindle.messages.model import (
    FOR_EVER,
    LISTED,
    SHARED,
    Address,
    AddressKind,
    Capabilities,
    DeliveryEvent,
    DeliveryKind,
    Finding,
    Links,
    Message,
    Receipt,
    Severity,
    Surroundings,
    WebhookRequest,
)

__all__ = [
    "FOR_EVER",
    "LISTED",
    "SHARED",
    "Address",
    "AddressKind",
    "Capabilities",
    "ChannelFolder",
    "DeliveryEvent",
    "DeliveryKind",
    "Finding",
    "Links",
    "Message",
    "Outlet",
    "OutletEntry",
    "OutletFactory",
    "Receipt",
    "Severity",
    "Surroundings",
    "Webhook",
    "WebhookFactory",
    "WebhookRequest",
    "find_problem",
    "hide_address",
    "hide_words",
    "name_address",
    "spoken_mail_address",
]
