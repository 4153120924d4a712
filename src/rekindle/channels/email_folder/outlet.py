"""Writes messages as files any mail program opens.

The key is the file's name, so a message that is sent again after a crash replaces itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rekindle.channels.mime import build_bytes
from rekindle.channels.model import OutgoingMail, Receipt
from rekindle.config import EmailSettings
from rekindle.errors import TemporaryDeliveryError
from rekindle.vocabulary import Channel


class Outlet:
    """Implements ``rekindle.channels.Outlet`` with a folder."""

    name = "email_folder"
    channel = Channel("email")
    is_idempotent = True

    def __init__(self, settings: EmailSettings, *, base: Path, secrets: Mapping[str, str]) -> None:
        self._folder = base / settings.folder.path

    def send(self, mail: OutgoingMail) -> Receipt:
        """Write the message, whole or not at all."""
        path = self._folder / f"{mail.key}.eml"
        message = build_bytes(mail)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            fresh = path.with_suffix(".new")
            fresh.write_bytes(message)
            fresh.replace(path)
        except OSError as error:
            raise TemporaryDeliveryError(f"{path} cannot be written: {error}") from error
        return Receipt(path.name)

    def close(self) -> None:
        """Nothing is kept open."""
