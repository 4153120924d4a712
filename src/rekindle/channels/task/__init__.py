"""Tasks for people at the business: call, write by hand, offer a meeting."""

from __future__ import annotations

from datetime import timedelta

from rekindle.channels.task.outlet import OUTLETS
from rekindle.channels.task.settings import TaskSettings
from rekindle.config import CapSettings
from rekindle.messages import ChannelFolder
from rekindle.vocabulary import Channel

CHANNEL = ChannelFolder(
    channel=Channel("task"),
    settings=TaskSettings,
    outlets=OUTLETS,
    cap=CapSettings(max=1, per=timedelta(days=30)),
    parts=("title", "text"),
)

__all__ = ["CHANNEL"]
