"""Push: into a folder, to browsers by web push, or to apps through Firebase."""

from __future__ import annotations

from datetime import timedelta

from rekindle.channels.push.outlet import OUTLETS
from rekindle.channels.push.settings import PushSettings, check, look, starter
from rekindle.config import CapSettings
from rekindle.messages import ChannelFolder
from rekindle.vocabulary import Channel

CHANNEL = ChannelFolder(
    channel=Channel("push"),
    settings=PushSettings,
    outlets=OUTLETS,
    cap=CapSettings(max=1, per=timedelta(days=2)),
    check=check,
    look=look,
    starter=starter,
    parts=("title", "body"),
)

__all__ = ["CHANNEL"]
