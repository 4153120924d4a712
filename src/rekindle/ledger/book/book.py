"""The promises of a book, each one transaction over a whole batch.

Who does the work is beside this file: people, dossiers, moves and steering; the
statements are in ``sql/ledger.sql``.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from rekindle.consent import (
    PENDING_EVENT,
    ConsentRecord,
    Exclusion,
    PendingConsent,
    Preferences,
    Suppression,
)
from rekindle.gate import BookRules, Dossier, Enrolment, month_of, resolve_zones
from rekindle.journeys import (
    NOTHING_OBSERVED,
    Batch,
    Covariates,
    Decide,
    HoldoutPeriod,
    JourneyVersion,
    Past,
    Person,
    Signal,
    Trigger,
)
from rekindle.ledger import models
from rekindle.ledger.book.addresses import Given
from rekindle.ledger.book.confirming import add_pending, load_unconfirmed
from rekindle.ledger.book.dossiers import Due, DueReader
from rekindle.ledger.book.lanes import AT_ONCE, LANES, hold_lanes, lane_of
from rekindle.ledger.book.moves import HeldMove, MoveWriter
from rekindle.ledger.book.own_words import OwnCard
from rekindle.ledger.book.people import People
from rekindle.ledger.book.persons import Persons, settled
from rekindle.ledger.book.steering import Steering
from rekindle.ledger.book.withholding import open_period, withhold
from rekindle.ledger.bulk import (
    CHUNK,
    Target,
    chunks,
    insert_rows,
    is_postgresql,
    moment_writer,
    without_collector,
)
from rekindle.ledger.hashing import Hashing
from rekindle.ledger.models import JourneyState
from rekindle.ledger.offers.giving import hold_stock
from rekindle.ledger.papers import kind_of
from rekindle.ledger.queries import (
    Row,
    execute,
    fetch,
    instant_of,
    ledger_errors,
    ledger_transaction,
    rows_of,
    text_of,
    text_or_none,
)
from rekindle.ledger.signals import NOTHING_REPORTED, Reported, know_people, record_signals
from rekindle.ledger.versions import Versions
from rekindle.messages import AddressKind
from rekindle.offers import Stock
from rekindle.vocabulary import Arm, Channel, Purpose, Reason, SignalKind

# What reads a table whole or sorts it, where a batch wants a row at a time.
UNWANTED_PLANS = (
    "enable_bitmapscan",
    "enable_hashjoin",
    "enable_mergejoin",
    "enable_seqscan",
    "jit",
)
PLACES = Target(
    "ledger_place",
    (
        ("enrolment_id", "int8"),
        ("lane", "int2"),
        ("position", "int2"),
        ("ready_at", "timestamptz"),
        ("due_at", "timestamptz"),
        ("wakes_on", "text"),
    ),
)


class LedgerBook:
    """Implements ``rekindle.journeys.interfaces.Book`` on SQLite and PostgreSQL.

    ``secret`` keys the hash under which a suppressed address is remembered.
    Every method raises LedgerError when the database refuses or goes away.
    """

    def __init__(self, alias: str, *, secret: bytes, terms: BookRules) -> None:
        self._alias = alias
        self.terms = terms
        self._zone = resolve_zones(terms.zone, None, None, "UTC")[0]
        self._versions = Versions(alias)
        self._hashing = Hashing(secret)
        self._people = People(alias, self._hashing, terms)
        self.persons = Persons(alias, self._versions, terms, self._people.erase)
        self._steering = Steering(alias, self._versions)
        self._reader = DueReader(alias, self._versions, terms)
        self._writer = MoveWriter(alias, self._versions, terms)
        self._turn = 0

    def save_people(self, people: Iterable[Person]) -> None:
        """Insert or update contact cards by id; a person who was erased stays erased."""
        cards = list(people)
        with settled(self._alias, (card.id for card in cards)) as now:
            # A card read before its person became another's says nothing of that one.
            self._people.save(card for card in cards if now[card.id] == card.id)

    def told(self) -> Mapping[str, str]:
        """Return a digest of what ``note_told`` said last of each person."""
        return self._people.told()

    def note_told(self, digests: Mapping[str, str]) -> None:
        """Remember that all that is known of these people was written, by its digest."""
        with settled(self._alias, digests) as now:
            still = {person: digest for person, digest in digests.items() if now[person] == person}
            self._people.note_told(still)

    def save_own_cards(self, cards: Iterable[OwnCard]) -> None:
        """Write cards as people gave them themselves; files do not take that back."""
        self._people.save_own(cards)

    def save_addresses(self, given: Iterable[Given]) -> None:
        """Let addresses of which people have several be of whom they were given as.

        Whoever was seen with one last has it; of a kind, the newest is written to.
        """
        self._people.save_addresses(given)

    def save_consent(self, records: Iterable[ConsentRecord]) -> None:
        """Append records; one equal in person, channel, granted and at is kept once."""
        told = list(records)
        with settled(self._alias, (one.person for one in told)) as now:
            self._people.save_consent(
                one if now[one.person] == one.person else replace(one, person=now[one.person])
                for one in told
            )

    def save_pending(self, told: Iterable[PendingConsent], at: datetime) -> None:
        """Append each yes that waits for its confirmation, and let ``consent_pending`` happen."""
        given = list(told)
        with settled(self._alias, (one.person for one in given)) as now:
            own = [replace(one, person=now[one.person]) for one in given]
            fresh = add_pending(self._alias, own)
            self.record(
                [
                    Signal(one.person, SignalKind.EVENT, at, one.key, PENDING_EVENT)
                    for one in fresh
                    if at < one.at + self.terms.confirm_within
                ],
                at,
            )

    def unconfirmed(
        self, people: Collection[str], at: datetime
    ) -> Mapping[tuple[str, Channel], PendingConsent]:
        """Return the newest yes of each of these people and channel that may be confirmed now."""
        return load_unconfirmed(self._alias, people, at, self.terms.confirm_within)

    def suppress(
        self,
        person: str,
        channel: Channel | None,
        *,
        reason: str,
        at: datetime,
        purpose: Purpose | None = None,
    ) -> None:
        """Never contact this person, nor their address, there and for that again."""
        with settled(self._alias, [person]) as now:
            self._people.suppress(now[person], Suppression(channel, purpose, reason), at)

    def suppress_addresses(self, stops: Iterable[tuple[str, str, Suppression, datetime]]) -> None:
        """Never write to these addresses (kind and value), whoever has them now or later."""
        self._people.suppress_addresses(stops)

    def lift(self, person: str, reaches: Collection[tuple[str | None, str | None, str]]) -> None:
        """Let suppressions of a person or their address hold nowhere any more."""
        self._people.lift(person, reaches)

    def save_preferences(self, person: str, preferences: Preferences) -> None:
        """Keep what a person asked for, in place of what they asked before."""
        with settled(self._alias, [person]) as now:
            self._people.save_preferences(now[person], preferences)

    def exclude(
        self, person: str, exclusion: Exclusion, *, at: datetime, until: datetime | None
    ) -> None:
        """Write no marketing to this person until ``until``, or ever (None)."""
        with settled(self._alias, [person]) as now:
            self._people.exclude(now[person], exclusion, at=at, until=until)

    def include(self, person: str, exclusion: Exclusion) -> None:
        """Take back an exclusion."""
        with settled(self._alias, [person]) as now:
            self._people.include(now[person], exclusion)

    def erase(self, person: str, at: datetime) -> int:
        """Forget a person's card; return how many enrolments that ended."""
        with settled(self._alias, [person]) as now:
            return self._people.erase(now[person], at)

    def start(self, version: JourneyVersion) -> None:
        """Make this version the one new people enter; earlier versions run out."""
        self._versions.start(version)

    def running(self) -> Sequence[JourneyVersion]:
        """Return the newest version of every journey that takes new people."""
        return self._versions.running()

    def versions(self, journey: str) -> Sequence[JourneyVersion]:
        """Return every version of a journey, oldest first."""
        return self._versions.of_journey(journey)

    def state(self, journey: str) -> JourneyState | None:
        """Return whether a journey runs, is paused or was stopped; None if it never started."""
        return self._versions.state(journey)

    def pause(self, journey: str, at: datetime) -> None:
        """Hold a journey still: nobody enters, nothing is decided and nothing leaves."""
        self._steering.pause(journey, at)

    def resume(self, journey: str, at: datetime, *, over_seconds: int) -> int:
        """Let a paused journey go on; return how many enrolments had fallen due."""
        return self._steering.resume(journey, at, over_seconds=over_seconds)

    def stop(self, journey: str, at: datetime) -> int:
        """End a journey for everyone in it with STOPPED; return how many ended."""
        return self._steering.stop(journey, at)

    def transfer(
        self, journey: str, version: int, places: Mapping[int, Mapping[int, int]], at: datetime
    ) -> int:
        """Move open enrolments to ``version``; return how many moved."""
        return self._steering.transfer(journey, version, places)

    def past(self, journey: str, people: Collection[str]) -> Mapping[str, Past]:
        """Return each person's latest enrolment in the journey, for those who have one."""
        found: dict[str, Past] = {}
        with ledger_transaction(self._alias):
            for chunk in chunks(people):
                batch = rows_of((person,) for person in chunk)
                rows = fetch(self._alias, "past_of", batch, journey)
                found |= {row[0]: _past(row) for row in rows}
        return found

    def triggered(
        self, trigger: Trigger, *, since: datetime, at: datetime
    ) -> Mapping[str, datetime]:
        """Return whom an event lets in: person to the time of the newest such event."""
        kind = kind_of(trigger.event)
        name = trigger.event if kind is SignalKind.EVENT else ""
        span = text_of(max(since, at - trigger.within)), text_of(at)
        words = kind.value, name, *span, trigger.event, *span
        rows = fetch(self._alias, "triggered", *words, trigger.times)
        return {person: instant_of(newest) for person, newest in rows}

    def enrol(
        self,
        enrolments: Sequence[Enrolment],
        covariates: Mapping[str, Covariates] = NOTHING_OBSERVED,
    ) -> int:
        """Insert enrolments and first-time assignments; return how many were new.

        Raises:
            LedgerError: a version was never started here.
        """
        for journey, version in {(one.journey, one.version) for one in enrolments}:
            self._versions.find(journey, version)
        with settled(self._alias, (one.person for one in enrolments)) as now:
            still = [one for one in enrolments if now[one.person] == one.person]
            return sum(self._enrol(chunk, covariates) for chunk in chunks(still))

    def note_holdout(self, at: datetime) -> HoldoutPeriod | None:
        """Remember the share of the holdout of all marketing; return it where it is another."""
        with ledger_transaction(self._alias):
            period, is_new = open_period(self._alias, self.terms.holdout.share, at)
            return period if is_new else None

    def take_due(self, at: datetime, limit: int, decide: Decide) -> int | None:
        """Let ``decide`` look at up to ``limit`` due people and write what it returns."""
        # In a method of its own, so that all it built is gone when the collector comes back.
        with without_collector(), ledger_transaction(self._alias):
            return self._decide_due(at, limit, decide)

    def record(
        self,
        signals: Sequence[Signal],
        at: datetime,
        *,
        reported: Mapping[str, Sequence[Reported]] = NOTHING_REPORTED,
    ) -> int:
        """Record what happened and end what it must end; return how many ended.

        ``reported`` is what happened too, by person, and is on record already.
        """
        return self.end_by(signals, at, reported=reported).total()

    def end_by(
        self,
        signals: Sequence[Signal],
        at: datetime,
        *,
        reported: Mapping[str, Sequence[Reported]] = NOTHING_REPORTED,
    ) -> Counter[Reason]:
        """Record what happened, as ``record`` does; return how many ended by which reason."""
        alias, versions, terms = self._alias, self._versions, self.terms
        with settled(alias, (*(one.person for one in signals), *reported)) as now:
            first, *rest = list(chunks(self._ours(one, now) for one in signals)) or [[]]
            own: dict[str, list[Reported]] = defaultdict(list)
            for who, told in reported.items():
                own[now[who]] += told
            ended = record_signals(alias, versions, terms, first, at, own)
            for chunk in rest:
                ended += record_signals(alias, versions, terms, chunk, at)
            return ended

    def open_enrolments(self) -> Iterable[Enrolment]:
        """Return every enrolment that has not ended, one at a time."""
        rows = models.Enrolment.objects.using(self._alias).filter(ended_at=None)
        with ledger_errors():
            rows = rows.select_related("place").order_by("id")
            for row in rows.iterator(chunk_size=CHUNK):
                yield enrolment_of(row)

    def _ours(self, signal: Signal, now: Mapping[str, str]) -> Signal:
        """Return a signal as it is kept: of the person its id goes by by now."""
        if (person := now[signal.person]) != signal.person:
            signal = replace(signal, person=person)
        return self._hashed(signal)

    def _hashed(self, signal: Signal) -> Signal:
        """Return a signal with the hash of the address it is about, which is all that is kept."""
        if not signal.address:
            return signal
        kind = AddressKind.EMAIL.value
        if signal.channel is not None:
            kind = self.terms.address_kind(signal.channel)
        return replace(signal, address=self._hashing.of(kind, signal.address))

    def _look_rows_up(self) -> None:
        if is_postgresql(self._alias):
            fetch(self._alias, "plan_by_index", rows_of((name,) for name in UNWANTED_PLANS))

    def _decide_due(self, at: datetime, limit: int, decide: Decide) -> int | None:
        self._look_rows_up()
        found = self._take(at, limit)
        if not found:
            return None
        reserved = self._hold_budgets(at)
        by_person = {due.dossier.enrolment.person: due for due in found}
        dossiers, stock = [due.dossier for due in found], self._hold_stock(found)
        subgroups = self._subgroups(dossiers)
        moves = decide(Batch(dossiers, reserved, stock, self._variants(found), subgroups))
        steps = []
        for move in moves:
            due = by_person.pop(move.before.person, None)
            if due is not None and due.dossier.enrolment is move.before:
                steps.append(HeldMove(due.number, move, due.touched))
        return self._writer.write(steps)

    def _take(self, at: datetime, limit: int) -> list[Due]:
        """Return up to ``limit`` people nobody else holds, each in their oldest enrolment."""
        firsts: dict[str, Row] = {}
        for lane in self._lanes(at):
            room = limit - len(firsts)
            rows = self._reader.read_lane(lane, at, room)
            for row in rows:
                firsts.setdefault(row[1], row)
            # A lane that may hold more comes first the next time.
            self._turn = lane if len(rows) == room else (lane + 1) % LANES
            if len(firsts) >= limit:
                break
        return self._reader.complete(firsts.values(), at)

    def _lanes(self, at: datetime) -> Iterator[int]:
        """Yield the lanes with work nobody else holds, from where the last look ended."""
        order = [(self._turn + number) % LANES for number in range(LANES)]
        few = AT_ONCE if is_postgresql(self._alias) else LANES
        for start in range(0, LANES, few):
            yield from hold_lanes(self._alias, order[start : start + few], at)

    def _hold_budgets(self, at: datetime) -> dict[str, int]:
        """Return what is reserved this month of each budget, held until the commit."""
        names = sorted(budget.name for budget in self.terms.budgets)
        if not names:
            return {}
        month = month_of(at, self._zone)
        execute(self._alias, "open_budgets", rows_of((name, month) for name in names))
        rows = fetch(self._alias, "hold_budgets", month, rows_of((name,) for name in names))
        return dict(rows)

    def _hold_stock(self, found: Sequence[Due]) -> dict[str, Stock]:
        """Return what is left of the offers where one may be given now, held until the commit."""
        offers = self.terms.offers
        if not offers.terms or not any(due.may_be_given for due in found):
            return {}
        return hold_stock(self._alias, offers, most=len(found))

    def _variants(self, found: Sequence[Due]) -> dict[tuple[str, str, str], str]:
        """Return what people who entered again were given before of the steps they stand at."""
        asked = [
            (due.dossier.enrolment.person, due.dossier.enrolment.journey, due.tested)
            for due in found
            if due.tested
        ]
        rows = fetch(self._alias, "variants_given", rows_of(asked)) if asked else ()
        return {(person, journey, step): name for person, journey, step, name in rows}

    def _subgroups(self, dossiers: Sequence[Dossier]) -> dict[tuple[str, str], str]:
        """Return in which subgroup people entered their journeys, where it was kept and is asked.

        A person drawn before anything was kept of people is in none, and is in the answer not.
        """
        declared = self.terms.subgroups
        if not declared.by:
            return {}
        asked = [(one.enrolment.person, one.enrolment.journey) for one in dossiers]
        people, journeys = ({*each} for each in zip(*asked, strict=True))
        rows = models.Assignment.objects.using(self._alias).filter(
            person__in=people, journey__in=journeys
        )
        found = rows.values_list("person", "journey", "covariates")
        return {
            (person, journey): name
            for person, journey, kept in found
            if (name := declared.find(kept)) is not None
        }

    def _enrol(self, enrolments: Sequence[Enrolment], covariates: Mapping[str, Covariates]) -> int:
        know_people(self._alias, (one.person for one in enrolments))
        drawn = [
            _assignment(one, covariates.get(one.person, {})) for one in sorted_by_lane(enrolments)
        ]
        execute(self._alias, "assign", rows_of(drawn))
        by_key = {_identity(one): one for one in reversed(enrolments)}
        # Neighbours in a lane become neighbours on disk, and are read and written together.
        rows = rows_of(_enrolment(one) for one in sorted_by_lane(by_key.values()))
        new = fetch(self._alias, "enrol", rows)
        moment = moment_writer(self._alias)
        places = []
        for number, *key in new:
            one = by_key[tuple(key)]
            ready, due = moment(one.ready_at), moment(one.due_at)
            places.append((number, lane_of(one.person), one.position, ready, due, one.wakes_on))
        insert_rows(self._alias, PLACES, places)
        if self.terms.holdout.share > 0:
            find = self._versions.find
            entered = ((one, find(one.journey, one.version).journey.purpose) for one in enrolments)
            withhold(self._alias, self.terms, entered)
        return len(places)


