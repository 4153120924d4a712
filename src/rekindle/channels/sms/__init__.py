"""Text messages: into a folder, through Twilio, or through any gateway over HTTP."""

from __future__ import annotations

from datetime import timedelta

from rekindle.channels.sms.outlet import OUTLETS, price
from rekindle.channels.sms.settings import SmsSettings, check, look, starter
from rekindle.config import CapSettings
from rekindle.messages import ChannelFolder
from rekindle.vocabulary import Channel

CHANNEL = ChannelFolder(
    channel=Channel("sms"),
    settings=SmsSettings,
    outlets=OUTLETS,
    cap=CapSettings(max=1, per=timedelta(days=7)),
    check=check,
    look=look,
    starter=starter,
    price=price,
    called="SMS",
    parts=("text",),
)

__all__ = ["CHANNEL"]
