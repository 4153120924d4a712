"""Answers the engine's questions about people from the profile of the moment.

The profile is computed once per version of the facts and local day: nothing a predicate
can ask changes in between, so a worker that looks every minute stays cheap.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

import ibis
import ibis.expr.types as ir

from rekindle.audiences import build_condition, parse_predicate
from rekindle.journeys import Candidate, JourneyVersion
from rekindle.profiles import build_profiles, local_day
from rekindle.runtime.workspace import Workspace


class LiveAudience:
    """The people of a workspace as they are now; an ``Audience`` for the engine."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._key: tuple[str, object] | None = None
        self._table: ir.Table | None = None
        self._matches: dict[str, set[str]] = {}
        self._offered: set[tuple[str, int]] = set()

    def profiles(self, at: datetime) -> ir.Table:
        """Return the profiles as of ``at`` with ``as_of_on``, computed at most once."""
        space = self._workspace
        key = (space.facts_version(), local_day(at, space.config.workspace.timezone))
        if self._table is None or key != self._key:
            space.forget_facts()
            table = build_profiles(space.facts, at, space.config.lifecycle)
            table = table.mutate(as_of_on=ibis.date(key[1]))
            self._table = space.engine.keep("live_profiles", table)
            self._key, self._matches, self._offered = key, {}, set()
        return self._table

    def entrants(self, version: JourneyVersion, at: datetime) -> Iterator[Candidate]:
        """Yield the people who match the journey's audience, once per profile."""
        table = self.profiles(at)
        name = (version.journey.name, version.version)
        if name in self._offered:
            return
        condition = build_condition(parse_predicate(version.journey.audience), table)
        chosen = table.filter(condition).select("customer_id", "last_order_at")
        chosen = chosen.order_by("customer_id")  # an engine promises no order of its own
        for batch in self._workspace.engine.run(chosen).to_batches(max_chunksize=10_000):
            ids, ordered = batch.column(0).to_pylist(), batch.column(1).to_pylist()
            yield from map(Candidate, ids, ordered)
        self._offered.add(name)

    def matching(self, predicate: str, at: datetime, people: Collection[str]) -> set[str]:
        """Return those of ``people`` whose profile matches ``predicate``."""
        table = self.profiles(at)
        if predicate not in self._matches:
            condition = build_condition(parse_predicate(predicate), table)
            rows = self._workspace.engine.run(table.filter(condition).select("customer_id"))
            self._matches[predicate] = set(rows.column(0).to_pylist())
        return self._matches[predicate].intersection(people)

    def describe(self, people: Collection[str], at: datetime) -> Mapping[str, dict[str, Any]]:
        """Return the profile columns of ``people``, for what is written to them."""
        table = self.profiles(at).drop("as_of_on")
        rows = self._workspace.engine.run(table.filter(table.customer_id.isin(list(people))))
        return {row["customer_id"]: row for row in rows.to_pylist()}
