"""The ways out, one folder each; nothing here decides, it only delivers."""

from rekindle.channels.discovery import (
    build_asker,
    build_outlet,
    build_teller,
    discover,
    find_capabilities,
    find_channel,
    find_costs,
    find_faults,
    find_form,
    find_outlet,
    require_ready,
    word_for,
)
from rekindle.channels.matrix import describe_channels
from rekindle.channels.waiting import find_task_waits

__all__ = [
    "build_asker",
    "build_outlet",
    "build_teller",
    "describe_channels",
    "discover",
    "find_capabilities",
    "find_channel",
    "find_costs",
    "find_faults",
    "find_form",
    "find_outlet",
    "find_task_waits",
    "require_ready",
    "word_for",
]
