"""Answers the engine's questions about people from the profile of the moment.

The profile is computed once per version of the facts and local day: nothing a predicate
can ask changes in between, so a worker that looks every minute stays cheap. It has the
columns that the one before was asked for, and is widened to all where it is asked for more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from rekindle.audiences import build_condition, parse_predicate
from rekindle.errors import PredicateError, QuestionError, RekindleError
from rekindle.facts import Engine, Reading
from rekindle.gate import PersonUplift
from rekindle.journeys import Candidate, Covariates, JourneyVersion, Trigger, UnaskedError
from rekindle.journeys.population.interfaces import Population
from rekindle.journeys.population.reported import list_signals
from rekindle.journeys.population.uplifts import find_person_uplifts
from rekindle.profiles import (
    FAMILIES,
    LAST_PURCHASE,
    build_profiles,
    local_day,
    newest_purchase,
)
from rekindle.vocabulary import is_usable_id

NO_TIME = timedelta(0)
LONGEST = 200  # characters of a covariate
ALWAYS = frozenset(("customer_id", *LAST_PURCHASE))
Answered = TypeVar("Answered")


class LiveAudience:
    """The people of a workspace as they are now; an ``Audience`` for the engine."""

    def __init__(self, workspace: Population) -> None:
        self._workspace = workspace
        self._key: tuple[str, object] | None = None
        self._at: datetime | None = None
        self._reading: Reading | None = None
        self._table: ir.Table | None = None
        self._held: frozenset[str] = frozenset()
        self._asked_for: set[str] = set()
        self._matches: dict[str, set[str]] = {}
        self._values: dict[str, dict[str, Any]] = {}
        self._at_start: dict[str, set[str]] = {}
        self._uplifts: dict[tuple[str, datetime], dict[str, PersonUplift | None]] = {}
        self._offered: set[tuple[str, int]] = set()
        self._failures: dict[str, RekindleError] = {}
        self._is_known_only = False

    @contextmanager
    def known_only(self) -> Iterator[None]:
        """Answer only what was asked before, from memory, while the block lasts.

        Raises:
            UnaskedError: it was asked something new; nothing was asked of the engine.
        """
        self._is_known_only = True
        try:
            yield
        finally:
            self._is_known_only = False

    def profiles(self, at: datetime, *columns: str) -> ir.Table:
        """Return the profiles as of ``at`` with ``as_of_on``, in these columns at least.

        They are computed in the columns that were asked for of those before, all at first, and
        once more, as of the same instant, where another is.
        """
        space = self._workspace
        day = local_day(at, space.config.workspace.timezone)
        wanted = FAMILIES.by_column.keys() & columns
        if self._is_known_only:
            # A newer import is seen when the next batch is asked about.
            is_known = self._key is not None and self._key[1] == day and wanted <= self._held
            if self._table is None or not is_known:
                raise UnaskedError(lambda: self.profiles(at, *columns))
            return self._table
        key = (space.facts_version(), day)
        if self._table is None or key != self._key:
            space.forget_facts()
            self._reading, self._at = space.reading_at(at), at
            asked = FAMILIES.by_column.keys() if self._table is None else self._asked_for | wanted
            self._compute(asked, day)
            self._key, self._matches, self._values, self._offered = key, {}, {}, set()
            self._failures, self._uplifts, self._asked_for = {}, {}, set()
        elif not wanted <= self._held:
            self._compute(FAMILIES.by_column.keys(), day)
        self._asked_for |= wanted
        return self._table

    def _compute(self, columns: Collection[str], day: date) -> None:
        assert self._reading is not None
        assert self._at is not None
        engine, facts = self._reading
        held = ALWAYS.union(columns)
        names = [name for name in FAMILIES.names if name in held]
        table = build_profiles(facts, self._at, self._workspace.config.lifecycle, columns=names)
        table = table.mutate(as_of_on=ibis.date(day), last_purchase_at=newest_purchase(table))
        self._table, self._held = engine.keep("live_profiles", table), held

    @property
    def _engine(self) -> Engine:
        """Return the engine that holds the profiles, which may not be the newest."""
        assert self._reading is not None, "asked before the profiles were"
        return self._reading.engine

    def entrants(self, version: JourneyVersion, at: datetime) -> Iterator[Candidate]:
        """Yield the people who match the journey's audience, in the order of their ids.

        Once per profile, but again and again while a back-fill lets more of them in.
        With a back-fill that is not at once, each says whether they matched already when
        the journey first started and have not bought since.
        """
        self.profiles(at)
        name = (version.journey.name, version.version)
        if name in self._offered:
            return
        predicate, since = version.journey.audience, version.since

        def ask() -> pa.Table:
            chosen = self.choose(predicate, at).select("customer_id", "last_purchase_at")
            # An engine promises no order of its own.
            return self._engine.run(chosen.order_by("customer_id"))

        found = self._answer(predicate, ask)
        early = self._answer(predicate, lambda: self._matched_at_start(version))
        for batch in found.to_batches(max_chunksize=10_000):
            ids, ordered = batch.column(0).to_pylist(), batch.column(1).to_pylist()
            for person, ordered_at in zip(ids, ordered, strict=True):
                if not is_usable_id(person):
                    continue  # said where cards are carried into the ledger
                is_new = ordered_at is not None and ordered_at > since
                yield Candidate(person, ordered_at, None, person in early and not is_new)
        backfill = version.journey.backfill
        if backfill is None or at >= since + backfill:
            self._offered.add(name)

    def _matched_at_start(self, version: JourneyVersion) -> set[str]:
        """Return who matched when the journey first started, where that matters."""
        journey = version.journey
        if journey.backfill == NO_TIME:
            return set()
        if journey.name not in self._at_start:
            space = self._workspace
            engine, facts = space.reading
            asked = parse_predicate(journey.audience)
            needed = sorted({"customer_id", *asked.columns})
            table = build_profiles(facts, version.since, space.config.lifecycle, columns=needed)
            day = local_day(version.since, space.config.workspace.timezone)
            table = table.mutate(as_of_on=ibis.date(day))
            chosen = table.filter(build_condition(asked, table))
            rows = engine.run(chosen.select("customer_id"))
            self._at_start[journey.name] = set(rows.column(0).to_pylist())
        return self._at_start[journey.name]

    def matching(self, predicate: str, at: datetime, people: Collection[str]) -> set[str]:
        """Return those of ``people`` whose profile matches ``predicate``."""
        self.profiles(at)

        def ask() -> set[str]:
            chosen = self.choose(predicate, at).select("customer_id")
            return set(self._engine.run(chosen).column(0).to_pylist())

        if predicate not in self._matches:
            if self._is_known_only and predicate not in self._failures:
                raise UnaskedError(lambda: self.matching(predicate, at, ()))
            self._matches[predicate] = self._answer(predicate, ask)
        return self._matches[predicate].intersection(people)

    def choose(self, predicate: str, at: datetime) -> ir.Table:
        """Return the profiles as of ``at`` that match ``predicate``, in its columns at least."""
        asked = parse_predicate(predicate)
        table = self.profiles(at, *asked.columns)
        return table.filter(build_condition(asked, table))

    def dates(self, column: str, at: datetime, people: Collection[str]) -> Mapping[str, date]:
        """Return a date column of the profile, for those of ``people`` who have one."""
        return self._values_of(column, at, people)

    def amounts(self, column: str, at: datetime, people: Collection[str]) -> Mapping[str, float]:
        """Return a numeric column of the profile, for those of ``people`` who have one."""
        return self._values_of(column, at, people)

    def last_orders(self, at: datetime, people: Collection[str]) -> Mapping[str, datetime]:
        """Return the newest purchase known, for those of ``people`` who bought."""
        return self._values_of("last_purchase_at", at, people)

    def covariates(self, at: datetime, people: Collection[str]) -> Mapping[str, Covariates]:
        """Return what is kept of ``people`` as they enter; what is not known of them is left out.

        What somebody calls a reason or a category may be of any length; its head is kept.
        """
        names = tuple(FAMILIES.covariates)
        return {
            person: {name: str(row[name])[:LONGEST] for name in names if row[name] is not None}
            for person, row in self.describe(people, at, names).items()
        }

    def uplifts(
        self, journey: str, scored_at: datetime, at: datetime, people: Collection[str]
    ) -> Mapping[str, PersonUplift]:
        """Return the figures of ``scored_at`` that count at ``at``, for those who have one.

        Asked of the people of a batch at a time: of a big shop they are too many to be held.
        """
        self.profiles(at)
        known = self._uplifts.setdefault((journey, scored_at), {})
        if new := {*people} - known.keys():
            question = f"uplifts of {journey}"
            if self._is_known_only and question not in self._failures:
                raise UnaskedError(lambda: self.uplifts(journey, scored_at, at, new))
            found = self._answer(question, lambda: self._find_uplifts(journey, scored_at, at, new))
            known.update({person: found.get(person) for person in new})
        given = ((person, known[person]) for person in people)
        return {person: one for person, one in given if one is not None}

    def _find_uplifts(
        self, journey: str, scored_at: datetime, at: datetime, people: Collection[str]
    ) -> dict[str, PersonUplift]:
        engine, facts = self._workspace.reading
        wanted = engine.bring(
            "uplifts_asked", pa.table({"customer_id": pa.array(sorted(people), pa.string())})
        )
        day = local_day(at, self._workspace.config.workspace.timezone)
        return find_person_uplifts(facts, engine.run, wanted, (journey, scored_at), day)

    def did(self, trigger: Trigger, *, since: datetime, at: datetime) -> set[str]:
        """Return who did, in the facts, in [since, at], what lets people in."""
        signals = list_signals(*self._workspace.reading, [trigger.event])
        counted = Counter(one.person for one in signals if since <= one.at <= at)
        return {person for person, count in counted.items() if count >= trigger.times}

    def _values_of(self, column: str, at: datetime, people: Collection[str]) -> dict[str, Any]:
        self.profiles(at)

        def ask() -> dict[str, Any]:
            table = self.profiles(at, column)
            given = table.filter(table[column].notnull())
            rows = self._engine.run(given.select("customer_id", column))
            return dict(zip(*(c.to_pylist() for c in rows.columns), strict=True))

        if column not in self._values:
            if self._is_known_only and column not in self._failures:
                raise UnaskedError(lambda: self._values_of(column, at, ()))
            self._values[column] = self._answer(column, ask)
        known = self._values[column]
        return {person: known[person] for person in people if person in known}

    def _answer(self, question: str, ask: Callable[[], Answered]) -> Answered:
        """Return the answer; a question that has none is not asked again of the same facts.

        Facts that cannot be read just now say nothing of the question, and are read again.

        Raises:
            RekindleError: it cannot be answered.
        """
        if (known := self._failures.get(question)) is not None:
            raise known.with_traceback(None)
        try:
            return ask()
        except PredicateError as error:
            self._failures[question] = error
            raise
        except RekindleError:
            raise
        except Exception as error:  # every engine raises its own kind
            told = (str(error).strip().splitlines() or [type(error).__name__])[0]
            failure = QuestionError(f"the engine cannot answer `{question}`: {told}")
            self._failures[question] = failure
            raise failure from error

    def describe(
        self, people: Collection[str], at: datetime, columns: Collection[str]
    ) -> Mapping[str, dict[str, Any]]:
        """Return these profile columns of ``people``, for what is written to them."""
        table = self.profiles(at, *columns)
        table = table.select("customer_id", *sorted({*columns} - {"customer_id"}))
        engine = self._engine
        # Joined, for a list in the query would be taken apart name by name.
        # Typed also for nobody: a column of nothing has no type of its own.
        ids = pa.array(list(people), pa.string())
        wanted = engine.bring("described", pa.table({"customer_id": ids}))
        rows = engine.run(table.semi_join(wanted, "customer_id")).to_pylist()
        return {row["customer_id"]: row for row in rows}