def sorted_by_lane(enrolments: Iterable[Enrolment]) -> list[Enrolment]:
    """Return enrolments in the order in which they are written, the same everywhere."""
    return sorted(enrolments, key=lambda one: (lane_of(one.person), one.person, one.journey))


def enrolment_of(row: models.Enrolment) -> Enrolment:
    """Return a row as the engine knows it; one that ended stands where it entered."""
    place = getattr(row, "place", None)
    return Enrolment(
        person=row.person_id,
        journey=row.journey,
        version=row.version,
        rotation=row.rotation,
        arm=Arm(row.arm),
        entered_at=row.entered_at,
        last_order_at=row.last_order_at,
        position=place.position if place else 0,
        ready_at=place.ready_at if place else row.entered_at,
        due_at=place.due_at if place else row.entered_at,
        wakes_on=place.wakes_on if place else "",
    )


def _identity(enrolment: Enrolment) -> tuple[str, str, int]:
    return enrolment.person, enrolment.journey, enrolment.rotation


def _past(row: Row) -> Past:
    _, rotation, entered_at, is_open, arm = row
    return Past(
        rotation=rotation,
        entered_at=instant_of(entered_at),
        is_open=bool(is_open),
        arm=Arm(arm),
    )


def _assignment(enrolment: Enrolment, covariates: Covariates) -> Row:
    return (
        enrolment.person,
        enrolment.journey,
        enrolment.arm.value,
        text_of(enrolment.entered_at),
        enrolment.version,
        json.dumps(dict(covariates)),
    )


def _enrolment(enrolment: Enrolment) -> Row:
    return (
        enrolment.person,
        enrolment.journey,
        enrolment.version,
        enrolment.rotation,
        enrolment.arm.value,
        text_of(enrolment.entered_at),
        text_or_none(enrolment.last_order_at),
    )
