"""In-app messages: shown by the shop's own app and pages, when their person is there."""

from __future__ import annotations

from datetime import timedelta

from rekindle.channels.inapp.outlet import OUTLETS
from rekindle.channels.inapp.settings import InAppSettings, check, starter
from rekindle.config import CapSettings
from rekindle.messages import ChannelFolder
from rekindle.vocabulary import Channel

CHANNEL = ChannelFolder(
    channel=Channel("inapp"),
    settings=InAppSettings,
    outlets=OUTLETS,
    cap=CapSettings(max=1, per=timedelta(days=1)),
    check=check,
    starter=starter,
    called="in-app",
    parts=("title", "body"),
)

__all__ = ["CHANNEL"]
