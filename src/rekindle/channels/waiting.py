"""How long a task waits for somebody at the business to do it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from rekindle.config import Config
from rekindle.messages import Capabilities
from rekindle.vocabulary import Channel

OPEN_FOR = timedelta(days=14)
"""So long a task waits where its channel does not say."""


def find_task_waits(
    config: Config, capabilities: Mapping[Channel, Capabilities]
) -> Mapping[Channel, timedelta]:
    """Return of each channel whose messages people carry out how long one waits for them."""
    return {
        channel: getattr(config.channel(channel), "open_for", OPEN_FOR)
        for channel, can in capabilities.items()
        if can.is_done_by_people
    }
