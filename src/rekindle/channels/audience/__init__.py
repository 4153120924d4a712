"""Ad audiences: people are put on a list by which an ad system knows whom to show something."""

from __future__ import annotations

from datetime import timedelta

from rekindle.channels.audience.outlet import OUTLETS
from rekindle.channels.audience.settings import AudienceSettings, check, look, starter
from rekindle.config import CapSettings
from rekindle.messages import ChannelFolder
from rekindle.vocabulary import Channel

CHANNEL = ChannelFolder(
    channel=Channel("audience"),
    settings=AudienceSettings,
    outlets=OUTLETS,
    cap=CapSettings(max=1, per=timedelta(days=7)),
    check=check,
    look=look,
    starter=starter,
    called="ad audience",
    has_destinations=True,
)

__all__ = ["CHANNEL"]
