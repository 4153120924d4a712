"""The ways by which a task reaches people: a folder for trying out, or the queue."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from rekindle.channels.filing import FolderOutlet
from rekindle.channels.task.settings import TaskSettings
from rekindle.errors import RefusedContentError
from rekindle.messages import (
    FOR_EVER,
    AddressKind,
    Capabilities,
    Message,
    Outlet,
    OutletEntry,
    Receipt,
)

# Nobody is woken by a task: the hours are asked when somebody takes it.
QUEUE = Capabilities(
    AddressKind.PERSON,
    idempotent_for=FOR_EVER,
    needs_consent=False,
    needs_quiet_hours=False,
    is_done_by_people=True,
    is_to_the_law="call",
)
FOLDER = Capabilities(
    AddressKind.PERSON,
    idempotent_for=FOR_EVER,
    needs_consent=False,
    needs_quiet_hours=False,
    reaches_people=False,
)


class QueueOutlet:
    """Implements ``rekindle.messages.Outlet``: a task that was taken down is in the queue.

    The queue is what the ledger knows of such messages; what is to be said is written when
    somebody takes the task, from what is known then.
    """

    def send(self, message: Message) -> Receipt:
        """Take a task down."""
        require_words(message)
        return Receipt(message.key)

    def close(self) -> None:
        """Nothing is kept open."""


def require_words(message: Message) -> None:
    """Refuse a task that tells nobody what to do.

    Raises:
        RefusedContentError: it has no text.
    """
    if not message.parts.get("text", "").strip():
        raise RefusedContentError("its template has no text for a task")


def write_file(message: Message) -> bytes:
    """Return the file of a task: about whom, and what is to be said."""
    require_words(message)
    written = {name: message.parts.get(name, "").strip() for name in ("title", "text")}
    written["person"] = message.person
    return json.dumps(written, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def build_folder(settings: TaskSettings, *, base: Path, secrets: Mapping[str, str]) -> Outlet:
    """Return the outlet that writes each task to a file."""
    return FolderOutlet(base / settings.folder.path, "json", write_file)


def build_queue(settings: TaskSettings, *, base: Path, secrets: Mapping[str, str]) -> Outlet:
    """Return the outlet that takes each task down for people."""
    return QueueOutlet()


OUTLETS = (
    OutletEntry("task_folder", "writes each task to a file and asks nobody", FOLDER, build_folder),
    OutletEntry("task_queue", "asks people at the business", QUEUE, build_queue),
)
