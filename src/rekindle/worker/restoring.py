"""Accepts a ledger that was restored from a backup, and makes that harmless.

It knows nothing of who was written to since, nor of who opted out. What is known of that
lies outside it: the mark says since when, the file of refusals what was refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from rekindle.journeys import JourneyEngine
from rekindle.journeys.population import LiveAudience, save_people
from rekindle.ledger import (
    JourneyState,
    Rekeyed,
    fits_seal,
    ledger_transaction,
    rekey,
    require_secret,
    set_codes_aside,
)
from rekindle.runtime import Workspace
from rekindle.worker.marking import ACCEPTED, SUBJECT, Gap, Watermark
from rekindle.worker.refusals import SaidAgain, say_again

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Accepted:
    """What accepting a restored ledger did: who was counted in, and for whom it ended.

    ``codes`` of offers were set aside, for somebody may have them. ``said`` is what the lost
    ledger had been told to refuse, which this one heard again.
    """

    gap: Gap
    entered: int
    ended: int
    codes: int
    said: SaidAgain


def accept_restored(workspace: Workspace, *, who: str) -> Accepted | None:
    """Let a restored ledger be used from now on; return what that took, None if nothing.

    Whoever was under way, and whoever began to match while the ledger was elsewhere, may
    have been written to; nobody can say. So they are counted in and their journeys end,
    and no touch of theirs is made again. Codes of offers that are free here may have been given
    too, so none of them is given any more. Journeys go on for everyone else, but for those
    that were paused or stopped since. What was refused since is refused again.
    """
    mark = Watermark(workspace)
    gap = mark.find_gap()
    if gap is None:
        return None
    at = workspace.clock.now()
    save_people(*workspace.reading, workspace.book, at)
    said = say_again(workspace, gap.refusals)
    entered = sum(_let_in(workspace, instant) for instant in _instants(gap))
    ended = _end_all(workspace, at)
    codes = set_codes_aside(workspace.ledger)
    _steer_again(workspace, said, at)
    detail = {
        "since": gap.since.isoformat(),
        "until": gap.until.isoformat(),
        "lost": str(gap),
        "codes set aside": codes,
        "said again": dict(said.counts),
    }
    # Not before the mark, whatever a clock says: that is what shows that this one was meant.
    workspace.audit_log.write(who, ACCEPTED, SUBJECT, detail, max(at, gap.until))
    mark.note(is_forced=True)
    return Accepted(gap, entered, ended, codes, said)


def accept_secret(workspace: Workspace, *, who: str) -> Rekeyed | None:
    """Go on with another secret than the ledger was written with; None if it is the same.

    Raises:
        ConfigError: the present one cannot be read.
    """
    secret = require_secret(workspace.directory)
    if fits_seal(workspace.ledger, secret):
        return None
    at = workspace.clock.now()
    with ledger_transaction(workspace.ledger):
        cost = rekey(workspace.ledger, secret, at)
        workspace.audit_log.write(who, "accepted another secret", SUBJECT, asdict(cost), at)
    return cost


def _instants(gap: Gap) -> Iterator[datetime]:
    """Yield an instant of each day of the gap, and its end."""
    at = gap.since
    while at < gap.until:
        yield at
        at += DAY
    yield gap.until


def _let_in(workspace: Workspace, at: datetime) -> int:
    """Enrol whoever the running journeys would have let in at ``at``."""
    book, rules = workspace.book, workspace.rules
    engine = JourneyEngine(book, LiveAudience(workspace), rules=rules, cost=workspace.cost)
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


def _steer_again(workspace: Workspace, said: SaidAgain, at: datetime) -> None:
    """Pause and stop what was paused and stopped last, as far as the lost ledger knew."""
    for name, kind in said.journeys.items():
        if kind == "stopped":
            workspace.book.stop(name, at)
        elif kind == "paused":
            workspace.book.pause(name, at)
