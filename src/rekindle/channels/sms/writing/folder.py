"""Writes texts as files, each named by its key, so that one sent again replaces itself."""

from __future__ import annotations

from pathlib import Path

from rekindle.channels.sms.settings import SmsSettings
from rekindle.channels.sms.writing.segments import count_segments
from rekindle.channels.sms.writing.text import dialled, require_short, write_text
from rekindle.errors import TemporaryDeliveryError
from rekindle.messages import Message, Receipt


class FolderOutlet:
    """Implements ``rekindle.messages.Outlet`` with a folder."""

    def __init__(self, settings: SmsSettings, folder: Path) -> None:
        self._settings, self._folder = settings, folder

    def send(self, message: Message) -> Receipt:
        """Write the message, whole or not at all."""
        text = write_text(message, self._settings)
        require_short(text, self._settings)
        to, segments = dialled(message.address.value), count_segments(text)
        until = f"Until: {message.leave_by.isoformat()}\n" if message.leave_by else ""
        path = self._folder / f"{message.key}.txt"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            fresh = path.with_suffix(".new")
            fresh.write_text(f"To: {to}\nSegments: {segments}\n{until}\n{text}\n", encoding="utf-8")
            fresh.replace(path)
        except OSError as error:
            raise TemporaryDeliveryError(f"{path} cannot be written: {error}") from error
        return Receipt(path.name)

    def close(self) -> None:
        """Nothing is kept open."""
