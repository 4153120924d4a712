"""Asks the gate about a message that is about to leave."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from rekindle.consent import PENDING_EVENT, Exclusion
from rekindle.errors import LedgerError
from rekindle.gate import Decision, GateContext, HouseRules, JourneyRules, decide
from rekindle.journeys import (
    SET_ASIDE_FOR,
    Asking,
    Audience,
    Book,
    Send,
    Unanswered,
    build_journey_rules,
)
from rekindle.journeys.population import PAYMENT_DROPPED
from rekindle.ledger import OutboxMessage
from rekindle.offers import Choice, review_offer
from rekindle.vocabulary import Answer, Channel, Reason

LEAVING_FOR = timedelta(minutes=10)
"""How long word of a payment waits while a biller has not answered who stops; then it is asked."""

Leaving = Callable[[Collection[str]], Collection[str]]
"""Returns who of some people told the biller to stop, where it has not answered yet."""


def _nobody(people: Collection[str]) -> Collection[str]:
    return ()


def _among(
    messages: Sequence[OutboxMessage], versions: Collection[tuple[str, int]]
) -> list[OutboxMessage]:
    """Return the messages of these versions of journeys."""
    return [one for one in messages if (one.journey, one.version) in versions]


@dataclass(frozen=True, slots=True)
class _Said:
    """What was said about the people of a batch; who is unmet, and who leaves, by touch."""

    unmet: frozenset[int] = frozenset()
    excluded: frozenset[str] = frozenset()
    expected: Mapping[str, int] | None = None
    unanswered: Mapping[str, Exception] = field(default_factory=dict)
    customers: Mapping[str, Collection[str]] = field(default_factory=dict)
    leaving: frozenset[int] = frozenset()


def _review(message: OutboxMessage, at: datetime) -> Choice | None:
    """Return whether the offer of a message may still go; None where it brings none."""
    if message.offer is None:
        return None
    return review_offer(message.offer, message.dossier.offers, at)


@lru_cache(maxsize=256)
def _step(key: str, channel: Channel, template: str) -> Send:
    """Return a step as the gate looks at it; a batch of messages is of few."""
    return Send(key, channel, template)


class LastLook:
    """The gate, as it stands before the door; it is asked everything it was asked before.

    Between the decision and the last look a message may have waited for days: a condition
    or a budget, the profile or what a touch is worth may be another by now.
    """

    def __init__(
        self, book: Book, rules: HouseRules, audience: Audience, *, leaving: Leaving = _nobody
    ) -> None:
        self._book, self._rules, self._leaving = book, rules, leaving
        self._asking = Asking(audience, rules)
        self._steps: dict[tuple[str, int], tuple[JourneyRules, Mapping[str, Send]]] = {}
        self._asks: set[tuple[str, int]] = set()
        self._duns: set[tuple[str, int]] = set()
        self._said = _Said()

    def read(self, messages: Sequence[OutboxMessage], at: datetime) -> None:
        """Ask the profiles about a batch, once for all its looks."""
        people = {message.person for message in messages}
        unanswered = Unanswered()
        excluded, expected = self._asking.excluded_and_expected(people, at, unanswered)
        asked = [(self._version(one)[0].customers_when, one.person) for one in messages]
        unmet = self._find_unmet(messages, at, unanswered) | self._find_settled(messages, at)
        customers = self._asking.customers(asked, at, unanswered)
        leaving = self._find_leaving(messages)
        self._said = _Said(unmet, excluded, expected, unanswered, customers, leaving)

    def __call__(self, message: OutboxMessage, at: datetime) -> Decision:
        """Return the gate's answer at ``at`` about a message of the batch that was read."""
        policy, _ = self._version(message)
        said, person = self._said, message.person
        if person in said.unanswered:
            return Decision(Answer.HOLD, Reason.SET_ASIDE, at + SET_ASIDE_FOR)
        found = decide(
            GateContext(
                message.dossier,
                _step(message.step, message.channel, message.template),
                policy,
                at,
                message.touch not in said.unmet,
                message.cost_micros,
                message.budget_left,
                said.expected.get(person) if said.expected else None,
                Exclusion.NEGATIVE_VALUE if person in said.excluded else None,
                _review(message, at),
                person in said.customers.get(policy.customers_when or "", ()),
            )
        )
        if found.answer is Answer.SEND and message.touch in said.leaving:
            return Decision(Answer.HOLD, Reason.LEAVING, at + LEAVING_FOR)
        return found

    def _find_unmet(
        self, messages: Sequence[OutboxMessage], at: datetime, unanswered: Unanswered
    ) -> frozenset[int]:
        """Return the messages whose step has a condition that its person does not meet now."""
        asked: defaultdict[str, list[OutboxMessage]] = defaultdict(list)
        for message in messages:
            _, sends = self._version(message)
            step = sends.get(message.step)
            if step is not None and step.when is not None:
                asked[step.when].append(message)
        unmet: set[int] = set()
        for condition, group in asked.items():
            with unanswered.among({one.person for one in group}):
                met = self._asking.meeting(condition, [one.dossier for one in group], at)
                unmet.update(one.touch for one in group if one.person not in met)
        return frozenset(unmet)

    def _find_settled(self, messages: Sequence[OutboxMessage], at: datetime) -> frozenset[int]:
        """Return the messages that ask to confirm a yes which there is nothing to confirm of."""
        asking = _among(messages, self._asks)
        if not asking:
            return frozenset()
        waiting = self._book.unconfirmed({one.person for one in asking}, at)
        return frozenset(one.touch for one in asking if (one.person, one.channel) not in waiting)

    def _find_leaving(self, messages: Sequence[OutboxMessage]) -> frozenset[int]:
        """Return the messages about a payment whose person told the biller to stop."""
        asking = _among(messages, self._duns)
        if not asking:
            return frozenset()
        leaving = self._leaving({one.person for one in asking})
        return frozenset(one.touch for one in asking if one.person in leaving)

    def _version(self, message: OutboxMessage) -> tuple[JourneyRules, Mapping[str, Send]]:
        """Return what holds for a version, which never changes once it has started."""
        journey, number = message.journey, message.version
        if (journey, number) not in self._steps:
            for version in self._book.versions(journey):
                sends = {send.key: send for send in version.journey.sends}
                policy = build_journey_rules(version, self._rules)
                self._steps[journey, version.version] = policy, sends
                trigger = version.journey.trigger
                if trigger is not None and trigger.event == PENDING_EVENT:
                    self._asks.add((journey, version.version))
                if PAYMENT_DROPPED in version.journey.exits:
                    self._duns.add((journey, version.version))
        try:
            return self._steps[journey, number]
        except KeyError as error:
            raise LedgerError(
                f"a message is of version {number} of journey {journey}, which is not on "
                "record; restore the ledger from a backup that holds it"
            ) from error
