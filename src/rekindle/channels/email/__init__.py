"""E-mail: into a folder for trying things out, or through any server that speaks SMTP."""

from __future__ import annotations

from datetime import timedelta

from rekindle.channels.email.outlet import OUTLETS
from rekindle.channels.email.settings import EmailSettings, check, look_outside, starter
from rekindle.config import CapSettings
from rekindle.messages import ChannelFolder
from rekindle.vocabulary import Channel

CHANNEL = ChannelFolder(
    channel=Channel("email"),
    settings=EmailSettings,
    outlets=OUTLETS,
    cap=CapSettings(max=1, per=timedelta(hours=16)),
    check=check,
    look=look_outside,
    starter=starter,
    called="e-mail",
    parts=("subject", "html", "text"),
)

__all__ = ["CHANNEL"]
