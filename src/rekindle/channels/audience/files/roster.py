"""Keeps each list as files in a folder of its own.

``members.csv`` is the whole list; each change leaves a file of who came or went, for a system
that takes those. Every file appears whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from rekindle.errors import TemporaryDeliveryError
from rekindle.messages import ChangeKind, Effect, ListChange

HEADER = "email_sha256"
LOCK_SECONDS = 30
WORDS = {ChangeKind.ADD: "added", ChangeKind.REMOVE: "removed"}


class FileRoster:
    """Implements ``rekindle.messages.Roster`` with a folder."""

    batch = 10_000

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def tell(self, change: ListChange) -> str:
        """Write the list anew, and who came or went."""
        folder = self._folder / change.destination
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # Held from the reading of the list on: of two workers the later has read the newer.
            with FileLock(folder / ".lock", timeout=LOCK_SECONDS):
                _write(folder / "members.csv", change.everybody())
                name = _free_name(folder, WORDS[change.kind], change.at)
                _write(folder / name, sorted(change.members))
        except Timeout as error:
            raise TemporaryDeliveryError(f"another process writes to {folder} just now") from error
        except OSError as error:
            raise TemporaryDeliveryError(f"{folder} cannot be written: {error}") from error
        return name

    def look(self, request: str, told_at: datetime, at: datetime) -> Effect:
        """Return that a file that was written is all there is to it."""
        return Effect.EFFECTIVE

    def close(self) -> None:
        """Nothing is kept open."""


def _free_name(folder: Path, word: str, at: datetime) -> str:
    """Return a name that no earlier change has, in the order of time."""
    stem = f"{word}-{at.astimezone(UTC):%Y%m%dT%H%M%S}"
    number = 1
    while (folder / f"{stem}-{number:03}.csv").exists():
        number += 1
    return f"{stem}-{number:03}.csv"


def _write(path: Path, members: Iterable[str]) -> None:
    fresh = path.with_suffix(".new")
    with fresh.open("w", encoding="ascii", newline="") as file:
        file.write(f"{HEADER}\n")
        file.writelines(f"{member}\n" for member in members)
    fresh.replace(path)
