"""Scores everybody and keeps the scores with the instant they are of.

They are facts like others: profiles read them, and a replay sees of each day what was kept
of it. A past day is scored by what was known before it alone, so it may be kept later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from rekindle.errors import BusyError, RekindleError
from rekindle.facts import CONTRACTS, OWN_SCORES, Contract, Lake, write_rows
from rekindle.ledger import erased_ids
from rekindle.predictions import DayOfScores, score_day
from rekindle.runtime import Workspace
from rekindle.wording import counted

SUBJECT = "scores"
"""What the log calls a run."""


@dataclass(frozen=True)
class KeptScores:
    """What was scored, and of how many people it was written."""

    day: DayOfScores
    written: int


def keep_scores(workspace: Workspace, at: datetime, *, accepts_less: bool = False) -> KeptScores:
    """Score everybody as of ``at`` and keep it; the same instant again is corrected.

    Raises:
        UsageError: too little is known to learn from.
        BusyError: an import is running.
        LakeError: they cannot be written.
    """
    config, has_ledger = workspace.config, workspace.has_ledger
    engine, facts = workspace.reading
    day = score_day(
        facts,
        engine.run,
        config.lifecycle,
        config.scores,
        as_of=at,
        contacted=workspace.history.contacted(at) if has_ledger else (),
        accepts_less=accepts_less,
    )
    # Of who was erased nothing new is kept, though a source may still tell of their orders.
    erased = pa.array(erased_ids(workspace.ledger) if has_ledger else [], pa.string())
    rows = day.rows.filter(pc.invert(pc.is_in(day.rows["customer_id"], erased)))
    return KeptScores(day, keep_rows(workspace, CONTRACTS["scores"], rows, at))


def keep_rows(workspace: Workspace, contract: Contract, rows: pa.Table, at: datetime) -> int:
    """Keep rows of one instant that were worked out here as of ``at``; return how many are new.

    In a warehouse an instant that was kept stays as it is.

    Raises:
        BusyError: an import is running.
        LakeError: they cannot be written.
    """
    config = workspace.config
    if config.facts.warehouse is None:
        # By the day that is scored: of a shop whose facts are old nothing would be kept else.
        oldest = at - config.scores.keep
        lake = Lake.of(config.facts, workspace.directory)
        found = write_rows(lake, contract, rows, source=OWN_SCORES, oldest=oldest)
        written = found.added + found.changed
    else:
        engine, facts = workspace.reading
        held = facts.more[contract.table]
        for name in sorted({*contract.key} - {"customer_id"}):
            value = rows[name][0].as_py() if rows.num_rows else None
            held = held.filter(held[name] == ibis.literal(value, held[name].type()))
        written = 0 if engine.run(held.limit(1)).num_rows else rows.num_rows
        if written:
            engine.write(contract, rows)
    workspace.forget_facts()
    return written


def score_daily(workspace: Workspace, at: datetime) -> str:
    """Keep the scores of ``at`` once a local day, where the settings say so; say what was done.

    What stands in the way is told in the log of the day, and tried again the next; an import
    that runs is waited for.
    """
    if not workspace.config.scores.daily:
        return ""
    log, zone = workspace.audit_log, workspace.zone
    last = log.entries(SUBJECT, limit=1)
    if last and last[0].at.astimezone(zone).date() >= at.astimezone(zone).date():
        return ""
    try:
        kept = keep_scores(workspace, at)
    except BusyError:
        return ""
    except RekindleError as error:
        log.write("worker", "not scored", SUBJECT, {"why": str(error)}, at)
        return f"nobody was scored: {error}"
    told = {"people": kept.written, "notes": list(kept.day.notes)}
    log.write("worker", "scored", SUBJECT, told, at)
    return "; ".join((f"{counted(kept.written, 'person')} scored", *kept.day.notes))
