"""Notices that the ledger is older than what was sent from here, and makes that harmless.

How far the ledger has come is kept in a file outside it. A ledger restored from a backup
falls behind that file; it knows nothing of who was written to since, nor of who opted out.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from tempfile import NamedTemporaryFile
from typing import Any

from rekindle.clock import stopwatch
from rekindle.errors import WorkError
from rekindle.gate import build_rules
from rekindle.journeys import Engine
from rekindle.journeys.population import LiveAudience, save_people
from rekindle.ledger import (
    JourneyState,
    ledger_transaction,
    load_extent,
    load_newest_write,
)
from rekindle.runtime import Workspace

FILE = "state/ledger.mark"
EVERY_SECONDS = 5.0
DAY = timedelta(days=1)
SUBJECT, ACCEPTED = "ledger", "accepted as restored"


@dataclass(frozen=True, slots=True)
class Gap:
    """What a restored ledger does not know: everything after ``since`` until ``until``.

    ``lost`` says how many rows of each kind are missing, at least.
    """

    since: datetime
    until: datetime
    lost: Mapping[str, int]

    def __str__(self) -> str:
        counts = [f"{count:,} {what}" for what, count in self.lost.items() if count]
        return ", ".join(counts) or "what was sent"


@dataclass(frozen=True, slots=True)
class Accepted:
    """What accepting a restored ledger did: who was counted in, and for whom it ended."""

    gap: Gap
    entered: int
    ended: int


class Watermark:
    """The furthest this workspace has seen its ledger come."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._path = workspace.directory / FILE
        self._noted: Mapping[str, int] = {}
        self._age = stopwatch()

    def find_gap(self) -> Gap | None:
        """Return what the ledger has lost since the mark was set; None if nothing.

        Raises:
            WorkError: the file of the mark cannot be read.
        """
        mark = self._read()
        if mark is None:
            return None
        extent = load_extent(self._workspace.ledger)
        behind = {name: mark.extent[name] - extent.get(name, 0) for name in mark.extent}
        if max(behind.values(), default=0) <= 0 or self._was_accepted(mark.at):
            return None
        since = load_newest_write(self._workspace.ledger) or mark.at
        lost = {name: max(count, 0) for name, count in behind.items() if name != "accepted"}
        return Gap(min(since, mark.at), mark.at, lost)

    def require_newest(self) -> None:
        """Let nothing leave on the word of a ledger that is older than the mark.

        Raises:
            WorkError: the ledger is an older copy, or the mark cannot be read.
        """
        if gap := self.find_gap():
            raise WorkError(
                f"this ledger is older than what was sent from here: it ends at "
                f"{gap.since:%Y-%m-%d %H:%M} UTC, the last pass was at {gap.until:%Y-%m-%d %H:%M} "
                f"UTC, and it lacks {gap}. Nothing is sent. Restore a newer copy if there is "
                "one; else record the opt-outs it lacks and run `rekindle accept-restored`"
            )

    def note(self) -> None:
        """Keep how far the ledger has come, if it has come any further."""
        extent = load_extent(self._workspace.ledger)
        if extent != self._noted:
            content = {"at": self._workspace.clock.now().isoformat(), "extent": extent}
            self._write(json.dumps(content))
            self._noted = extent
        self._age = stopwatch()

    def note_at_times(self) -> None:
        """Do what ``note`` does, at most every few seconds."""
        if self._age() >= EVERY_SECONDS:
            self.note()

    def _was_accepted(self, since: datetime) -> bool:
        """Return whether somebody accepted this ledger after the mark was set."""
        entries = self._workspace.audit_log.entries(SUBJECT)
        return any(one.action == ACCEPTED and one.at >= since for one in entries)

    def _read(self) -> _Mark | None:
        try:
            content: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8"))
            extent = {str(name): int(number) for name, number in content["extent"].items()}
            return _Mark(datetime.fromisoformat(content["at"]), extent)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise WorkError(
                f"{self._path} cannot be read ({error}), so nobody can say whether the ledger is "
                "the newest; remove the file if you are sure that it is"
            ) from error

    def _write(self, text: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile("w", dir=self._path.parent, prefix=".mark-", delete=False) as fresh:
            fresh.write(text)
            fresh.flush()
            os.fsync(fresh.fileno())
        os.replace(fresh.name, self._path)


@dataclass(frozen=True, slots=True)
class _Mark:
    at: datetime
    extent: Mapping[str, int]


def accept_restored(workspace: Workspace, *, who: str) -> Accepted | None:
    """Let a restored ledger be used from now on; return what that took, None if nothing.

    Whoever was under way, and whoever began to match while the ledger was elsewhere, may
    have been written to; nobody can say. So they are counted in and their journeys end,
    and no touch of theirs is made again. Journeys go on for everyone else.
    """
    gap = Watermark(workspace).find_gap()
    if gap is None:
        return None
    at = workspace.clock.now()
    save_people(*workspace.reading, workspace.book, at)
    entered = sum(_let_in(workspace, instant) for instant in _instants(gap))
    ended = _end_all(workspace, at)
    detail = {"since": gap.since.isoformat(), "until": gap.until.isoformat(), "lost": str(gap)}
    workspace.audit_log.write(who, ACCEPTED, SUBJECT, detail, at)
    Watermark(workspace).note()
    return Accepted(gap, entered, ended)


def _instants(gap: Gap) -> Iterator[datetime]:
    """Yield an instant of each day of the gap, and its end."""
    at = gap.since
    while at < gap.until:
        yield at
        at += DAY
    yield gap.until


def _let_in(workspace: Workspace, at: datetime) -> int:
    """Enrol whoever the running journeys would have let in at ``at``."""
    book, rules = workspace.book, build_rules(workspace.config)
    engine = Engine(book, LiveAudience(workspace), rules=rules, cost=workspace.cost)
    return sum(engine.enter(version, at) for version in book.running())


def _end_all(workspace: Workspace, at: datetime) -> int:
    """End every journey for everyone in it; each is in the state it was in afterwards."""
    book, ended = workspace.book, 0
    for name, journey in workspace.history.journeys().items():
        if journey.state is JourneyState.STOPPED:
            continue
        with ledger_transaction(workspace.ledger):
            ended += book.stop(name, at)
            book.start(book.versions(name)[-1])
            if journey.state is JourneyState.PAUSED:
                book.pause(name, at)
    return ended
