"""How long a task waits for somebody at the business to do it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from rekindle.runtime.workspace import Workspace
from rekindle.vocabulary import Channel

OPEN_FOR = timedelta(days=14)
"""So long a task waits where its channel does not say."""


def find_task_waits(workspace: Workspace) -> Mapping[Channel, timedelta]:
    """Return of each channel whose messages people carry out how long one waits for them."""
    return {
        channel: getattr(workspace.config.channel(channel), "open_for", OPEN_FOR)
        for channel, can in workspace.capabilities.items()
        if can.is_done_by_people
    }
