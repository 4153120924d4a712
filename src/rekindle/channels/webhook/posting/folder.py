"""Writes what would be posted as files, each named by its key."""

from __future__ import annotations

from pathlib import Path

from rekindle.channels.webhook.posting.body import build_body
from rekindle.errors import TemporaryDeliveryError
from rekindle.messages import Message, Receipt


class FolderOutlet:
    """Implements ``rekindle.messages.Outlet`` with a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, message: Message) -> Receipt:
        """Write the message, whole or not at all."""
        path = self._folder / f"{message.key}.json"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            fresh = path.with_suffix(".new")
            fresh.write_bytes(build_body(message) + b"\n")
            fresh.replace(path)
        except OSError as error:
            raise TemporaryDeliveryError(f"{path} cannot be written: {error}") from error
        return Receipt(path.name)

    def close(self) -> None:
        """Nothing is kept open."""
