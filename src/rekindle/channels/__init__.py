"""The ways out, one folder each; nothing here decides, it only delivers."""

from rekindle.channels.discovery import Entry, build_outlet, describe_channels, discover
from rekindle.channels.interfaces import Outlet
from rekindle.channels.mime import build_bytes, build_message
from rekindle.channels.model import OutgoingMail, Receipt
from rekindle.channels.rules import require_postal_address, require_safe_links

__all__ = [
    "Entry",
    "OutgoingMail",
    "Outlet",
    "Receipt",
    "build_bytes",
    "build_message",
    "build_outlet",
    "describe_channels",
    "discover",
    "require_postal_address",
    "require_safe_links",
]
