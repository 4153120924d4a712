"""Writes messages as files any mail program opens.

The key is the file's name, so a message that is sent again after a crash replaces itself.
"""

from __future__ import annotations

from pathlib import Path

from rekindle.channels.email.settings import EmailSettings
from rekindle.channels.email.writing.mime import build_bytes
from rekindle.channels.email.writing.model import write_mail
from rekindle.errors import TemporaryDeliveryError
from rekindle.messages import Message, Receipt


class FolderOutlet:
    """Implements ``rekindle.messages.Outlet`` with a folder."""

    def __init__(self, settings: EmailSettings, folder: Path) -> None:
        self._settings, self._folder = settings, folder

    def send(self, message: Message) -> Receipt:
        """Write the message, whole or not at all."""
        path = self._folder / f"{message.key}.eml"
        written = build_bytes(write_mail(message, self._settings))
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            fresh = path.with_suffix(".new")
            fresh.write_bytes(written)
            fresh.replace(path)
        except OSError as error:
            raise TemporaryDeliveryError(f"{path} cannot be written: {error}") from error
        return Receipt(path.name)

    def close(self) -> None:
        """Nothing is kept open."""
