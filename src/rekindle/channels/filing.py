"""Writes messages as files, for trying things out: what every channel has a folder of.

The key is the file's name, so a message that is sent again after a crash replaces itself.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rekindle.errors import TemporaryDeliveryError
from rekindle.messages import Message, Receipt


class FolderOutlet:
    """Implements ``rekindle.messages.Outlet`` with a folder.

    ``write`` says what stands in the file of a message, ``ending`` what kind of file it is.
    """

    def __init__(self, folder: Path, ending: str, write: Callable[[Message], bytes]) -> None:
        self._folder, self._ending, self._write = folder, ending, write

    def send(self, message: Message) -> Receipt:
        """Write the message, whole or not at all."""
        path = self._folder / f"{message.key}.{self._ending}"
        written = self._write(message)
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
