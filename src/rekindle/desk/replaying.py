"""Runs a journey over the shop's own history before a single message leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from rekindle.clock import end_of_day
from rekindle.consent import ConsentRecord
from rekindle.desk.offers.checking import columns_of, predicates_of_offers
from rekindle.desk.offers.forecasting import forecast_offers
from rekindle.desk.planning import (
    check_journey,
    measure_base_rate,
    predicates_of,
    predicates_of_house,
    salt_of,
)
from rekindle.desk.reach import people_by_reason, say_why_nobody
from rekindle.desk.reporting import find_terms, leave_out
from rekindle.errors import UsageError
from rekindle.experiments import plan_holdout
from rekindle.facts import find_known_until
from rekindle.gate import BookRules
from rekindle.insights import (
    JourneyRecord,
    JourneyReport,
    Membership,
    SentMessage,
    VariantMessage,
    build_report,
)
from rekindle.journeys import (
    Course,
    Journey,
    JourneyVersion,
    MemoryBook,
    Person,
    Replayed,
    Withheld,
    events_asked,
    replay,
)
from rekindle.journeys.population import UNDATED, HistoryAudience, save_people
from rekindle.messages import LISTED, AddressKind
from rekindle.runtime import Workspace
from rekindle.vocabulary import GHOSTLY, Answer, Purpose, Unknown

# A worker looks all day; one look a day is enough for steps that wait in days.
TICK_TIME = time(9)
NOWHERE = "+9990000000"  # a phone, for channels that need one; no country begins so
ASSUMED = (
    "No e-mail address was imported: everyone is taken as reachable and permitted. "
    "Import customers with their addresses and consent to see the real reach."
)

UNREACHED = (
    "Nobody is reached here by {}: homes and devices are reported by your shop and are not among "
    "the imported facts. Live, whoever has such an address is."
)

Progress = Callable[[int, int], None]


def replay_journey(
    workspace: Workspace,
    journey: Journey,
    *,
    first: date,
    last: date,
    progress: Progress = lambda done, of: None,
) -> JourneyReport:
    """Return what ``journey`` would have done from ``first`` to ``last``, both included.

    The real engine, gate and caps decide once a day at nine in the business's zone;
    purchases in the facts end enrolments. Nothing is sent and nothing is written.

    Raises:
        UsageError: the dates are the wrong way round.
        PredicateError, TemplateError: the file refers to what is not there.
    """
    rehearsal = rehearse(workspace, journey, first=first, last=last, progress=progress)
    record = _record(workspace, rehearsal)
    if not rehearsal.replayed.sends:
        record = replace(record, nobody=_why_nobody(workspace, journey, rehearsal))
    engine, facts = workspace.reading_at(record.until)
    return build_report(record, facts, engine)


def _why_nobody(workspace: Workspace, journey: Journey, rehearsal: Rehearsal) -> str:
    replayed = rehearsal.replayed
    return say_why_nobody(
        workspace,
        journey,
        people=len({course.enrolment.person for course in replayed.courses}),
        reasons=people_by_reason(replayed.moves),
        at=rehearsal.ticks[-1],
    )


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A replay move by move: the version that ran, when it looked, and what it did."""

    version: JourneyVersion
    ticks: Sequence[datetime]
    replayed: Replayed
    notes: tuple[str, ...]
    withheld: Withheld


def rehearse(
    workspace: Workspace,
    journey: Journey,
    *,
    first: date,
    last: date,
    progress: Progress = lambda done, of: None,
) -> Rehearsal:
    """Return every decision ``journey`` would have made from ``first`` to ``last``.

    Raises:
        UsageError, PredicateError, TemplateError: as ``replay_journey``.
    """
    if last < first:
        raise UsageError(f"the replay ends on {last}, before it starts on {first}")
    check_journey(workspace, journey)
    rules = workspace.rules
    ticks = [_tick(workspace, first + timedelta(days=n)) for n in range((last - first).days + 1)]
    audience = HistoryAudience(
        *workspace.reading,
        settings=workspace.config.lifecycle,
        predicates=[
            *predicates_of(journey),
            *predicates_of_house(rules, journey),
            *predicates_of_offers(journey, workspace.offers),
        ],
        ticks=ticks,
        columns=columns_of(journey),
        events=events_asked(journey, workspace.offers),
    )
    terms, told = find_terms(workspace, ticks[0], ticks[-1])
    book, notes = _fill_book(workspace, journey, audience.ever_matching(), ticks[0], terms)
    notes += told if journey.purpose is Purpose.MARKETING else ()
    version = _version(workspace, journey, audience, ticks[0])
    replayed = replay(
        version,
        book=book,
        audience=audience,
        signals=audience.signals(ticks[0], end_of_day(ticks[-1], workspace.zone)),
        ticks=_watched(ticks, progress),
        rules=rules,
        cost=workspace.cost,
    )
    given = forecast_offers(replayed.moves, workspace.config.workspace.currency)
    notes += [f"It would have given {one}." for one in given]
    return Rehearsal(version, ticks, replayed, tuple(notes), book.withheld())


