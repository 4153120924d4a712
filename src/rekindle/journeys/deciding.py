"""What comes next for everyone in a batch: the gate at a send, the way on at the rest.

What has to be asked of outside (who matches, which dates) is asked once a batch; then
each person is looked at by themselves.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rekindle.consent import Exclusion
from rekindle.errors import LedgerError, RekindleError
from rekindle.experiments import choose
from rekindle.gate import (
    Budget,
    Decision,
    Dossier,
    Enrolment,
    GateContext,
    HouseRules,
    JourneyRules,
    PastEvent,
    PersonUplift,
    decide,
    local_day_bounds,
    next_local,
)
from rekindle.journeys.asking import Asking, Unanswered, find_customers
from rekindle.journeys.interfaces import Audience, Queue
from rekindle.journeys.model import (
    Batch,
    Branch,
    JourneyVersion,
    Move,
    Send,
    Wait,
    WaitForDate,
    WaitForEvent,
    WaitForTime,
)
from rekindle.journeys.offering import Shelf, Suited, choose_for, find_suited
from rekindle.journeys.route import Node, Onward, Route, arrival, build_route
from rekindle.journeys.weighing import ToWeigh, Uplifts, Weighed, find_uplifts, weigh
from rekindle.offers import Choice, Stock
from rekindle.vocabulary import GHOSTLY, Answer, Channel, Reason, value_by_the_million

A_DAY = timedelta(days=1)
SET_ASIDE_FOR = timedelta(hours=1)
LONGEST_DETAIL, MOST_TOLD = 500, 10_000
_NOTHING_EXPECTED = Weighed(None)

logger = logging.getLogger(__name__)

_told: set[tuple[str, ...]] = set()
AnyWait = Wait | WaitForEvent | WaitForTime | WaitForDate


@dataclass(frozen=True, slots=True)
class _Course:
    """One version as the decider knows it."""

    version: JourneyVersion
    route: Route
    policy: JourneyRules


@value_by_the_million(frozen=True, slots=True)
class _Look:
    """One person to decide about, at one place of one version."""

    dossier: Dossier
    course: _Course
    node: Node


@dataclass(frozen=True, slots=True)
class _Answers:
    """What the audience said about a batch, by person."""

    unmet: frozenset[str]
    excluded: frozenset[str]
    customers: Mapping[str, Collection[str]]
    expected: Mapping[str, int]
    ways: Mapping[str, int | None]
    dates: Mapping[str, date]
    unanswered: Unanswered
    suited: Suited
    batch: Batch
    uplifts: Uplifts


class Decider:
    """Turns due dossiers into moves; asks the audience, never storage or a clock."""

    def __init__(
        self, queue: Queue, audience: Audience, *, rules: HouseRules, cost: Mapping[Channel, int]
    ) -> None:
        self._queue = queue
        self._audience = audience
        self._asking = Asking(audience, rules)
        self._rules = rules
        self._cost = cost
        self._courses: dict[tuple[str, int], _Course] = {}

    def entry(self, journey: str, version: int) -> Onward:
        """Return where everyone who enters a version first comes to rest."""
        return self._course(journey, version).route.entry

    def decide(self, batch: Batch, at: datetime) -> list[Move]:
        """Return one move for each dossier of ``batch``."""
        looks = [self._look(dossier) for dossier in batch.dossiers]
        answers = self._ask(looks, at, batch)
        purse = _Purse(self._rules.budgets, batch.reserved, batch.stock)
        return [self._move(look, answers, purse, at) for look in looks]

    def _move(self, look: _Look, answers: _Answers, purse: _Purse, at: datetime) -> Move:
        """Return what comes next for one person; whatever is wrong with them is theirs alone."""
        try:
            if look.dossier.trouble:
                return _set_aside(look, at, LedgerError(look.dossier.trouble))
            if look.dossier.exit is not None:
                return _leave(look, at)
            if (error := answers.unanswered.get(look.dossier.enrolment.person)) is not None:
                return _set_aside(look, at, error)
            if isinstance(look.node.step, Send):
                return self._decide_send(look, answers, purse, at)
            return _pass_on(look, answers, at)
        except RekindleError:
            raise
        except Exception as error:
            return _set_aside(look, at, error)

    def _decide_send(self, look: _Look, answers: _Answers, purse: _Purse, at: datetime) -> Move:
        send, dossier = look.node.step, look.dossier
        assert isinstance(send, Send)
        before, person = dossier.enrolment, dossier.enrolment.person
        # A channel that is not installed any more costs nothing, and reaches nobody.
        cost = self._cost.get(send.channel, 0)
        choice, without = self._choose(send, dossier, answers, purse, at)
        weighed = self._weigh(look, answers, choice, (cost, at))
        customers_when = look.course.policy.customers_when
        decision = decide(
            GateContext(
                dossier,
                send,
                look.course.policy,
                at,
                person not in answers.unmet,
                cost,
                purse.left(before.journey, send.channel) if purse.budgets else None,
                weighed.expected,
                Exclusion.NEGATIVE_VALUE if person in answers.excluded else None,
                choice,
                customers_when is not None and person in answers.customers.get(customers_when, ()),
            )
        )
        detail = without if decision.answer is Answer.SEND else _detail(decision, dossier, choice)
        if weighed.told and decision.reason is weighed.reason:
            detail = weighed.told
        if decision.until is not None:
            assert decision.until > at, "a hold that is already over would be due for ever"
            after = _stand(before, before.position, before.ready_at, decision.until)
            return Move(before, send, decision, at, 0, after, None, detail)
        after, ended = _proceed(before, look.node.onward, at)
        give = None if choice is None else choice.give
        if decision.answer is not Answer.SEND:
            ghost = give if decision.reason in GHOSTLY else None
            return Move(before, send, decision, at, 0, after, ended, detail, offer=ghost)
        if give is not None:
            purse.shelf.take(give)
            detail = f"{weighed.told}; {give.why}" if weighed.is_sent_still else give.why
        budgets = purse.pay(before.journey, send.channel, cost) if purse.budgets else ()
        variant = _variant(send, look, answers.batch.variants) if send.variants else ""
        return Move(before, send, decision, at, cost, after, ended, detail, variant, budgets, give)

    def _weigh(
        self, look: _Look, answers: _Answers, choice: Choice | None, now: tuple[int, datetime]
    ) -> Weighed:
        """Return what a message is expected to earn, of what it costs ``now``."""
        before, person = look.dossier.enrolment, look.dossier.enrolment.person
        expected = answers.expected.get(person) if answers.expected else None
        if not self._rules.measured and not answers.uplifts:
            # Nothing was measured, so what the settings say holds.
            return _NOTHING_EXPECTED if expected is None else Weighed(expected)
        cost, at = now
        asked = ToWeigh(
            person,
            look.course.version,
            look.node.step.key,
            at,
            answers.batch.subgroups.get((person, before.journey), ""),
            cost,
            0 if choice is None else choice.expected_micros,
            expected,
        )
        return weigh(asked, self._rules, answers.uplifts)

    def _choose(
        self, send: Send, dossier: Dossier, answers: _Answers, purse: _Purse, at: datetime
    ) -> tuple[Choice | None, str]:
        """Return the offer of a message, and, where it may go without one, why it does."""
        wanted, house = send.offer, self._rules.offers
        if wanted is None:
            return None, ""
        choice = choose_for(dossier, wanted, at, answers.suited, purse.shelf, house)
        if choice.refusal is None or not wanted.may_be_without:
            return choice, ""
        return None, f"without an offer, {choice.refusal.value}: {choice.why}"

    def _ask(self, looks: Sequence[_Look], at: datetime, batch: Batch) -> _Answers:
        """Ask the audience everything this batch needs to know, a predicate at a time."""
        sends = [look for look in looks if isinstance(look.node.step, Send)]
        people = _people(look.dossier for look in sends)
        unanswered = Unanswered()
        excluded, expected = self._asking.excluded_and_expected(people, at, unanswered)
        branching = [look for look in looks if isinstance(look.node.step, Branch)]
        return _Answers(
            unmet=self._find_unmet(sends, at, unanswered),
            excluded=excluded,
            customers=self._asking.customers(
                ((one.course.policy.customers_when, one.dossier.enrolment.person) for one in sends),
                at,
                unanswered,
            ),
            expected=expected,
            ways=self._find_ways(branching, at, unanswered),
            dates=self._find_dates(looks, at, unanswered),
            unanswered=unanswered,
            suited=self._find_suited(sends, at, unanswered),
            batch=batch,
            uplifts=self._find_uplifts(sends, at, unanswered),
        )

    def _find_unmet(
        self, sends: Iterable[_Look], at: datetime, unanswered: Unanswered
    ) -> frozenset[str]:
        """Return the people whose step has a condition they do not meet."""
        asked: defaultdict[str, list[Dossier]] = defaultdict(list)
        for look in sends:
            step = look.node.step
            if isinstance(step, Send) and step.when is not None:
                asked[step.when].append(look.dossier)
        unmet: set[str] = set()
        for condition, dossiers in asked.items():
            people = _people(dossiers)
            with unanswered.among(people):
                unmet |= people - self._asking.meeting(condition, dossiers, at)
        return frozenset(unmet)

    def _find_suited(self, sends: Iterable[_Look], at: datetime, unanswered: Unanswered) -> Suited:
        asked = [
            (look.node.step.offer, look.dossier)
            for look in sends
            if isinstance(look.node.step, Send) and look.node.step.offer is not None
        ]
        return find_suited(self._audience, self._rules.offers, asked, at, unanswered)

    def _find_uplifts(
        self, sends: Iterable[_Look], at: datetime, unanswered: Unanswered
    ) -> Uplifts:
        if not self._rules.uplifts:
            return {}
        asked = [(one.dossier.enrolment.person, one.course.version) for one in sends]
        found: dict[tuple[str, str], PersonUplift] = {}
        with unanswered.among({person for person, _ in asked}):
            found.update(find_uplifts(self._audience, self._rules, asked, at))
        return found

    def _find_ways(
        self, looks: Iterable[_Look], at: datetime, unanswered: Unanswered
    ) -> dict[str, int | None]:
        """Return for each person at a branch the number of their way, None for past all."""
        standing: defaultdict[tuple[str, int, int], list[_Look]] = defaultdict(list)
        for look in looks:
            before = look.dossier.enrolment
            standing[before.journey, before.version, before.position].append(look)
        chosen: dict[str, int | None] = {}
        for group in standing.values():
            dossiers = [look.dossier for look in group]
            with unanswered.among(_people(dossiers)):
                chosen |= self._choose_ways(group[0].node, dossiers, at)
        return chosen

    def _choose_ways(
        self, node: Node, left: Sequence[Dossier], at: datetime
    ) -> dict[str, int | None]:
        chosen: dict[str, int | None] = {}
        for number, (when, _) in enumerate(node.ways):
            met = _people(left) if when is None else self._asking.meeting(when, left, at)
            chosen.update(dict.fromkeys(met, number))
            left = [dossier for dossier in left if dossier.enrolment.person not in met]
        return chosen | dict.fromkeys(_people(left))

    def _find_dates(
        self, looks: Iterable[_Look], at: datetime, unanswered: Unanswered
    ) -> dict[str, date]:
        asked: defaultdict[str, set[str]] = defaultdict(set)
        for look in looks:
            if isinstance(look.node.step, WaitForDate):
                asked[look.node.step.column].add(look.dossier.enrolment.person)
        found: dict[str, date] = {}
        for column, people in asked.items():
            with unanswered.among(people):
                found |= self._audience.dates(column, at, people)
        return found

    def _look(self, dossier: Dossier) -> _Look:
        enrolment = dossier.enrolment
        course = self._courses.get((enrolment.journey, enrolment.version))
        if course is None:
            course = self._course(enrolment.journey, enrolment.version)
        return _Look(dossier, course, course.route.nodes[enrolment.position])

    def _course(self, journey: str, number: int) -> _Course:
        """Return a version, which never changes once it has started."""
        if (journey, number) not in self._courses:
            for version in self._queue.versions(journey):
                self._courses[journey, version.version] = self._build_course(version)
        try:
            return self._courses[journey, number]
        except KeyError as error:
            raise LedgerError(
                f"someone is in version {number} of journey {journey}, which is not on "
                "record; restore the ledger from a backup that holds it"
            ) from error

    def _build_course(self, version: JourneyVersion) -> _Course:
        route = build_route(version.journey)
        if route.entry.position is None:
            raise LedgerError(f"journey {version.journey.name} sends nothing")
        return _Course(version, route, build_journey_rules(version, self._rules))


class _Purse:
    """What is left in the budgets, and of the offers, while one batch is decided."""

    def __init__(
        self, budgets: Sequence[Budget], reserved: Mapping[str, int], stock: Mapping[str, Stock]
    ) -> None:
        self.budgets = budgets
        self.shelf = Shelf(stock)
        self._left = {one.name: one.limit_micros - reserved.get(one.name, 0) for one in budgets}

    def left(self, journey: str, channel: Channel) -> int | None:
        """Return the least left in a budget that binds the message; None without one."""
        return min((self._left[name] for name in self._binding(journey, channel)), default=None)

    def pay(self, journey: str, channel: Channel, cost: int) -> tuple[str, ...]:
        """Take the cost from every budget that binds the message; return their names."""
        names = tuple(self._binding(journey, channel))
        for name in names:
            self._left[name] -= cost
        return names

    def _binding(self, journey: str, channel: Channel) -> list[str]:
        return [one.name for one in self.budgets if one.binds(journey, channel)]


def build_journey_rules(version: JourneyVersion, rules: HouseRules) -> JourneyRules:
    """Return what holds for every touch of a version."""
    journey = version.journey
    spared = find_customers(journey) if rules.spares_customers else None
    return JourneyRules(journey.purpose, journey.stale_after, rules, journey.topic, spared)


def _leave(look: _Look, at: datetime) -> Move:
    """End an enrolment that something ended before it was written."""
    before = look.dossier.enrolment
    decision = Decision(Answer.SKIP, Reason.EXIT_REACHED)
    return Move(before, look.node.step, decision, at, 0, before, look.dossier.exit)


def _set_aside(look: _Look, at: datetime, error: Exception) -> Move:
    """Hold a person still for a while, whom nothing can be decided about; log why, once."""
    before = look.dossier.enrolment
    why = f"{type(error).__name__}: {error}"[:LONGEST_DETAIL]
    who = (before.person, before.journey, look.node.step.key, why)
    if who not in _told and len(_told) < MOST_TOLD:
        _told.add(who)
        about = dict(zip(("person", "journey", "step"), who, strict=False))
        words = "%s is set aside in %s at %s"
        logger.error(words, *who[:3], exc_info=error, extra={"about": about})
    until = at + SET_ASIDE_FOR
    after = _stand(before, before.position, before.ready_at, until, before.wakes_on)
    hold = Decision(Answer.HOLD, Reason.SET_ASIDE, until)
    return Move(before, look.node.step, hold, at, 0, after, None, why)


def _pass_on(look: _Look, answers: _Answers, at: datetime) -> Move:
    """Decide at a branch or a wait: go on, or stay until the wait is over."""
    step, before = look.node.step, look.dossier.enrolment
    if isinstance(step, Branch):
        way = answers.ways[before.person]
        onward = look.node.onward if way is None else look.node.ways[way][1]
        detail = "past every way" if way is None else step.ways[way].when or "otherwise"
        return _went_on(look, onward, (before.ready_at, at), (Reason.BRANCHED, detail))
    assert isinstance(step, AnyWait)
    event = _woken_by(step, look.dossier)
    if event is not None:
        return _went_on(look, look.node.onward, (at, at), (Reason.WOKEN, event.event))
    deadline = _deadline(step, look.dossier, answers.dates.get(before.person))
    if deadline <= at:
        return _went_on(look, look.node.onward, (deadline, at), (Reason.WAITED, ""))
    wakes_on = _bars(_events_of(step))
    after = _stand(before, before.position, before.ready_at, deadline, wakes_on)
    hold = Decision(Answer.HOLD, Reason.WAITING, deadline)
    return Move(before, step, hold, at, 0, after)


def _went_on(
    look: _Look, onward: Onward, times: tuple[datetime, datetime], why: tuple[Reason, str]
) -> Move:
    """Go on from ``times[0]``, when the way was open, though looked at ``times[1]``."""
    before = look.dossier.enrolment
    (since, at), (reason, detail) = times, why
    after, ended = _proceed(before, onward, since)
    decision = Decision(Answer.PASS, reason)
    return Move(before, look.node.step, decision, at, 0, after, ended, detail)


def _proceed(before: Enrolment, onward: Onward, since: datetime) -> tuple[Enrolment, Reason | None]:
    if onward.position is None:
        return before, Reason.FINISHED
    ready_at = arrival(onward, since)
    return _stand(before, onward.position, ready_at, ready_at), None


def _woken_by(step: AnyWait, dossier: Dossier) -> PastEvent | None:
    """Return the event that ends a wait: during it, or since the latest message."""
    if isinstance(step, Wait):
        since, events = dossier.enrolment.ready_at, step.shortened_by
    elif isinstance(step, WaitForEvent):
        since, events = dossier.touched_at or dossier.enrolment.entered_at, step.events
    else:
        return None
    return next((one for one in dossier.events if one.event in events and one.at > since), None)


def _deadline(step: AnyWait, dossier: Dossier, on: date | None) -> datetime:
    """Return when a wait is over by itself."""
    since, zone = dossier.enrolment.ready_at, dossier.zones[0]
    if isinstance(step, Wait):
        return since + step.duration
    if isinstance(step, WaitForEvent):
        return since + step.at_most
    if isinstance(step, WaitForTime):
        return next_local(since, zone, time_of_day=step.time_of_day, weekday=step.weekday)
    if on is None:
        return since
    latest = since + step.at_most
    # Beyond these days the answer is known, and reckoning with them may leave the calendar.
    if on <= since.date() - A_DAY:
        return since
    if on >= latest.date() + timedelta(days=step.days_before) + 2 * A_DAY:
        return latest
    day = on - timedelta(days=step.days_before)
    return max(since, min(_midnight(day, zone), latest))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    noon = datetime.combine(day, time(12), zone)
    return local_day_bounds(noon.astimezone(UTC), zone)[0]


def _events_of(step: AnyWait) -> frozenset[str]:
    if isinstance(step, Wait):
        return step.shortened_by
    return step.events if isinstance(step, WaitForEvent) else frozenset()


def _bars(events: frozenset[str]) -> str:
    return f"|{'|'.join(sorted(events))}|" if events else ""


def _people(dossiers: Iterable[Dossier]) -> set[str]:
    return {dossier.enrolment.person for dossier in dossiers}


def _variant(send: Send, look: _Look, before: Mapping[tuple[str, str, str], str]) -> str:
    """Return the variant of a person: the one they had before if it is there still, else a draw."""
    who, version = look.dossier.enrolment, look.course.version
    had = before.get((who.person, who.journey, send.key), "")
    if send.variant(had) is not None:
        return had
    weights = {one.name: one.weight for one in send.variants}
    return choose(who.person, salt=f"{version.salt}/{send.key}", weights=weights)


def _detail(decision: Decision, dossier: Dossier, choice: Choice | None) -> str:
    """Return what a person needs to know beyond the reason."""
    if choice is not None and decision.reason is choice.refusal:
        return choice.why
    if choice is not None and choice.give is not None and decision.reason in GHOSTLY:
        return choice.give.why
    if decision.reason is Reason.EXCLUDED:
        return (dossier.exclusion or Exclusion.NEGATIVE_VALUE).value
    permission = dossier.permission
    return "" if permission.is_granted else permission.rule.value


def _stand(
    enrolment: Enrolment,
    position: int,
    ready_at: datetime,
    due_at: datetime,
    wakes_on: str = "",
) -> Enrolment:
    # Spelled out: dataclasses.replace takes four times as long, once a decision.
    return Enrolment(
        enrolment.person,
        enrolment.journey,
        enrolment.version,
        enrolment.rotation,
        enrolment.arm,
        enrolment.entered_at,
        enrolment.last_order_at,
        position,
        ready_at,
        due_at,
        wakes_on,
    )
