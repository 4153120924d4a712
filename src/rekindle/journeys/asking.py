"""What has to be asked of the profiles before a message may leave, for both looks at it.

The decider asks when a touch falls due, the worker again before its message leaves. Each
predicate is asked once for everybody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from rekindle.audiences import behaviours_in, bind_flags, is_never, parse_predicate
from rekindle.errors import OfferError, PredicateError, QuestionError
from rekindle.gate import Dossier, HouseRules
from rekindle.journeys.interfaces import Audience
from rekindle.journeys.model import Journey
from rekindle.profiles import FAMILIES
from rekindle.vocabulary import Purpose, Tier

RESTING = "subscription_state = 'paused'"
SUBSCRIBING = "subscription_state in ('subscribed', 'paused')"
SILENCE = ("silence_days", "last_order_at", "last_order_on")
LATELY = 14
"""Days: who bought since is not away."""
PRESENT = (Tier.NEW, Tier.ACTIVE, Tier.RETURNED)
UNANSWERED = (QuestionError, PredicateError, OfferError)


class Unanswered(dict[str, Exception]):
    """The people a question about whom had no answer, with what was wrong."""

    @contextmanager
    def among(self, people: Collection[str]) -> Iterator[None]:
        """Note these people where a question asked within the block has no answer."""
        try:
            yield
        except UNANSWERED as error:
            self.update(dict.fromkeys(people, error))


def find_customers(journey: Journey) -> str | None:
    """Return the predicate of subscribers whom ``journey`` leaves alone; None for none.

    Whose subscription rests is a customer, whom nobody has to win back. A journey that lets in
    nobody but those who left, by its own words, leaves alone who is subscribed after all, too;
    one that lets in who rests and nobody who left is for them. One for people who are here, by a
    tier or by what they just did, as for points or a basket, leaves nobody alone. One for people
    who are away, by their tier or their silence, and that says nothing of subscriptions, leaves
    alone who subscribes: they buy every month.
    """
    if journey.purpose is not Purpose.MARKETING:
        return None
    subscribed, rests, left = (
        _may_let_in(journey, f"subscription_state = '{state}'")
        for state in ("subscribed", "paused", "gone")
    )
    if not left:
        return None if rests else RESTING
    if not (subscribed or rests):
        return SUBSCRIBING
    asked = _columns_asked(journey)
    if asked is None or not asked.isdisjoint(FAMILIES["subscriber"].makes):
        return RESTING
    if _is_for_who_is_here(journey, asked):
        return None
    return SUBSCRIBING if _is_for_who_is_away(journey, asked) else RESTING


def _columns_asked(journey: Journey) -> frozenset[str] | None:
    """Return what an audience speaks of; None of one that cannot be read any more."""
    try:
        return parse_predicate(journey.audience).columns
    except PredicateError:
        return None


def _is_for_who_is_here(journey: Journey, asked: Collection[str]) -> bool:
    """Return whether people who are here are meant, too: by their tier, or by an event of theirs.

    An audience that speaks of silence means who is away.
    """
    if any(name in asked for name in SILENCE):
        return False
    if "tier" in asked:
        return any(_may_let_in(journey, f"tier = '{tier}'") for tier in PRESENT)
    return journey.trigger is not None


def _is_for_who_is_away(journey: Journey, asked: Collection[str]) -> bool:
    """Return whether only people are meant who stay away, by the tier or the days of silence."""
    if "tier" in asked:
        others = (*PRESENT, Tier.PROSPECT)
        return not any(_may_let_in(journey, f"tier = '{tier}'") for tier in others)
    return "silence_days" in asked and not _may_let_in(journey, f"silence_days < {LATELY}")


def _may_let_in(journey: Journey, condition: str) -> bool:
    try:
        return not is_never(f"({journey.audience}\n) and {condition}")
    except PredicateError:  # a version of long ago may ask for what there is no more
        return True


class Asking:
    """Asks an audience what the house rules and a journey's conditions want to know."""

    def __init__(self, audience: Audience, rules: HouseRules) -> None:
        self._audience = audience
        self._rules = rules

    def excluded(self, people: Collection[str], at: datetime) -> frozenset[str]:
        """Return those whose profile gives the business a reason not to write to them."""
        predicate = self._rules.excluded_when
        if predicate is None or not people:
            return frozenset()
        return frozenset(self._audience.matching(predicate, at, people))

    def customers(
        self, asked: Iterable[tuple[str | None, str]], at: datetime, unanswered: Unanswered
    ) -> dict[str, set[str]]:
        """Return by ``customers_when`` the people of whom it is true.

        ``asked`` is what each person's journey asks of that, None for nothing, and the person.
        """
        groups: defaultdict[str, set[str]] = defaultdict(set)
        for predicate, person in asked:
            if predicate is not None:
                groups[predicate].add(person)
        found: dict[str, set[str]] = {}
        for predicate, people in groups.items():
            with unanswered.among(people):
                found[predicate] = self._audience.matching(predicate, at, people)
        return found

    def expected(self, people: Collection[str], at: datetime) -> dict[str, int]:
        """Return what a touch is expected to earn: of rows that fit a person, the first."""
        expected: dict[str, int] = {}
        if not self._rules.worth or not people:
            return expected
        left = set(people)
        for worth in self._rules.worth:
            found = self._audience.matching(worth.predicate, at, left)
            expected.update(dict.fromkeys(found, worth.margin_micros))
            left -= found
        return expected

    def excluded_and_expected(
        self, people: Collection[str], at: datetime, unanswered: Unanswered
    ) -> tuple[frozenset[str], dict[str, int]]:
        """Return ``excluded`` and ``expected``; nobody where that has no answer, which is noted."""
        excluded: frozenset[str] = frozenset()
        expected: dict[str, int] = {}
        with unanswered.among(people):
            excluded, expected = self.excluded(people, at), self.expected(people, at)
        return excluded, expected

    def meeting(self, condition: str, dossiers: Iterable[Dossier], at: datetime) -> set[str]:
        """Return who meets a condition on the profile and on what they did since entering."""
        events = behaviours_in(condition)
        if not events:
            people = {dossier.enrolment.person for dossier in dossiers}
            return self._audience.matching(condition, at, people)
        groups: defaultdict[frozenset[str], set[str]] = defaultdict(set)
        for dossier in dossiers:
            done = frozenset(one.event for one in dossier.events) & events
            groups[done].add(dossier.enrolment.person)
        met: set[str] = set()
        for done, people in groups.items():
            rest = bind_flags(condition, {event: event in done for event in events})
            if isinstance(rest, str):
                met |= self._audience.matching(rest, at, people)
            elif rest:
                met |= people
        return met