def _tick(workspace: Workspace, day: date) -> datetime:
    return datetime.combine(day, TICK_TIME, workspace.zone).astimezone(UTC)


def _watched(ticks: list[datetime], progress: Progress) -> Iterator[datetime]:
    for number, at in enumerate(ticks):
        progress(number, len(ticks))
        yield at
    progress(len(ticks), len(ticks))


def _fill_book(
    workspace: Workspace,
    journey: Journey,
    people: Iterable[str],
    at: datetime,
    terms: BookRules,
) -> tuple[MemoryBook, list[str]]:
    """Return a book of everyone's card and consent; without any address, both are assumed."""
    engine, facts = workspace.reading
    if facts.has_cards:
        cards = facts.customers
        if engine.scalar(cards.filter(cards.email.notnull() | cards.phone.notnull()).count()):
            book = MemoryBook(terms)
            save_people(engine, facts, book, at)
            return book, _say_unreached(workspace, journey)
    book = MemoryBook(_reaching_everyone(terms))
    everyone = list(people)
    book.save_people(
        Person(person, f"{n}@example.invalid", phone=NOWHERE) for n, person in enumerate(everyone)
    )
    book.save_consent(
        ConsentRecord(person, channel, True, UNDATED, "assumed by the replay")
        for channel in sorted({send.channel for send in journey.sends})
        for person in everyone
    )
    return book, [ASSUMED]


def _reaching_everyone(terms: BookRules) -> BookRules:
    """Return rules to which an address that no imported card has (a home) is no lack."""
    channels = {
        channel: replace(known, address_kind=AddressKind.PERSON)
        if known.address_kind in LISTED
        else known
        for channel, known in terms.channels.items()
    }
    return replace(terms, channels=channels)


def _say_unreached(workspace: Workspace, journey: Journey) -> list[str]:
    """Return what is said of steps to addresses that facts do not have, only the ledger."""
    known = workspace.terms.channels
    used = {send.channel for send in journey.sends if send.channel in known}
    lost = sorted(one.value for one in used if known[one].address_kind in LISTED)
    return [UNREACHED.format(", ".join(lost))] if lost else []


def _version(
    workspace: Workspace, journey: Journey, audience: HistoryAudience, at: datetime
) -> JourneyVersion:
    """Return the version to replay, its holdout sized on what was known at the start."""
    share = journey.holdout
    if share is None:
        base = measure_base_rate(workspace, journey, at)
        rate = base if isinstance(base, Unknown) else base.returned_share
        people = len(audience.ever_matching())
        share = plan_holdout(people=people, buyers_expected_share=rate).share
    return JourneyVersion(journey, 1, share, salt_of(workspace, journey), at)


def _record(workspace: Workspace, rehearsal: Rehearsal) -> JourneyRecord:
    version, replayed, ticks = rehearsal.version, rehearsal.replayed, rehearsal.ticks
    first_touch: dict[tuple[str, int], datetime] = {}
    for move in replayed.moves:
        if move.decision.answer is Answer.SEND or move.decision.reason in GHOSTLY:
            first_touch.setdefault((move.before.person, move.before.rotation), move.at)
    record = JourneyRecord(
        journey=version.journey,
        started_at=ticks[0],
        until=end_of_day(ticks[-1], workspace.zone),
        holdout_share=version.holdout_share,
        members=[_member(course, first_touch) for course in replayed.courses],
        touches=replayed.touches,
        reasons=replayed.reasons,
        sends=[
            SentMessage(move.before.person, move.before.rotation, move.at, move.cost_micros)
            for move in replayed.sends
        ],
        is_replay=True,
        versions={version.version: version.journey},
        variants=[
            VariantMessage(
                move.before.person,
                move.before.rotation,
                move.before.version,
                move.step.key,
                move.variant,
                move.at,
                has_left=True,
            )
            for move in replayed.sends
            if move.variant
        ],
        reads_on=version.journey.goal.read_on,
        notes=rehearsal.notes,
        known_until=find_known_until(workspace.reading, workspace.clock.now()),
    )
    return leave_out(record, rehearsal.withheld)


def _member(course: Course, first_touch: dict[tuple[str, int], datetime]) -> Membership:
    one = course.enrolment
    return Membership(
        person=one.person,
        arm=one.arm,
        rotation=one.rotation,
        entered_at=one.entered_at,
        last_order_at=one.last_order_at,
        first_touch_at=first_touch.get((one.person, one.rotation)),
        ended=course.ended,
    )
