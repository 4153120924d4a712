"""What every way out looks like from the inside of the building."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from rekindle.channels.model import OutgoingMail, Receipt
from rekindle.config import EmailSettings
from rekindle.vocabulary import Channel


class Outlet(Protocol):
    """One way out. ``is_idempotent`` says that the same key twice arrives once.

    ``send`` may be called from several threads at once; ``close`` only while none sends.
    An outlet that was closed opens again with the next message.
    """

    name: str
    channel: Channel
    is_idempotent: bool

    def send(self, mail: OutgoingMail) -> Receipt:
        """Hand the message over and return the provider's receipt.

        Raises:
            TemporaryDeliveryError: it did not leave and may be tried again.
            PermanentDeliveryError: its address takes no messages; it counts as bounced.
            RefusedContentError: it will never be taken, and its address may be good.
            UnknownFateError: it may or may not have left.
        """

    def close(self) -> None:
        """Let go of what was kept open between messages."""


class OutletFactory(Protocol):
    """Builds an outlet from the workspace's settings; the face of an outlet's folder.

    ``SUMMARY`` in the folder says in one line what it is for.
    """

    def __call__(
        self, settings: EmailSettings, *, base: Path, secrets: Mapping[str, str]
    ) -> Outlet:
        """Return the outlet. ``secrets`` holds what ``SECRETS`` of its folder names."""
