"""Answers the engine's questions about people at every tick of a replay, in one sweep.

Asking for all profiles again on each of 365 days would cost 365 profiles. Instead the
timeline of every person is joined with the ticks, chunk by chunk, the predicates are
judged on the same expressions as live, and a bit is kept per tick and person.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from heapq import merge

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rekindle.audiences import build_condition, parse_predicate
from rekindle.config import LifecycleSettings
from rekindle.facts import Engine, Facts, lay_basis, name_query
from rekindle.journeys import Candidate, Journey, JourneyVersion, Signal, may_begin
from rekindle.journeys.population.reported import list_signals
from rekindle.profiles import (
    FAMILIES,
    build_presence,
    build_profiles_from,
    build_spells,
    build_timeline,
    join_spells,
    local_day,
)
from rekindle.subscriptions import build_named_starts
from rekindle.vocabulary import SignalKind

ROWS_AT_ONCE = 4_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_ON = EPOCH.date()
NO_DAY = np.iinfo(np.int32).min
NEVER = np.iinfo(np.int64).max
NO_TIME = timedelta(0)
OF_A_SPELL = ("customer_id", "valid_from", "valid_to")
INSTANT = pa.timestamp("us", tz="UTC")
# Typed also where nobody is known: a column of nothing has no type of its own.
NUMBERS = pa.schema([("known_id", pa.string()), ("person", pa.int32())])
TICKS = pa.schema([("tick", pa.int32()), ("as_of", INSTANT), ("as_of_on", pa.date32())])


@dataclass(frozen=True)
class Purchases:
    """Every purchase in order of person and time. ``bounds`` cut it by person.

    ``ended_micros`` says since when one is none, far in the future for one that stands.
    """

    at_micros: NDArray[np.int64]
    ended_micros: NDArray[np.int64]
    bounds: NDArray[np.int64]

    def newest_before(self, index: int, at: datetime) -> datetime | None:
        """Return the newest purchase of a person strictly before ``at`` that stands then."""
        low, high = int(self.bounds[index]), int(self.bounds[index + 1])
        micros = _micros(at)
        place = bisect_left(self.at_micros, micros, low, high)
        while place > low and self.ended_micros[place - 1] < micros:
            place -= 1
        return _instant(int(self.at_micros[place - 1])) if place > low else None


class HistoryAudience:
    """The people of a history at a fixed series of ticks; an ``Audience``.

    ``predicates`` names every condition that will be asked; the first is the audience, and
    the others are answered only for who matches it, from the first tick at which they do:
    nobody is asked about a step before they enter. ``columns`` names the
    dates and amounts of the profile that steps ask for, and ``events`` what people may do
    beside buying.
    """

    def __init__(
        self,
        engine: Engine,
        facts: Facts,
        *,
        settings: LifecycleSettings,
        predicates: Sequence[str],
        ticks: Sequence[datetime],
        columns: Sequence[str] = (),
        events: Collection[str] = (),
    ) -> None:
        self._looks = list(ticks)
        self._ticks = {at: number for number, at in enumerate(ticks)}
        asked = {name for text in predicates for name in parse_predicate(text).columns}
        needed = FAMILIES.behind(asked | set(columns))
        timeline = build_presence(build_timeline(facts), facts)
        held = [name for name in timeline.columns if name in needed or name in OF_A_SPELL]
        spells, self._people = _numbered(engine, timeline.select(*held))
        self._index = {person: number for number, person in enumerate(self._people)}
        rows = _tick_rows(ticks, facts.zone)
        audience, *conditions = dict.fromkeys(predicates)
        sweep = _Sweep(engine, spells, rows, settings=settings, beside=build_spells(facts))
        self._matches = sweep.run([audience], len(self._people))
        self._dates: Mapping[str, NDArray[np.int32]] = {}
        self._amounts: Mapping[str, NDArray[np.float64]] = {}
        if conditions or columns:
            dates = [one for one in columns if FAMILIES.by_column[one].type == "date"]
            amounts = [one for one in columns if one not in dates]
            entering = _entering(engine, self._matches[audience], ticks)
            self._matches |= sweep.run(conditions, len(self._people), among=entering)
            self._dates = sweep.dates(dates, len(self._people), among=entering)
            self._amounts = sweep.amounts(amounts, len(self._people), among=entering)
        self._signals = list_signals(engine, facts, events) if events else []
        self._purchases, self._orders = _purchases(engine, facts, self._index)
        self._next_offer = np.zeros(len(self._people), dtype=np.int32)

    @property
    def people(self) -> Sequence[str]:
        """Return everyone the history knows, by id."""
        return self._people

    def entrants(self, version: JourneyVersion, at: datetime) -> Iterator[Candidate]:
        """Yield who matches the audience, leaving out those who may not enter again yet.

        Between two ticks nobody does: a profile is of a day.
        """
        tick = self._ticks.get(at)
        if tick is None:
            return
        matches = self._matches[version.journey.audience]
        chosen = np.flatnonzero(matches[tick] & (self._next_offer <= tick))
        found = [(n, self._candidate(n, version, at, matches[0])) for n in chosen.tolist()]
        if version.journey.backfill != NO_TIME or version.journey.pilot < 1:
            # Whoever has to wait for their turn is offered again.
            found = [(n, one) for n, one in found if may_begin(version, one, at)]
            chosen = np.array([n for n, _ in found], dtype=np.int64)
        settled = chosen
        if not _is_over_before_reentry(version.journey):
            # Someone may still be on the way when the time is up, and is offered daily then.
            settled = chosen[self._next_offer[chosen] == 0]
        self._next_offer[settled] = self._again(version.journey.reenter, at)
        for _, candidate in found:
            yield candidate

    def _candidate(
        self, index: int, version: JourneyVersion, at: datetime, at_start: NDArray[np.bool_]
    ) -> Candidate:
        last = self._purchases.newest_before(index, at)
        is_early = version.journey.backfill != NO_TIME and bool(at_start[index])
        was_matching = is_early and (last is None or last <= version.since)
        return Candidate(self._people[index], last, None, was_matching)

    def matching(self, predicate: str, at: datetime, people: Collection[str]) -> set[str]:
        """Return those of ``people`` who match ``predicate`` at the tick ``at``."""
        bits, index = self._matches[predicate][self._tick(at)], self._index
        return {one for one in people if (n := index.get(one)) is not None and bits[n]}

    def dates(self, column: str, at: datetime, people: Collection[str]) -> Mapping[str, date]:
        """Return a date column at the tick ``at``, for those of ``people`` who have one."""
        days, index = self._dates[column][self._tick(at)], self._index
        found = ((one, int(days[index[one]])) for one in people if one in index)
        return {one: EPOCH_ON + timedelta(days=day) for one, day in found if day != NO_DAY}

    def amounts(self, column: str, at: datetime, people: Collection[str]) -> Mapping[str, float]:
        """Return a numeric column at the tick ``at``, for those of ``people`` who have one."""
        values, index = self._amounts[column][self._tick(at)], self._index
        found = ((one, float(values[index[one]])) for one in people if one in index)
        return {one: value for one, value in found if not np.isnan(value)}

    def last_orders(self, at: datetime, people: Collection[str]) -> Mapping[str, datetime]:
        """Return the newest purchase before ``at``, for those of ``people`` who bought."""
        found = {
            one: self._purchases.newest_before(self._index[one], at)
            for one in people
            if one in self._index
        }
        return {one: ordered_at for one, ordered_at in found.items() if ordered_at is not None}

    def ever_matching(self) -> set[str]:
        """Return everyone who matched the audience at some tick."""
        audience = next(iter(self._matches.values()))
        return {self._people[index] for index in np.flatnonzero(audience.any(axis=0)).tolist()}

    def signals(self, since: datetime, until: datetime) -> Iterator[Signal]:
        """Yield what those who ever match did in [since, until], in time order."""
        relevant = self.ever_matching()
        low, high = _micros(since), _micros(until)
        orders = (
            Signal(person, SignalKind.ORDER, _instant(at), f"order:{key}")
            for person, key, at in zip(*self._orders, strict=True)
            if low <= at <= high and person in relevant
        )
        done = (one for one in self._signals if since <= one.at <= until and one.person in relevant)
        yield from merge(orders, done, key=lambda signal: signal.at)

    def _tick(self, at: datetime) -> int:
        """Return the number of the last tick by ``at``."""
        return bisect_right(self._looks, at) - 1

    def _again(self, reenter: timedelta | None, at: datetime) -> int:
        """Return the first tick at which someone offered at ``at`` may be offered again."""
        never = len(self._ticks)
        if reenter is None:
            return never
        return next((n for tick, n in self._ticks.items() if tick - at >= reenter), never)


class _Sweep:
    """Judges predicates for people at every tick, a chunk of ticks at a time.

    ``among`` limits whose answers are carried home: ``one`` is a person, and they are asked
    about after ``from_at``. Where families compare people, everyone is in the profile of
    every tick, because the group's own gaps depend on all.
    """

    def __init__(
        self,
        engine: Engine,
        spells: ir.Table,
        ticks: pa.Table,
        *,
        settings: LifecycleSettings,
        beside: Mapping[str, ir.Table],
    ) -> None:
        self._engine, self._spells, self._ticks = engine, spells, ticks
        self._settings, self._beside = settings, beside
        self._kept: dict[str, ir.Table] = {}

    def _spells_of(self, family: str) -> ir.Table:
        """Return a family's own spells, computed when a predicate first asks about them."""
        if family not in self._kept:
            self._kept[family] = self._engine.keep(f"replay_{family}", self._beside[family])
        return self._kept[family]

    def run(
        self, predicates: Sequence[str], people: int, *, among: ir.Table | None = None
    ) -> dict[str, NDArray[np.bool_]]:
        """Return, by predicate, whether each person meets it at each tick."""
        count = self._ticks.num_rows
        parsed = [parse_predicate(text) for text in predicates]
        columns = frozenset().union(*(predicate.columns for predicate in parsed))

        def met(table: ir.Table) -> Mapping[str, ir.Value]:
            # Not filtered by: engines push a filter down and judge its parts many times.
            return {f"met_{n}": build_condition(one, table) for n, one in enumerate(parsed)}

        found = {text: np.zeros((count, people), dtype=np.bool_) for text in predicates}
        for ticks in self._chunks(people if predicates else 0):
            rows = self._ask(ticks, columns, met, ("met", *predicates), among)
            tick, person = (rows.column(n).to_numpy() for n in ("tick", "person"))
            for number, text in enumerate(predicates):
                of = rows.column(f"met_{number}").to_numpy(zero_copy_only=False)
                found[text][tick[of], person[of]] = True
        return found

    def dates(
        self, columns: Sequence[str], people: int, *, among: ir.Table
    ) -> dict[str, NDArray[np.int32]]:
        """Return each date column by tick and person, as days since 1970."""
        count = self._ticks.num_rows

        def days(table: ir.Table) -> Mapping[str, ir.Value]:
            return {name: _days_since_epoch(table[name]) for name in columns}

        found = {name: np.full((count, people), NO_DAY, dtype=np.int32) for name in columns}
        for ticks in self._chunks(people if columns else 0):
            rows = self._ask(ticks, frozenset(columns), days, ("days", *columns), among)
            tick, person = (rows.column(n).to_numpy() for n in ("tick", "person"))
            for name in columns:
                found[name][tick, person] = rows.column(name).to_numpy()
        return found

    def amounts(
        self, columns: Sequence[str], people: int, *, among: ir.Table
    ) -> dict[str, NDArray[np.float64]]:
        """Return each numeric column by tick and person; NaN where there is none."""
        count = self._ticks.num_rows

        def values(table: ir.Table) -> Mapping[str, ir.Value]:
            return {name: table[name].cast("float64") for name in columns}

        found = {name: np.full((count, people), np.nan) for name in columns}
        for ticks in self._chunks(people if columns else 0):
            rows = self._ask(ticks, frozenset(columns), values, ("amounts", *columns), among)
            tick, person = (rows.column(n).to_numpy() for n in ("tick", "person"))
            for name in columns:
                numbers = rows.column(name).cast(pa.float64())
                found[name][tick, person] = numbers.to_numpy(zero_copy_only=False)
        return found

    def _chunks(self, people: int) -> Iterator[pa.Table]:
        """Yield the ticks, so many at a time as make a bearable table; none for nobody."""
        if people:
            size = max(1, ROWS_AT_ONCE // people)
            for start in range(0, self._ticks.num_rows, size):
                yield self._ticks.slice(start, size)

    def _ask(
        self,
        ticks: pa.Table,
        columns: frozenset[str],
        choose: Callable[[ir.Table], Mapping[str, ir.Value]],
        what: tuple[str, ...],
        among: ir.Table | None,
    ) -> pa.Table:
        """Return tick, person and what ``choose`` makes of everyone's profile at each tick.

        With ``among`` it is that of these people. ``what`` names what is chosen of ``columns``:
        one chunk differs from the next in its instants alone, and is compiled once.
        """
        asked = self._engine.bring("replay_ticks", ticks)
        needed = FAMILIES.behind(columns)
        kept = {
            family: self._spells_of(family)
            for family in self._beside
            if not needed.isdisjoint(FAMILIES[family].makes)
        }
        ends = [ticks.column("as_of")[n].as_py() for n in (0, -1)]

        def build() -> ir.Table:
            table = self._build(asked, (ends[0], ends[-1]), columns, kept, among)
            return table.select("tick", "person", **choose(table))

        made_of = [self._spells, asked, *kept.values(), *([] if among is None else [among])]
        key = ("replay", what, *kept, tuple(FAMILIES.values()), self._settings.model_dump_json())
        return self._engine.run(name_query(key, lay_basis(made_of), build, instants=ends))

    def _build(
        self,
        asked: ir.Table,
        ends: tuple[datetime, datetime],
        columns: frozenset[str],
        kept: Mapping[str, ir.Table],
        among: ir.Table | None,
    ) -> ir.Table:
        """Return these columns of everyone's profile (or of those ``among``) at each tick."""
        first, last = map(_literal, ends)
        spells, are_compared = self._spells, FAMILIES.compare_people(columns)
        if among is not None and not are_compared:
            spells = _spells_among(spells, among)
        spells = spells.filter((spells.valid_from < last) & (first <= spells.valid_to))
        joined = spells.inner_join(
            asked, [spells.valid_from < asked.as_of, asked.as_of <= spells.valid_to]
        ).drop("valid_from", "valid_to")
        for family, own in kept.items():
            joined = join_spells(joined, family, own)
        table = build_profiles_from(joined, self._settings, columns=columns)
        if among is None or not are_compared:
            return table
        return table.semi_join(among, [table.person == among.one, among.from_at < table.as_of])


def _entering(engine: Engine, matches: NDArray[np.bool_], ticks: Sequence[datetime]) -> ir.Table:
    """Return who matches at some tick, each with an instant just before the first such."""
    people = np.flatnonzero(matches.any(axis=0))
    before = np.array([_micros(at) - 1 for at in ticks], dtype=np.int64)
    from_at = pa.array(before[matches[:, people].argmax(axis=0)]).cast(INSTANT)
    return engine.bring(
        "replay_among", pa.table({"one": people.astype(np.int32), "from_at": from_at})
    )


def _spells_among(spells: ir.Table, among: ir.Table) -> ir.Table:
    """Return the spells of some people, from the instant on from which they are asked about."""
    joined = spells.inner_join(among, spells.person == among.one)
    begins = ibis.greatest(joined.valid_from, joined.from_at)
    joined = joined.mutate(valid_from=begins).drop("one", "from_at")
    return joined.filter(joined.valid_from < joined.valid_to)


def _is_over_before_reentry(journey: Journey) -> bool:
    """Return whether everyone has left the journey by the time they may enter again."""
    if journey.reenter is None:
        return True
    return journey.longest + timedelta(days=1) * len(journey.sends) < journey.reenter


def _numbered(engine: Engine, timeline: ir.Table) -> tuple[ir.Table, list[str]]:
    """Keep the timeline with a dense ``person`` number; return it and the ids by number."""
    kept = engine.keep("replay_timeline", timeline)
    ids = kept.select("customer_id").distinct().order_by("customer_id")
    people = engine.run(ids).column(0).to_pylist()
    numbers = engine.bring(
        "replay_people",
        pa.table({"known_id": people, "person": range(len(people))}, schema=NUMBERS),
    )
    joined = kept.inner_join(numbers, kept.customer_id == numbers.known_id).drop("known_id")
    return engine.keep("replay_spells", joined), people


def _tick_rows(ticks: Sequence[datetime], zone: str) -> pa.Table:
    days = [local_day(at, zone) for at in ticks]
    return pa.table(
        {"tick": range(len(ticks)), "as_of": list(ticks), "as_of_on": days}, schema=TICKS
    )


def _purchases(
    engine: Engine, facts: Facts, index: Mapping[str, int]
) -> tuple[Purchases, tuple[list[str], list[str], list[int]]]:
    """Return the purchases by person, and all of them in order of time.

    One that was cancelled or undone later was a purchase when it was seen.
    """
    bought = facts.bought_orders()
    bought = bought.filter(bought.customer_id.notnull())
    asked = bought.select(
        "customer_id",
        key=bought.source + ":" + bought.order_id,
        at=bought.ordered_at,
        ended_at=bought.ended_at,
    )
    if facts.has_subscriptions:
        starts = build_named_starts(facts)
        started = starts.select(
            "customer_id",
            "at",
            key="order_id",
            ended_at=ibis.null(asked.ended_at.type()),
        )
        asked = asked.union(started.select(*asked.columns))
    rows = engine.run(asked.order_by("at", "key"))
    people = rows.column("customer_id").to_pylist()
    # In Arrow: not every engine can say the microseconds of an instant.
    at, ended = (
        pc.fill_null(rows.column(name).cast(INSTANT).cast(pa.int64()), NEVER).to_numpy()
        for name in ("at", "ended_at")
    )
    owner = np.fromiter((index[p] for p in people), dtype=np.int64, count=len(people))
    order = np.argsort(owner, kind="stable")
    bounds = np.searchsorted(owner[order], np.arange(len(index) + 1))
    by_person = Purchases(at[order], ended[order], bounds)
    return by_person, (people, rows.column("key").to_pylist(), at.tolist())


def _days_since_epoch(day: ir.Value) -> ir.Value:
    days = day.delta(ibis.date(EPOCH_ON), unit="day")
    return ibis.coalesce(days, NO_DAY).cast("int32")


def _literal(at: datetime) -> ir.Value:
    return ibis.literal(at, type="timestamp('UTC', 6)")


def _micros(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def _instant(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=micros)
