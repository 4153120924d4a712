"""How far this workspace has seen its ledger come, kept in a file outside the ledger.

Ledger and file say the same number and token. A ledger restored from a backup is behind
the file; one that went on by itself since has the number, but another token.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from tempfile import NamedTemporaryFile
from typing import Any

import filelock

from rekindle.clock import stopwatch
from rekindle.errors import WorkError
from rekindle.ledger import (
    draw_token,
    load_extent,
    load_mark,
    load_newest_write,
    require_home,
    set_mark,
)
from rekindle.runtime import Workspace
from rekindle.wording import moment
from rekindle.worker.refusals import Refusal, Refusals

FILE = "state/ledger.mark"
EVERY_SECONDS = 5.0
LOCK_SECONDS = 30
SUBJECT, ACCEPTED = "ledger", "accepted as restored"
ACCEPTED_AT = "accepted"  # the newest time at which a provider took something; no count


@dataclass(frozen=True, slots=True)
class Gap:
    """What a restored ledger does not know: everything after ``since`` until ``until``.

    ``lost`` says how many rows of each kind are missing, at least; ``refusals`` is what
    people and the team refused meanwhile, which was written down outside the ledger.
    """

    since: datetime
    until: datetime
    lost: Mapping[str, int]
    refusals: tuple[Refusal, ...] = ()

    def __str__(self) -> str:
        counts = [f"{count:,} {what}" for what, count in self.lost.items() if count]
        return ", ".join(counts) or "what was done since"


@dataclass(frozen=True, slots=True)
class _Mark:
    """The file. One that an earlier release wrote has no id, and counts rows alone."""

    at: datetime
    extent: Mapping[str, int]
    id: str = ""
    number: int = 0
    token: str = ""


class Watermark:
    """The furthest this workspace has seen its ledger come."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._path = workspace.directory / FILE
        self._refusals = Refusals(workspace)
        self._age = stopwatch()

    def find_gap(self) -> Gap | None:
        """Return what the ledger has lost since the mark was set; None if nothing.

        Raises:
            WorkError: the file of the mark cannot be read.
        """
        mark = self._read()
        if mark is None:
            return None
        behind = self._behind(mark)
        if behind is None or self._was_accepted(mark.at):
            return None
        since = load_newest_write(self._workspace.ledger) or mark.at
        known = load_mark(self._workspace.ledger, mark.id)
        lost = {name: max(count, 0) for name, count in behind.items() if name != ACCEPTED_AT}
        refusals = tuple(self._refusals.beyond(known.number if known else 0))
        return Gap(min(since, mark.at), mark.at, lost, refusals)

    def require_newest(self) -> None:
        """Let nothing leave on the word of a ledger that is older than the mark.

        Raises:
            WorkError: the ledger is an older copy, was moved, or the mark cannot be read.
        """
        require_home(self._workspace.ledger)
        if gap := self.find_gap():
            zone = self._workspace.zone
            raise WorkError(
                f"this ledger is older than what was sent from here: it ends at "
                f"{moment(gap.since, zone)}, the last pass was at {moment(gap.until, zone)} "
                f"({zone}), and it lacks {gap}. Nothing is sent. Restore a newer copy if there is "
                "one; else record the opt-outs it lacks and run `rekindle accept-restored`"
            )

    def note(self, *, is_forced: bool = False) -> None:
        """Keep how far the ledger has come, if it has come any further.

        A ledger that is behind the mark leaves it as it is. ``is_forced`` is for what is
        about to leave, or left, without a new row.
        """
        with self._locked():
            mark = self._read()
            if mark is not None and self._behind(mark) and not self._was_accepted(mark.at):
                return
            extent = load_extent(self._workspace.ledger)
            if is_forced or mark is None or not mark.id or extent != mark.extent:
                self._set(mark, extent)
        self._age = stopwatch()

    def note_at_times(self) -> None:
        """Do what ``note`` does, at most every few seconds."""
        if self._age() >= EVERY_SECONDS:
            self.note()

    def _set(self, mark: _Mark | None, extent: Mapping[str, int]) -> None:
        """Write the next number into the ledger, then into the file.

        A process that dies in between leaves a file that is behind the ledger, which loses
        nothing. What was refused is on paper before the file says that it is.
        """
        at = self._workspace.clock.now()
        id_ = (mark.id if mark else "") or draw_token()
        number = mark.number if mark else 0
        entry = set_mark(self._workspace.ledger, id_, after=number, at=at)
        self._refusals.add(entry.number, since=mark.extent if mark else extent)
        content = {
            "at": at.isoformat(),
            "extent": extent,
            "id": entry.id,
            "number": entry.number,
            "token": entry.token,
        }
        self._write(json.dumps(content))

    def _behind(self, mark: _Mark) -> Mapping[str, int] | None:
        """Return how many rows of each kind are missing; None of a ledger that is not behind."""
        alias = self._workspace.ledger
        extent = load_extent(alias)
        behind = {name: count - extent.get(name, 0) for name, count in mark.extent.items()}
        if mark.id:
            known = load_mark(alias, mark.id)
            is_behind = (
                known is None
                or known.number < mark.number
                or (known.number == mark.number and known.token != mark.token)
            )
        else:
            is_behind = max(behind.values(), default=0) > 0
        return behind if is_behind else None

    def _was_accepted(self, since: datetime) -> bool:
        """Return whether somebody accepted this ledger after the mark was set."""
        entries = self._workspace.audit_log.entries(SUBJECT)
        return any(one.action == ACCEPTED and one.at >= since for one in entries)

    def _read(self) -> _Mark | None:
        try:
            content: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8"))
            extent = {str(name): int(number) for name, number in content["extent"].items()}
            return _Mark(
                datetime.fromisoformat(content["at"]),
                extent,
                id=str(content.get("id", "")),
                number=int(content.get("number", 0)),
                token=str(content.get("token", "")),
            )
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise WorkError(
                f"{self._path} cannot be read ({error}), so nobody can say whether the ledger is "
                "the newest; remove the file if you are sure that it is"
            ) from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Let one process at a time set the mark, so that the file never goes back."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(f"{self._path}.lock", timeout=LOCK_SECONDS)
        try:
            with lock:
                yield
        except filelock.Timeout as error:
            raise WorkError(f"{self._path} is held by another process for too long") from error

    def _write(self, text: str) -> None:
        with NamedTemporaryFile("w", dir=self._path.parent, prefix=".mark-", delete=False) as fresh:
            fresh.write(text)
            fresh.flush()
            os.fsync(fresh.fileno())
        os.replace(fresh.name, self._path)
