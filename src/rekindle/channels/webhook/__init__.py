"""Webhook: hands messages to a system of the user's own, signed, for it to deliver."""

from __future__ import annotations

from datetime import timedelta

from rekindle.channels.webhook.outlet import OUTLETS
from rekindle.channels.webhook.settings import WebhookSettings, check
from rekindle.config import CapSettings
from rekindle.messages import ChannelFolder
from rekindle.vocabulary import Channel

CHANNEL = ChannelFolder(
    channel=Channel("webhook"),
    settings=WebhookSettings,
    outlets=OUTLETS,
    cap=CapSettings(max=1, per=timedelta(days=1)),
    check=check,
)

__all__ = ["CHANNEL"]
