"""Letters: into a folder as text or as print-ready PDF, or printed and posted by Lob."""

from __future__ import annotations

from datetime import timedelta

from rekindle.channels.letter.outlet import OUTLETS
from rekindle.channels.letter.settings import LetterSettings, check, look, starter
from rekindle.config import CapSettings
from rekindle.messages import ChannelFolder
from rekindle.vocabulary import Channel

CHANNEL = ChannelFolder(
    channel=Channel("letter"),
    settings=LetterSettings,
    outlets=OUTLETS,
    cap=CapSettings(max=1, per=timedelta(days=30)),
    check=check,
    look=look,
    starter=starter,
    parts=("title", "text"),
)

__all__ = ["CHANNEL"]
