"""How a workspace stands, on one screen: facts, people, journeys, messages, and what is wrong.

It changes nothing, and says what it can of a workspace that has only just been made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rekindle.channels import discover
from rekindle.ledger import (
    JourneyTally,
    ListTally,
    Reach,
    Stop,
    Stops,
    Waiting,
    count_reach,
    load_last_pass,
    tally_journeys,
    tally_lists,
    tally_messages,
)
from rekindle.runtime import Workspace
from rekindle.worker.examining import Line, State, count_subscriptions, examine
from rekindle.worker.keeping.stopping import MessageStop, list_stops


@dataclass(frozen=True, slots=True)
class FactsOverview:
    """What was imported. ``refused_share`` is of the rows of the newest import of each file."""

    orders: int
    newest_order_at: datetime | None
    imported_at: datetime | None
    refused_share: float | None
    subscriptions: int = 0


@dataclass(frozen=True, slots=True)
class LedgerOverview:
    """Whom each channel could reach, which journeys go on, and what waits to leave.

    ``stops`` is which outlets send nothing until something is mended; ``lists`` are those that
    people were put on, ``left_out`` the messages that are stopped for what they earn, or overruled.
    """

    reach: Mapping[str, Reach]
    journeys: tuple[JourneyTally, ...]
    waiting: Waiting
    passed_at: datetime | None
    stops: Mapping[str, Stop]
    lists: tuple[ListTally, ...] = ()
    left_out: tuple[MessageStop, ...] = ()


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything; None where there is nothing yet. ``lines`` is what the doctor found.

    ``outlets`` says by which way out each channel sends.
    """

    at: datetime
    facts: FactsOverview | None
    ledger: LedgerOverview | None
    outlets: Mapping[str, str]
    lines: tuple[Line, ...]

    @property
    def problems(self) -> list[Line]:
        """Return what needs a look, the worst first."""
        found = [line for line in self.lines if line.state is not State.WELL]
        return sorted(found, key=lambda line: line.state is not State.REFUSES)


def load_overview(workspace: Workspace) -> Overview:
    """Return how a workspace stands now."""
    lines = examine(workspace)
    well = {line.about for line in lines if line.state is State.WELL}
    channels = workspace.config.channel
    return Overview(
        at=workspace.clock.now(),
        facts=_facts(workspace) if "facts" in well else None,
        ledger=_ledger(workspace, opens="secret" in well) if "ledger" in well else None,
        outlets={name: channels(folder.channel).outlet for name, folder in discover().items()},
        lines=tuple(lines),
    )


def _facts(workspace: Workspace) -> FactsOverview:
    engine, facts = workspace.reading
    imports = (facts.bookkeeping or {}).get("imports")
    imported_at = share = None
    if imports is not None:
        sums = imports.aggregate(
            at=imports.imported_at.max(), read=imports.read.sum(), bad=imports.quarantined.sum()
        )
        (row,) = engine.run(sums).to_pylist()
        imported_at = row["at"]
        share = row["bad"] / row["read"] if row["read"] else None
    return FactsOverview(
        int(engine.scalar(facts.orders.count()) or 0),
        engine.scalar(facts.orders.ordered_at.max()),
        imported_at,
        share,
        count_subscriptions(engine, facts),
    )


def _ledger(workspace: Workspace, *, opens: bool) -> LedgerOverview:
    """Return what the ledger tells; which messages stopped only with the secret it is used with."""
    alias, at = workspace.ledger, workspace.clock.now()
    reach = {
        channel.value: count_reach(
            alias, channel, can.address_kind, needs_consent=can.needs_consent
        )
        for channel, can in workspace.capabilities.items()
    }
    return LedgerOverview(
        reach,
        tuple(tally_journeys(alias, at)),
        tally_messages(alias, at),
        load_last_pass(alias),
        Stops(alias).all(),
        tuple(tally_lists(alias)),
        tuple(list_stops(workspace, at)) if opens else (),
    )
