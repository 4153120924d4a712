"""Writes pushes as files, each named by its key, so that one sent again replaces itself."""

from __future__ import annotations

import json
from pathlib import Path

from rekindle.channels.push.writing.payload import read_payload
from rekindle.errors import TemporaryDeliveryError
from rekindle.messages import Message, Receipt


class FolderOutlet:
    """Implements ``rekindle.messages.Outlet`` with a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, message: Message) -> Receipt:
        """Write the message, whole or not at all."""
        until = None if message.leave_by is None else message.leave_by.isoformat()
        written = {**read_payload(message), "person": message.person, "until": until}
        path = self._folder / f"{message.key}.json"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            fresh = path.with_suffix(".new")
            fresh.write_text(json.dumps(written, ensure_ascii=False) + "\n", encoding="utf-8")
            fresh.replace(path)
        except OSError as error:
            raise TemporaryDeliveryError(f"{path} cannot be written: {error}") from error
        return Receipt(path.name)

    def close(self) -> None:
        """Nothing is kept open."""
